//! The old system as another user pool, which checks passwords itself.

mod aws;

pub(crate) use aws::OldPool;

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::migration::{Found, LegacyId, Proof};
use shared::password::Password;
use zeroize::Zeroizing;

use crate::{LegacyDirectory, LookupError, OldAnswer, Question};

/// Another user pool and the app client that signs in to it.
pub struct PoolDirectory {
    pool: OldPool,
    client_secret: Option<Zeroizing<String>>,
}

/// How the old pool took a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// It is right.
    Right,
    /// It is right, and the pool wants a new one.
    RightButTemporary,
    /// It is wrong; or there is no such user, which a careful pool does not say.
    Wrong,
    /// There is no such user.
    Nobody,
    /// The pool would not check it, for the reason with this code.
    Unchecked(&'static str),
}

impl PoolDirectory {
    /// A directory in this pool. The secret is its app client's, if it has one.
    pub fn new(pool: OldPool, client_secret: Option<Zeroizing<String>>) -> Self {
        Self { pool, client_secret }
    }

    async fn found(&self, user_name: &str) -> Result<Found, LookupError> {
        Ok(match self.pool.user(user_name).await? {
            None => Found::Nobody,
            Some(user) => user.read().map_or(Found::Unreadable, Found::One),
        })
    }
}

impl LegacyDirectory for PoolDirectory {
    async fn find(&self, question: Question<'_>) -> Result<OldAnswer, LookupError> {
        let Some(password) = question.password else {
            return Ok(OldAnswer { found: self.found(question.user_name).await?, proof: Proof::Unchecked });
        };
        let hash =
            self.client_secret.as_deref().map(|secret| secret_hash(secret, question.user_name, self.pool.client_id()));
        let (found, proof) = match self.pool.sign_in(question.user_name, password, hash).await? {
            SignIn::Right => (self.found(question.user_name).await?, Proof::Right),
            SignIn::RightButTemporary => {
                let mut found = self.found(question.user_name).await?;
                if let Found::One(user) = &mut found {
                    user.must_reset = true;
                }
                (found, Proof::Right)
            }
            SignIn::Wrong => (Found::Nobody, Proof::Wrong),
            SignIn::Nobody => (Found::Nobody, Proof::Unchecked),
            SignIn::Unchecked(code) => (Found::Nobody, Proof::Unusable(code)),
        };
        Ok(OldAnswer { found, proof })
    }

    /// Nothing: the time is the old pool's, and here nobody asks it.
    async fn pretend(&self, _: &Arc<Password>) {}

    /// Nothing: the old pool stays as it is.
    async fn note_moved(&self, _: &str, _: &LegacyId, _: u64) -> Result<(), LookupError> {
        Ok(())
    }
}

/// What an app client with a secret has to send along.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>
fn secret_hash(secret: &str, user_name: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{user_name}{client_id}").as_bytes()))
}

#[cfg(test)]
mod tests;
