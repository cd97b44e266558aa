//! How many passwords were tried, in DynamoDB.
//!
//! | item | `pk` | holds |
//! | --- | --- | --- |
//! | a name's | `USER#<sha256 of the name, hex>` | `count`, `waits`, `open_at`, `expires_at` |
//! | all names' in a minute | `ALL#<minutes since 1970>` | `count`, `expires_at` |
//!
//! Each attempt is counted before any password is looked at, by an atomic
//! addition. What the counts mean is decided by [`lockout`].

mod aws;

pub use aws::{AttemptsError, AttemptsTable};

use aws_lc_rs::digest;
use shared::lockout::{self, Record, Step};
use shared::migration::lockout::{overall_allows, window};

/// Whether an attempt may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Yes,
    /// There were too many for this name, which has to wait.
    NameWaits,
    /// There were too many for all names together in this minute.
    EverybodyWaits,
}

/// Counts attempts.
pub trait Attempts {
    /// Counts an attempt for a name's key and says whether it may go on.
    /// Without an answer it may not.
    fn charge(&self, key: &str, now: u64) -> impl Future<Output = Result<Allowed, AttemptsError>> + Send;

    /// Forgets a name's attempts, after one that was charged at `now` succeeded.
    fn forgive(&self, key: &str, now: u64) -> impl Future<Output = Result<(), AttemptsError>> + Send;
}

impl Attempts for AttemptsTable {
    async fn charge(&self, key: &str, now: u64) -> Result<Allowed, AttemptsError> {
        let pk = name_item(key);
        let record = self.count(&pk, 1, now + lockout::FORGET_AFTER_S).await?;
        if !self.name_allows(&pk, record, now).await? {
            return Ok(Allowed::NameWaits);
        }
        // After the name's: a flood on one name does not use up everybody's.
        let everybody = self.count(&minute_item(now), 1, now + 2 * 60).await?;
        let allowed = overall_allows(self.rules(), everybody.count);
        Ok(if allowed { Allowed::Yes } else { Allowed::EverybodyWaits })
    }

    async fn forgive(&self, key: &str, now: u64) -> Result<(), AttemptsError> {
        let name = name_item(key);
        let minute = minute_item(now);
        let (name, everybody) = tokio::join!(self.forget(&name), self.count(&minute, -1, now + 2 * 60));
        name.and(everybody.map(drop))
    }
}

impl AttemptsTable {
    async fn name_allows(&self, pk: &str, record: Record, now: u64) -> Result<bool, AttemptsError> {
        match lockout::after_charge(self.rules().of_a_name(), record, now) {
            Step::Go => Ok(true),
            Step::GoAndWait(wait) => self.begin_wait(pk, None, wait).await.map(|_| true),
            Step::Claim { ended, next } => self.begin_wait(pk, Some(ended), next).await,
            Step::RefuseAndWait(wait) => self.begin_wait(pk, None, wait).await.map(|_| false),
            Step::Refuse => Ok(false),
        }
    }
}

/// The table shows nobody's name.
fn name_item(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("USER#{hex}")
}

fn minute_item(now: u64) -> String {
    format!("ALL#{}", window(now))
}

#[cfg(test)]
mod tests;
