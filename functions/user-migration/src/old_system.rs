//! What is asked of the old system, whichever it is.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use shared::migration::{Found, LegacyId, Proof};
use shared::password::Password;

use crate::endpoint::EndpointDirectory;
use crate::pool::PoolDirectory;
use crate::table::TableDirectory;

/// The one thing this trigger asks of the old system.
pub trait LegacyDirectory {
    /// Finds a user and, when a password is offered, checks it.
    ///
    /// Whether there is such a user must not show in the time it takes, nor in
    /// whether there is an answer.
    fn find(&self, question: Question<'_>) -> impl Future<Output = Result<OldAnswer, LookupError>> + Send;

    /// Takes as long as checking a password where none is checked.
    fn pretend(&self, password: &Arc<Password>) -> impl Future<Output = ()> + Send;

    /// Notes that a user was moved in. Nothing relies on it.
    fn note_moved(&self, key: &str, id: &LegacyId, now: u64) -> impl Future<Output = Result<(), LookupError>> + Send;
}

/// Who is asked for.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The name as it was typed in.
    pub user_name: &'a str,
    /// The same as [`sign_in_key`](shared::migration::sign_in_key) writes it.
    pub key: &'a str,
    /// The password that was typed in; `None` when it was forgotten.
    pub password: Option<&'a Arc<Password>>,
    /// In seconds since 1970.
    pub now: u64,
}

/// What the old system answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldAnswer {
    /// Whom it has.
    pub found: Found,
    /// What it says of the password.
    pub proof: Proof,
}

impl OldAnswer {
    /// Nobody was asked.
    pub(crate) const NONE: Self = Self { found: Found::Nobody, proof: Proof::Unchecked };

    /// An answer that cannot be read.
    pub(crate) fn unreadable() -> Self {
        Self { found: Found::Unreadable, proof: Proof::Unchecked }
    }
}

/// Why the old system gave no answer.
#[derive(Debug)]
pub struct LookupError {
    code: &'static str,
    cause: Box<dyn Error + Send + Sync>,
}

impl LookupError {
    /// An error with a stable name. The cause holds neither name nor password.
    pub fn new(code: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, cause: cause.into() }
    }

    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the old system gave no answer")
    }
}

impl Error for LookupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// Whichever old system the rules name.
pub enum AnyDirectory {
    /// A table of exported users.
    Table(TableDirectory),
    /// Another user pool.
    Pool(PoolDirectory),
    /// An endpoint.
    Endpoint(Box<EndpointDirectory>),
}

impl LegacyDirectory for AnyDirectory {
    async fn find(&self, question: Question<'_>) -> Result<OldAnswer, LookupError> {
        match self {
            Self::Table(table) => table.find(question).await,
            Self::Pool(pool) => pool.find(question).await,
            Self::Endpoint(endpoint) => endpoint.find(question).await,
        }
    }

    async fn pretend(&self, password: &Arc<Password>) {
        match self {
            Self::Table(table) => table.pretend(password).await,
            Self::Pool(pool) => pool.pretend(password).await,
            Self::Endpoint(endpoint) => endpoint.pretend(password).await,
        }
    }

    async fn note_moved(&self, key: &str, id: &LegacyId, now: u64) -> Result<(), LookupError> {
        match self {
            Self::Table(table) => table.note_moved(key, id, now).await,
            Self::Pool(pool) => pool.note_moved(key, id, now).await,
            Self::Endpoint(endpoint) => endpoint.note_moved(key, id, now).await,
        }
    }
}
