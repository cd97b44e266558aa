//! Why a row is left out.

use std::fmt;

use shared::password::HashError;

/// Why a row is left out. It says nothing of what the row holds, so that the
/// report can be handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// It is no object, no UTF-8, or has not as many cells as there are headings.
    Unreadable,
    /// It belongs to a program and not to a person.
    NotAPerson,
    /// Nothing tells the user from others.
    IdMissing,
    /// The identifier is no `LegacyId`.
    IdUnusable,
    /// None of the names that users sign in by is there.
    NameMissing,
    /// A name that no pool takes.
    NameUnusable,
    /// Another row, the one that is given, has the same identifier.
    IdShared(u64),
    /// Another row, the one that is given, has the same name but for case.
    NameShared(u64),
    /// A credential of the old system that is not in the form it writes.
    CredentialUnreadable,
    /// An algorithm that has no text form here.
    CredentialUnknown,
    /// The hash is not one that user-migration would check.
    Hash(HashError),
    /// More than a record may hold.
    TooLarge,
}

impl Rejection {
    /// Stable name, for the report, programs and tests.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "Unreadable",
            Self::NotAPerson => "NotAPerson",
            Self::IdMissing => "IdMissing",
            Self::IdUnusable => "IdUnusable",
            Self::NameMissing => "NameMissing",
            Self::NameUnusable => "NameUnusable",
            Self::IdShared(_) => "IdShared",
            Self::NameShared(_) => "NameShared",
            Self::CredentialUnreadable => "CredentialUnreadable",
            Self::CredentialUnknown => "CredentialUnknown",
            Self::Hash(error) => error.code(),
            Self::TooLarge => "TooLarge",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Unreadable => "the row is not in the shape of the format",
            Self::NotAPerson => "the account belongs to a program",
            Self::IdMissing => "the user has no identifier",
            Self::IdUnusable => "the identifier is longer than 128 characters or holds # or a control character",
            Self::NameMissing => "the user has none of the names given by --sign-in",
            Self::NameUnusable => "a name is longer than 128 characters or holds a control character",
            Self::IdShared(row) => return write!(f, "row {row} has the same identifier"),
            Self::NameShared(row) => return write!(f, "row {row} has the same sign-in name, apart from case"),
            Self::CredentialUnreadable => "the credential is not in the form that the old system writes",
            Self::CredentialUnknown => "the old system hashed this password with an algorithm that is not known here",
            Self::Hash(error) => return error.fmt(f),
            Self::TooLarge => "the user's record is larger than 64 KiB",
        };
        f.write_str(text)
    }
}
