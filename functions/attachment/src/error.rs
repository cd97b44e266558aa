//! Why a pool is not as it was asked for.

use std::fmt;

use shared::attachment::{MemoryUnreadable, Refusal};
use shell::https::HttpsError;

/// Why a pool is not as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It was decided not to write.
    Refused(Refusal),
    /// Another setting moved with the write. All was put back, but for those in
    /// `left`.
    Moved {
        /// The settings that moved.
        moved: String,
        /// Those that could not be put back; empty when all could.
        left: String,
    },
    /// An earlier run was interrupted after its write, and these settings are
    /// not as they were before it.
    MovedEarlier(String),
    /// What was remembered cannot be read.
    Memory(MemoryUnreadable),
    /// What names the pool is not the id of one.
    PoolIdRefused,
    /// A service refused a call.
    Service {
        /// The operation.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// The service's name of the error.
        code: String,
        /// Its sentence, shortened.
        message: String,
    },
    /// A service gave no usable answer.
    Silent {
        /// The operation.
        operation: &'static str,
        /// What happened instead.
        reason: HttpsError,
    },
    /// An answer is not what it should be.
    Unreadable(&'static str),
    /// The time was up before this operation came to an end.
    OutOfTime(&'static str),
    /// There are no credentials, or a call could not be signed with them.
    Unsigned,
}

impl Error {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Moved { .. } => "SettingsMoved",
            Self::MovedEarlier(_) => "SettingsMovedEarlier",
            Self::Memory(_) => "MemoryUnreadable",
            Self::PoolIdRefused => "PoolIdRefused",
            Self::Service { .. } => "CallRefused",
            Self::Silent { .. } => "CallUnanswered",
            Self::Unreadable(_) => "AnswerUnreadable",
            Self::OutOfTime(_) => "OutOfTime",
            Self::Unsigned => "CredentialsMissing",
        }
    }

    /// Whether the service has this name for what happened.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Service { code, .. } if code == name)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Moved { moved, left } if left.is_empty() => {
                write!(f, "the update moved other settings, so all was put back: {moved}")
            }
            Self::Moved { moved, left } => {
                write!(f, "the update moved other settings ({moved}), and these could not be put back: {left}")
            }
            Self::MovedEarlier(moved) => {
                write!(f, "since an interrupted run these settings are not as they were before it: {moved}")
            }
            Self::Memory(unreadable) => unreadable.fmt(f),
            Self::PoolIdRefused => f.write_str("this is not the id of a user pool"),
            Self::Service { operation, code, message, .. } => write!(f, "{operation} was refused: {code}: {message}"),
            Self::Silent { operation, reason } => write!(f, "{operation}: {reason}"),
            Self::Unreadable(operation) => write!(f, "the answer of {operation} is not what it should be"),
            Self::OutOfTime(operation) => write!(f, "the time was up during {operation}; it can be tried again"),
            Self::Unsigned => f.write_str("there are no credentials to sign calls with"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
