//! Moves a guest's records, batch by batch.
//!
//! Each batch is one transaction with the ledger's next revision in it. So
//! whoever learns that the ledger is not as he left it learns, too, whether his
//! batch was written, and that nobody else's can be written in his name. And
//! each record is taken only as it was read: what the guest changes meanwhile
//! is read again.

mod batch;

use records::{Change, EXPIRES_AT, Item, PROMOTION, Page, Stale, Store, WriteError, guest, ledger as ledger_key};
use shared::guests::GuestRules;

use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::moves::{Move, Part, Stuck};
use batch::{Batch, Waiting};

/// Troubles in a row that a mover puts up with before it leaves the rest to the
/// next one.
const MOST_TROUBLES: u32 = 8;

/// A ledger that is held, with the entry as it stands in the table.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) ledger: Ledger,
    pub(crate) item: Item,
}

impl Hold {
    pub(crate) fn new(ledger: Ledger) -> Self {
        let item = ledger.to_item();
        Self { ledger, item }
    }
}

/// How a move ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The guest has nothing left but what cannot be moved.
    Clean(Hold, Vec<String>),
    /// There was no time for more, or others kept getting in the way.
    Unfinished(Hold),
    /// Another mover has taken over.
    TakenOver,
}

/// Moves the records of one guest.
pub(crate) struct Mover<'a, S, C> {
    pub(crate) store: &'a S,
    pub(crate) clock: &'a C,
    pub(crate) rules: &'a GuestRules,
    /// When to stop, in milliseconds since 1970.
    pub(crate) stop_at_ms: u64,
}

/// How one look through the guest's partition ended.
enum Pass {
    /// Nothing was there but what is stuck.
    Clean,
    /// Something was, so the partition has to be looked at again.
    Again,
    Unfinished,
    TakenOver,
}

/// What became of a batch.
enum Outcome {
    Written,
    /// Not written; what has to be tried otherwise is back among the waiting.
    Replanned {
        /// Whether some records are not, because they have changed since.
        left_to_next_look: bool,
    },
    /// Nobody knows; the ledger was read again, and the partition has to be.
    ReadAgain,
    Unfinished,
    TakenOver,
}

impl<S: Store, C: Clock> Mover<'_, S, C> {
    /// Moves until the partition is empty, the time is up or another takes over.
    pub(crate) async fn run(&self, mut hold: Hold) -> Result<Ended, Failure> {
        let (mut waiting, mut troubles) = (Waiting::default(), 0);
        loop {
            match self.pass(&mut hold, &mut waiting, &mut troubles).await? {
                Pass::Clean => {
                    self.hold_on_to(&hold.ledger, waiting.stuck()).await;
                    let stuck = waiting.stuck().iter().map(|stuck| stuck.name.clone()).collect();
                    return Ok(Ended::Clean(hold, stuck));
                }
                Pass::Again => {}
                Pass::Unfinished => return Ok(Ended::Unfinished(hold)),
                Pass::TakenOver => return Ok(Ended::TakenOver),
            }
        }
    }

    /// Looks through the partition once, from the beginning.
    async fn pass(&self, hold: &mut Hold, waiting: &mut Waiting, troubles: &mut u32) -> Result<Pass, Failure> {
        waiting.begin();
        let (mut saw_any, mut after) = (false, None);
        loop {
            let Page { items, next } = self.page(hold, after.as_deref()).await?;
            waiting.plan(&hold.ledger, items);
            while let Some(batch) = waiting.next_batch() {
                match self.write(hold, batch, waiting, troubles).await? {
                    Outcome::Written => saw_any = true,
                    Outcome::Replanned { left_to_next_look } => saw_any |= left_to_next_look,
                    Outcome::ReadAgain => return Ok(Pass::Again),
                    Outcome::Unfinished => return Ok(Pass::Unfinished),
                    Outcome::TakenOver => return Ok(Pass::TakenOver),
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(if saw_any { Pass::Again } else { Pass::Clean })
    }

    async fn page(&self, hold: &Hold, after: Option<&str>) -> Result<Page, Failure> {
        let partition = guest(&hold.ledger.guest);
        let mut attempt = 0;
        loop {
            match self.store.page(&partition, after).await {
                Ok(page) => return Ok(page),
                Err(error) if attempt >= MOST_TROUBLES || self.time_is_up() => {
                    return Err(Failure::unavailable("RecordsUnread", error));
                }
                Err(_) => attempt = self.wait(attempt).await,
            }
        }
    }

    /// Writes one batch with the ledger's next revision.
    async fn write(
        &self,
        hold: &mut Hold,
        batch: Batch,
        waiting: &mut Waiting,
        troubles: &mut u32,
    ) -> Result<Outcome, Failure> {
        if self.time_is_up() || *troubles > MOST_TROUBLES {
            return Ok(Outcome::Unfinished);
        }
        let next = Hold::new(hold.ledger.after(batch.counts(), self.clock.now()));
        let (parts, mut changes) = batch.changes(self.rules, &next.ledger);
        changes.push(Change::Replace { old: hold.item.clone(), new: next.item.clone() });
        match self.store.write(&changes).await {
            Ok(()) => {
                (*hold, *troubles) = (next, 0);
                Ok(Outcome::Written)
            }
            Err(WriteError::Stale(stale)) if stale.iter().any(|stale| stale.index == parts.len()) => {
                self.reload(hold, troubles).await
            }
            Err(WriteError::Stale(stale)) => {
                let left_to_next_look = self.replan(&hold.ledger, batch, &parts, stale, waiting);
                Ok(Outcome::Replanned { left_to_next_look })
            }
            Err(WriteError::Busy) => {
                *troubles = self.wait(*troubles).await;
                waiting.put_back(batch.moves);
                Ok(Outcome::Replanned { left_to_next_look: false })
            }
            Err(WriteError::Invalid(positions)) => {
                waiting.take_apart(batch, &parts, &positions);
                Ok(Outcome::Replanned { left_to_next_look: false })
            }
            Err(WriteError::Unknown(_)) => {
                *troubles = self.wait(*troubles).await;
                self.reload(hold, troubles).await
            }
        }
    }

    /// Plans anew what met a record of the user's, and leaves to the next look
    /// what was changed since; says whether there was any.
    fn replan(
        &self,
        ledger: &Ledger,
        batch: Batch,
        parts: &[(usize, Part)],
        stale: Vec<Stale>,
        waiting: &mut Waiting,
    ) -> bool {
        let mut moves: Vec<Option<Move>> = batch.moves.into_iter().map(Some).collect();
        let mut left_to_next_look = false;
        for Stale { index, found } in stale {
            let Some((number, part)) = parts.get(index) else { continue };
            let Some(slot) = moves.get_mut(*number) else { continue };
            *slot = match (slot.take(), part, found) {
                (Some(planned), Part::Gift, Some(users)) => {
                    waiting.keep_or_stuck(planned.beside(self.rules, ledger, users))
                }
                _ => {
                    left_to_next_look = true;
                    None
                }
            };
        }
        waiting.put_back(moves.into_iter().flatten());
        left_to_next_look
    }

    /// Reads the ledger again after something went wrong with it.
    async fn reload(&self, hold: &mut Hold, troubles: &mut u32) -> Result<Outcome, Failure> {
        *troubles += 1;
        let read = self.store.read(&ledger_key(&hold.ledger.guest), PROMOTION).await;
        let item = match read {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(Outcome::TakenOver),
            Err(error) if *troubles > MOST_TROUBLES => return Err(Failure::unavailable("RecordsUnread", error)),
            Err(_) => {
                *troubles = self.wait(*troubles).await;
                // As it was: the next write will say whether it still is.
                return Ok(Outcome::ReadAgain);
            }
        };
        let ledger = Ledger::from_item(&hold.ledger.guest, &item)?;
        if ledger.mover != hold.ledger.mover {
            return Ok(Outcome::TakenOver);
        }
        *hold = Hold { ledger, item };
        Ok(Outcome::ReadAgain)
    }

    /// Takes the end away from records that cannot be moved, so that they wait
    /// for whoever mends them. If that fails, the next call does it. What had
    /// ended when the guest was claimed may go: without its end it would look like
    /// what the user gets.
    async fn hold_on_to(&self, ledger: &Ledger, stuck: &[Stuck]) {
        for Stuck { source: old, .. } in stuck.iter().filter(|stuck| stuck.ends_after(ledger.claimed_at)) {
            let mut new = old.clone();
            new.remove(EXPIRES_AT);
            if let Err(error) = self.store.write(&[Change::Replace { old: old.clone(), new }]).await {
                tracing::warn!(code = "StuckRecordEnds", cause = %error, "a record that cannot be moved keeps its end");
            }
        }
    }

    fn time_is_up(&self) -> bool {
        self.clock.now_ms() >= self.stop_at_ms
    }

    /// Waits a little longer each time.
    async fn wait(&self, troubles: u32) -> u32 {
        let longest = 25_u64.saturating_mul(1 << troubles.min(5));
        self.clock.sleep(longest / 2 + self.clock.jitter(longest)).await;
        troubles + 1
    }
}
