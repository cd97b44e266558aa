//! The users of the pool, as far as linking asks for them.

mod aws;

pub use aws::PoolAccounts;

use std::error::Error;
use std::fmt;

use shared::address::EmailAddress;
use shared::linking::{Candidate, Found, Link, NewUser};
use shell::{Failure, PublicText};

/// What linking asks of the pool. It is asked only where a provider's rules
/// say that accounts are linked.
pub trait Accounts {
    /// Finds the users who have this address, in two ways at the same time.
    fn find(
        &self,
        pool: PoolId<'_>,
        address: &EmailAddress,
    ) -> impl Future<Output = Result<Found, AccountsError>> + Send;

    /// The user as he is now.
    fn user(&self, pool: PoolId<'_>, name: &str) -> impl Future<Output = Result<Candidate, AccountsError>> + Send;

    /// Makes a link.
    fn link(&self, pool: PoolId<'_>, link: &Link) -> impl Future<Output = Result<LinkAnswer, AccountsError>> + Send;

    /// Makes a user who cannot sign in yet, and gives back his name in the pool.
    fn create(&self, pool: PoolId<'_>, user: &NewUser) -> impl Future<Output = Result<String, AccountsError>> + Send;

    /// Confirms a user whom [`Self::create`] has made, by a password that nobody
    /// knows.
    fn confirm(&self, pool: PoolId<'_>, name: &str) -> impl Future<Output = Result<(), AccountsError>> + Send;
}

/// The pool that an event comes from.
#[derive(Clone, Copy, Debug)]
pub struct PoolId<'a>(pub &'a str);

/// What the pool answers when a link is to be made.
#[derive(Debug)]
pub enum LinkAnswer {
    /// It is there.
    Made,
    /// The pool refuses it, for a reason that its words do not tell for certain.
    Refused(Box<dyn Error + Send + Sync>),
}

/// Why the pool gave no answer. A "no" is an answer and is not one of these.
#[derive(Debug)]
pub enum AccountsError {
    /// The pool did not answer, or refused the call.
    Unreachable(Box<dyn Error + Send + Sync>),
    /// The list of users did not come to an end.
    ListTooLong,
    /// Somebody else has made a user with the address meanwhile.
    MadeMeanwhile(Box<dyn Error + Send + Sync>),
    /// The function runs without a client, and was asked for users all the same.
    NotConfigured,
}

impl AccountsError {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "PoolUnreachable",
            Self::ListTooLong => "PoolListTooLong",
            Self::MadeMeanwhile(_) => "PoolUserMadeMeanwhile",
            Self::NotConfigured => "PoolNotConfigured",
        }
    }
}

impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable(_) => "the pool did not answer",
            Self::ListTooLong => "the list of users did not come to an end",
            Self::MadeMeanwhile(_) => "somebody else has made the user",
            Self::NotConfigured => "the function runs without a client of the pool",
        })
    }
}

impl Error for AccountsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable(cause) | Self::MadeMeanwhile(cause) => Some(cause.as_ref()),
            Self::ListTooLong | Self::NotConfigured => None,
        }
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Self {
        Self::new(error.code(), PublicText::TryAgain).caused_by(error)
    }
}
