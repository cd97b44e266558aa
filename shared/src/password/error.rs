//! Why a stored hash cannot be used.

use std::fmt;

/// Why a stored hash cannot be used. It never holds the text of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// The text has a known form and breaks its rules, or is too long for any.
    Malformed,
    /// No form that is read here.
    UnknownKind,
    /// A kind that the rules do not list.
    KindNotAllowed,
    /// Computing it would cost more than a sign-in may.
    TooCostly,
    /// The password is longer than this hash, or any, may take.
    TooLong,
    /// It needs a secret parameter that is not there.
    KeyMissing,
}

impl HashError {
    /// Stable name, for logs, alarms and reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "HashMalformed",
            Self::UnknownKind => "HashUnknownKind",
            Self::KindNotAllowed => "HashKindNotAllowed",
            Self::TooCostly => "HashTooCostly",
            Self::TooLong => "PasswordTooLong",
            Self::KeyMissing => "HashKeyMissing",
        }
    }
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the hash is malformed",
            Self::UnknownKind => "the hash has no known form",
            Self::KindNotAllowed => "the rules do not list this kind of hash",
            Self::TooCostly => "the hash would cost too much to compute",
            Self::TooLong => "the password is too long",
            Self::KeyMissing => "the hash needs a key that is not there",
        })
    }
}

impl std::error::Error for HashError {}
