//! A table that fails as DynamoDB and the network do, at moments that a seed
//! decides.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::schedule::{Random, Turns};
use crate::{Change, Item, Page, ReadError, Store, WriteError};

/// How often something happens, of 1,000 calls. Nothing is refused without
/// reason: a condition that holds is never said to be stale, and what can be
/// written is never said to be invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Another's transaction is in the way, or the table is busy.
    pub busy: u64,
    /// No answer comes, and nothing was written.
    pub lost_before: u64,
    /// No answer comes, but all was written.
    pub lost_after: u64,
    /// No answer comes, and what was asked is done some calls later, within ten
    /// seconds, should it still be possible then.
    pub late: u64,
    /// Something cannot be read.
    pub unreadable: u64,
    /// The caller dies before the call, with nothing done.
    pub killed_before: u64,
    /// The caller dies after the call, with all done.
    pub killed_after: u64,
    /// The call takes up to [`Rates::delay_ms`].
    pub delayed: u64,
    /// The longest delay, in ms.
    pub delay_ms: u64,
}

/// What a network has in it, for all who share it.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<Inside>>);

#[derive(Debug)]
struct Inside {
    random: Random,
    /// Writes, and until when they may arrive, in ms since the beginning.
    under_way: Vec<(u64, Vec<Change>)>,
    kills_left: u32,
}

impl Network {
    /// A network whose faults a seed decides, and which kills this often at most.
    pub fn new(random: Random, most_kills: u32) -> Self {
        Self(Arc::new(Mutex::new(Inside { random, under_way: Vec::new(), kills_left: most_kills })))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happens(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.inside().random.happens(per_mille)
    }

    fn kills(&self, per_mille: u64) -> bool {
        let mut inside = self.inside();
        let kills = per_mille > 0 && inside.random.happens(per_mille) && inside.kills_left > 0;
        inside.kills_left -= u32::from(kills);
        kills
    }

    /// What arrives now of all that is under way.
    fn arriving(&self, now_ms: u64) -> Option<Vec<Change>> {
        let mut inside = self.inside();
        inside.under_way.retain(|(until_ms, _)| now_ms <= *until_ms);
        if inside.under_way.is_empty() || inside.random.happens(750) {
            return None;
        }
        inside.under_way.pop().map(|(_, changes)| changes)
    }

    /// Delivers all that is still under way.
    pub async fn settle(&self, store: &impl Store) {
        loop {
            let Some((_, changes)) = self.inside().under_way.pop() else { break };
            drop(store.write(&changes).await);
        }
    }
}

/// How long a write may be under way, in ms.
const LONGEST_WAY_MS: u64 = 10_000;

/// A store behind a network.
#[derive(Clone)]
pub struct Faulty<S> {
    store: S,
    network: Network,
    turns: Turns,
    rates: Rates,
    /// When the caller dies in any case, in ms since the beginning.
    dies_at_ms: u64,
}

impl<S> fmt::Debug for Faulty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("rates", &self.rates).finish_non_exhaustive()
    }
}

impl<S: Store> Faulty<S> {
    /// This store, reached through a network with these faults.
    pub fn new(store: S, network: Network, turns: Turns, rates: Rates) -> Self {
        Self { store, network, turns, rates, dies_at_ms: u64::MAX }
    }

    /// The same, for a caller who has only so much time: then he makes no further
    /// call, like a function that has timed out.
    pub fn for_at_most(self, ms: u64) -> Self {
        Self { dies_at_ms: self.turns.elapsed_ms().saturating_add(ms), ..self }
    }

    /// What happens before a call: a turn passes, somebody's late write arrives,
    /// the caller dies.
    pub async fn before(&self) {
        if self.network.happens(self.rates.delayed) {
            let ms = self.network.inside().random.draw() % self.rates.delay_ms.max(1);
            self.turns.sleep(ms).await;
        } else {
            self.turns.pass().await;
        }
        if let Some(changes) = self.network.arriving(self.turns.elapsed_ms()) {
            drop(self.store.write(&changes).await);
        }
        if self.turns.elapsed_ms() >= self.dies_at_ms || self.network.kills(self.rates.killed_before) {
            self.turns.die().await;
        }
    }

    /// What happens after a call: the caller dies.
    pub async fn after(&self) {
        if self.network.kills(self.rates.killed_after) {
            self.turns.die().await;
        }
    }

    /// Whether a call that is not the store's fails before it is made, or its
    /// answer is lost.
    pub fn loses(&self) -> (bool, bool) {
        (self.network.happens(self.rates.lost_before), self.network.happens(self.rates.lost_after))
    }

    fn is_readable(&self) -> Result<(), ReadError> {
        if self.network.happens(self.rates.unreadable) { Err(ReadError("a fault".into())) } else { Ok(()) }
    }
}

impl<S: Store + Sync> Store for Faulty<S> {
    async fn read(&self, pk: &str, sk: &str) -> Result<Option<Item>, ReadError> {
        self.before().await;
        self.is_readable()?;
        let found = self.store.read(pk, sk).await;
        self.after().await;
        found
    }

    async fn page(&self, pk: &str, after: Option<&str>) -> Result<Page, ReadError> {
        self.before().await;
        self.is_readable()?;
        let found = self.store.page(pk, after).await;
        self.after().await;
        found
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        self.before().await;
        let lost = || WriteError::Unknown("a fault".into());
        if self.network.happens(self.rates.busy) {
            return Err(WriteError::Busy);
        }
        if self.network.happens(self.rates.lost_before) {
            return Err(lost());
        }
        if self.network.happens(self.rates.late) {
            let until_ms = self.turns.elapsed_ms().saturating_add(LONGEST_WAY_MS);
            self.network.inside().under_way.push((until_ms, changes.to_vec()));
            return Err(lost());
        }
        let written = self.store.write(changes).await;
        self.after().await;
        // An answer that is lost may have been any.
        if self.network.happens(self.rates.lost_after) { Err(lost()) } else { written }
    }
}
