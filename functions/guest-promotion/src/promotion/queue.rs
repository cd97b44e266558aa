//! What the queue does about promotions that somebody has begun.

use records::Store;
use shared::guests::IdentityId;

use super::{Finished, Promotion, unread};
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::{LEASE_S, Ledger, State};
use crate::mover::Ended;
use crate::outbox::Outbox;

/// What the queue does next about a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Rest,
    /// It looks again after so many seconds.
    Again(u64),
}

impl<S: Store, A: Accounts, O: Outbox, C: Clock> Promotion<S, A, O, C> {
    /// Goes on with a promotion that somebody has begun, for the queue.
    pub async fn go_on(&self, guest: &IdentityId, mover: &str, time_ms: u64) -> Result<Next, Failure> {
        let stop_at_ms = self.clock.now_ms().saturating_add(time_ms);
        let Some(found) = self.read(guest).await? else { return Ok(Next::Rest) };
        if !self.is_open(&found.ledger).await? {
            return Ok(Next::Rest);
        }
        if found.ledger.is_held(self.clock.now()) {
            return Ok(Next::Again(LEASE_S));
        }
        let Some(hold) = self.take(found, mover).await? else { return Ok(Next::Again(1)) };
        if hold.ledger.state == State::Claimed {
            // Without a login nothing may move; the user's next call brings one.
            // A call that was slow learns now that it was taken for dead, and
            // reminds the queue once more before it goes on.
            self.release(hold).await;
            return Ok(Next::Rest);
        }
        match self.mover(stop_at_ms).run(hold).await? {
            Ended::Clean(hold, stuck) => match self.finish(hold, &stuck).await? {
                Some(Finished { is_told: true, .. }) => Ok(Next::Rest),
                _ => Ok(Next::Again(LEASE_S)),
            },
            Ended::Unfinished(hold) => {
                self.release(hold).await;
                Ok(Next::Again(1))
            }
            Ended::TakenOver => Ok(Next::Again(LEASE_S)),
        }
    }

    /// Whether there is anything left to do for the queue.
    async fn is_open(&self, ledger: &Ledger) -> Result<bool, Failure> {
        if ledger.state != State::Done || !ledger.announced || ledger.deletes_identity {
            return Ok(true);
        }
        let mut after: Option<String> = None;
        loop {
            let page = self.store.page(&records::guest(&ledger.guest), after.as_deref()).await;
            let page = page.map_err(unread)?;
            match (page.items.is_empty(), page.next) {
                (false, _) => return Ok(true),
                (true, None) => return Ok(false),
                (true, next) => after = next,
            }
        }
    }
}
