//! Where passwords are compared with hashes: on a thread of its own, one at a
//! time.
//!
//! A comparison takes a whole core and up to 128 MiB. An instance gets one
//! event at a time, but a comparison goes on when its sign-in has run out of
//! time; the next one waits for it, as long as its own time lasts.

use std::sync::Arc;

use shared::migration::Proof;
use shared::password::{Check, Decoy, HashError, HashRules, Keys, Password, StoredHash};
use tokio::sync::Semaphore;

use crate::LookupError;

/// Compares passwords with hashes.
#[derive(Clone)]
pub struct Hashing {
    inner: Arc<Inner>,
    turn: Arc<Semaphore>,
}

struct Inner {
    rules: HashRules,
    keys: Keys,
    decoy: Decoy,
}

impl Hashing {
    /// What compares by these rules and keys.
    pub fn new(rules: HashRules, keys: Keys) -> Result<Self, HashError> {
        let decoy = Decoy::new(&rules)?;
        Ok(Self { inner: Arc::new(Inner { rules, keys, decoy }), turn: Arc::new(Semaphore::new(1)) })
    }

    /// Compares a password with a hash. Without one, and with one that cannot
    /// be used, a decoy takes as long.
    pub async fn check(&self, hash: Option<String>, password: &Arc<Password>) -> Result<Proof, LookupError> {
        let (inner, password) = (Arc::clone(&self.inner), Arc::clone(password));
        self.take_turn(move || inner.check(hash.as_deref(), &password)).await
    }

    /// Waits for the turn and works. Whoever gives up waiting leaves the queue.
    async fn take_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, LookupError> {
        let lost = |cause| LookupError::new("HashingLost", cause);
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| lost("the queue is closed"))?;
        let worker = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            work()
        });
        worker.await.map_err(|_| lost("the thread ended"))
    }
}

impl Inner {
    fn check(&self, hash: Option<&str>, password: &Password) -> Proof {
        let check = match hash.map(StoredHash::read) {
            None => None,
            Some(Err(error)) => Some(Check::Unusable(error)),
            Some(Ok(hash)) => Some(hash.check(&self.rules, &self.keys, password)),
        };
        match check {
            Some(Check::Right) => Proof::Right,
            Some(Check::RightButWeak) => Proof::RightButWeak,
            Some(Check::Wrong) => Proof::Wrong,
            Some(Check::Unusable(error)) => {
                self.decoy.spend(&self.keys, password);
                Proof::Unusable(error.code())
            }
            None => {
                self.decoy.spend(&self.keys, password);
                Proof::Unchecked
            }
        }
    }
}
