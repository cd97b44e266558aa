//! Getting hold of a guest: by claiming him, or by taking over.

use records::{Change, EXPIRES_AT, Item, PK, SK, Store, WriteError, keys, number, text};

use super::{Claimant, Promotion, Report};
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::{Ledger, State};
use crate::mover::Hold;
use crate::outbox::Outbox;

/// How long an idempotency key is kept.
const KEY_LASTS_S: u64 = 7 * 24 * 60 * 60;

impl<S: Store, A: Accounts, O: Outbox, C: Clock> Promotion<S, A, O, C> {
    /// Makes sure that a key names one guest only.
    pub(super) async fn remember_key(&self, claimant: &Claimant) -> Result<(), Failure> {
        let Some(key) = &claimant.key else { return Ok(()) };
        let named = Item::from([
            (PK.to_owned(), text(keys(&claimant.owner))),
            (SK.to_owned(), text(key)),
            ("guest".to_owned(), text(claimant.guest.as_str())),
            (EXPIRES_AT.to_owned(), number(self.clock.now().saturating_add(KEY_LASTS_S))),
        ]);
        let mut tries = 0;
        loop {
            match self.store.write(&[Change::Create(named.clone())]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Stale(stale)) => {
                    let found = stale.into_iter().find_map(|stale| stale.found);
                    match found.as_ref().and_then(|item| item.get("guest")?.as_s().ok()) {
                        Some(guest) if guest == claimant.guest.as_str() => return Ok(()),
                        Some(_) => return Err(Failure::KeyReused),
                        None => tries = self.try_again(tries, "a key has no guest".to_owned()).await?,
                    }
                }
                Err(error) => tries = self.try_again(tries, error.to_string()).await?,
            }
        }
    }

    /// Gets hold of the guest's ledger for this call: claims him, or takes over
    /// what nobody is working on. `None` when there is nothing to do or no time;
    /// `shown` says then how it stands.
    pub(super) async fn get_hold(
        &self,
        claimant: &Claimant,
        stop_at_ms: u64,
        shown: &mut Option<Report>,
    ) -> Result<Option<Hold>, Failure> {
        loop {
            let Some(found) = self.read(&claimant.guest).await? else {
                match self.claim(claimant).await? {
                    Some(hold) => return Ok(Some(hold)),
                    None => continue,
                }
            };
            // INVARIANT: nothing of the ledger is told to anybody but the owner.
            if found.ledger.owner != claimant.owner {
                return Err(Failure::NotYours);
            }
            if found.ledger.mover == claimant.mover && found.ledger.state != State::Done {
                return Ok(Some(found));
            }
            *shown = Some(Report::of(&found.ledger));
            if found.ledger.state == State::Done || self.clock.now_ms() >= stop_at_ms {
                return Ok(None);
            }
            if found.ledger.is_held(self.clock.now()) {
                self.clock.sleep(100 + self.clock.jitter(200)).await;
            } else if let Some(hold) = self.take(found, &claimant.mover).await? {
                return Ok(Some(hold));
            }
        }
    }

    /// Enters the user as the guest's owner; `None` when somebody else may have.
    async fn claim(&self, claimant: &Claimant) -> Result<Option<Hold>, Failure> {
        let Claimant { guest, owner, tenant, mover, .. } = claimant;
        let now = self.clock.now();
        let hold = Hold::new(Ledger::claimed(guest.clone(), owner.clone(), tenant.clone(), mover.clone(), now));
        match self.store.write(&[Change::Create(hold.item.clone())]).await {
            Ok(()) => Ok(Some(hold)),
            Err(WriteError::Stale(_)) => Ok(None),
            Err(WriteError::Invalid(_)) => Err(Failure::unavailable("LedgerRefused", "the table does not take it")),
            Err(WriteError::Busy | WriteError::Unknown(_)) => {
                self.clock.sleep(25 + self.clock.jitter(50)).await;
                Ok(None)
            }
        }
    }

    /// Takes a ledger over; `None` when somebody else may have.
    pub(super) async fn take(&self, found: Hold, mover: &str) -> Result<Option<Hold>, Failure> {
        let next = Hold::new(found.ledger.held_by(mover, self.clock.now()));
        match self.store.write(&[Change::Replace { old: found.item, new: next.item.clone() }]).await {
            Ok(()) => Ok(Some(next)),
            Err(WriteError::Invalid(_)) => Err(Failure::unavailable("LedgerRefused", "the table does not take it")),
            Err(_) => {
                self.clock.sleep(25 + self.clock.jitter(50)).await;
                Ok(None)
            }
        }
    }
}
