//! What is asked of the identity pool and of the user pool.

pub(crate) mod aws;

use std::error::Error;
use std::fmt;

use shared::guests::IdentityId;

/// A user's login, as the identity pool takes it: his ID token. It has no
/// `Debug`, so that it cannot be printed.
pub struct Login(String);

impl Login {
    /// A login with this ID token.
    pub fn new(id_token: impl Into<String>) -> Self {
        Self(id_token.into())
    }

    /// The token, for the call that it is made for.
    pub fn token(&self) -> &str {
        &self.0
    }
}

/// Why a login was not linked.
#[derive(Debug)]
pub enum LinkError {
    /// The guest's identity has another user's login.
    Taken,
    /// The identity pool does not take this login.
    LoginRefused,
    /// The pool did not answer. Trying again may help.
    Unreachable(Box<dyn Error + Send + Sync>),
}

/// Why an account was not changed. Trying again may help.
#[derive(Debug)]
pub struct AccountError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an account could not be changed")
    }
}

impl Error for AccountError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// The accounts of guests and users.
pub trait Accounts {
    /// Links a login to a guest's identity and says which identity the user has
    /// from now on: the guest's, which was kept, or his own, into which the
    /// guest's was merged. A guest who is merged already counts as linked, with
    /// the user's own identity. Linking twice does no harm.
    fn link(&self, guest: &IdentityId, login: &Login) -> impl Future<Output = Result<IdentityId, LinkError>> + Send;

    /// Adds a user, by his name in the pool, to a group. One who is in it stays.
    fn join(&self, user_name: &str, group: &str) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// Deletes an identity. One that is gone stays gone.
    fn delete(&self, identity: &IdentityId) -> impl Future<Output = Result<(), AccountError>> + Send;
}
