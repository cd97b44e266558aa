//! Why a promotion did not go on.

use std::error::Error;

use crate::ledger::Corrupt;

/// Why a promotion did not go on.
#[derive(Debug)]
pub enum Failure {
    /// The guest is another user's.
    NotYours,
    /// The guest's identity has another user's login.
    IdentityTaken,
    /// The identity pool does not take the user's ID token.
    LoginRefused,
    /// The idempotency key was used with another guest.
    KeyReused,
    /// No answer could be reached. Trying again may help.
    Unavailable {
        /// Stable name of what failed.
        code: &'static str,
        /// For the log only.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl Failure {
    /// A failure behind the function, with its cause for the log.
    pub(crate) fn unavailable(code: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { code, cause: cause.into() }
    }

    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotYours => "GuestOfAnother",
            Self::IdentityTaken => "IdentityTaken",
            Self::LoginRefused => "LoginRefused",
            Self::KeyReused => "IdempotencyKeyReused",
            Self::Unavailable { code, .. } => code,
        }
    }
}

/// An entry that is not understood is an alarm: somebody has to look at it.
impl From<Corrupt> for Failure {
    fn from(corrupt: Corrupt) -> Self {
        Self::unavailable("LedgerCorrupt", corrupt)
    }
}
