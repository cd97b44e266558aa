//! Why the directory gave no answer.

use std::error;
use std::fmt;

use aws_sdk_dynamodb::error::SdkError;

/// No answer could be reached. A "no" is an answer and is not one of these.
#[derive(Debug)]
pub enum Error {
    /// The table did not answer, or refused the call.
    Unreachable(Box<dyn error::Error + Send + Sync>),
    /// An item does not have the shape that this code writes.
    Corrupt(Corrupt),
    /// Others kept writing the same items; trying again may help.
    Contended,
    /// A group comes first that the user could not be added to yet.
    HeldBack,
    /// More items than one transaction may hold.
    TooManyItems,
    /// The function runs without a directory, or without a table of what is ended,
    /// and was asked for it all the same.
    NotConfigured,
}

/// Where an item's shape is wrong; never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// The kind of item: `profile`, `membership`, `invitation`, `arrival` or `item`.
    pub kind: &'static str,
    /// The attribute that is missing or unreadable.
    pub attribute: &'static str,
}

impl Error {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "DirectoryUnreachable",
            Self::Corrupt(_) => "DirectoryCorrupt",
            Self::Contended => "DirectoryContended",
            Self::HeldBack => "GroupsFirst",
            Self::TooManyItems => "DirectoryTooManyItems",
            Self::NotConfigured => "DirectoryNotConfigured",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(_) => f.write_str("the directory did not answer"),
            Self::Corrupt(Corrupt { kind, attribute }) => write!(f, "a {kind} has no usable {attribute}"),
            Self::Contended => f.write_str("others kept writing the same items"),
            Self::HeldBack => f.write_str("the profile waits for a group"),
            Self::TooManyItems => f.write_str("more items than one transaction may hold"),
            Self::NotConfigured => f.write_str("the function runs without a directory"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreachable(cause) => Some(cause.as_ref()),
            Self::Corrupt(_) | Self::Contended | Self::HeldBack | Self::TooManyItems | Self::NotConfigured => None,
        }
    }
}

impl<E, R> From<SdkError<E, R>> for Error
where
    E: error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self::Unreachable(Box::new(error))
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for Error {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Unreachable(Box::new(error))
    }
}

impl From<Corrupt> for Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}
