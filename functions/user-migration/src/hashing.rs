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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use shared::password::Kind;

    use super::*;

    fn hashing(kinds: &[Kind], decoy: &str) -> Result<Hashing, HashError> {
        let rules = HashRules { kinds: kinds.to_vec(), decoy: decoy.to_owned(), bcrypt_truncates: false };
        Hashing::new(rules, Keys::default())
    }

    #[tokio::test]
    async fn fifty_at_once_are_worked_on_one_by_one() {
        let hashing = hashing(&[Kind::Digest], "digest").unwrap();
        let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (hashing, running, most) = (hashing.clone(), Arc::clone(&running), Arc::clone(&most));
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                tokio::spawn(async move { hashing.take_turn(work).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 1, "M18");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_still_has_its_turn() {
        let hashing = hashing(&[Kind::Digest], "digest").unwrap();
        let (let_go, held) = mpsc::channel::<()>();
        let mut first = Box::pin(hashing.take_turn(move || held.recv().is_ok()));
        // Started, then given up, as at a deadline.
        std::future::poll_fn(|context| std::task::Poll::Ready(first.as_mut().poll(context).is_pending())).await;
        drop(first);
        assert_eq!(hashing.turn.available_permits(), 0, "M18");
        let second = tokio::spawn({
            let hashing = hashing.clone();
            async move { hashing.take_turn(|| 7).await.unwrap() }
        });
        let_go.send(()).unwrap();
        assert_eq!(second.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_decoy_of_another_kind_is_refused() {
        assert!(hashing(&[Kind::Bcrypt], "digest").is_err());
        assert!(hashing(&[Kind::Bcrypt], "bcrypt:31").is_err());
    }
}
