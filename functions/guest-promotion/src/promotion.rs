//! A promotion, from the claim to the last record.

mod hold;
mod queue;

use std::collections::BTreeSet;

use records::{Change, PROMOTION, ReadError, Store, WriteError, ledger as ledger_key};
use shared::guests::{GuestRules, IdentityId};
use shared::names::{Subject, TenantId};

use crate::accounts::{Accounts, LinkError, Login};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::{Counts, Ledger, State};
use crate::mover::{Ended, Hold, Mover};
use crate::outbox::{Outbox, Promoted};

pub use queue::Next;

/// Promotes guests. Everything it knows lies in the store; what it holds in
/// memory may be lost at any time.
#[derive(Debug)]
pub struct Promotion<S, A, O, C> {
    /// The records table.
    pub store: S,
    /// The pools.
    pub accounts: A,
    /// Where events and notes go.
    pub outbox: O,
    /// The clock.
    pub clock: C,
    /// What the operator says of guests.
    pub rules: GuestRules,
}

/// A user who takes a guest. That he may is proved already, unless the ledger
/// says that the guest is his.
pub struct Claimant {
    /// The guest.
    pub guest: IdentityId,
    /// The user.
    pub owner: Subject,
    /// The tenant he acts in.
    pub tenant: Option<TenantId>,
    /// His name in the user pool, for groups.
    pub user_name: String,
    /// His login.
    pub login: Login,
    /// The name he gave this request; with it he can have no other guest.
    pub key: Option<String>,
    /// A name for this call that no other call has.
    pub mover: String,
}

/// How a promotion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The user's identity; `None` before Cognito has said which one it is.
    pub identity: Option<IdentityId>,
    /// How far it has come.
    pub progress: Progress,
    /// What has moved. Of a finished promotion it is the same for ever.
    pub counts: Counts,
}

/// How far a promotion has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything has moved.
    Done,
    /// It goes on, by the next call or by the queue.
    Moving,
    /// Everything has moved but these records, which the table does not take.
    Incomplete(Vec<String>),
}

/// A promotion that is through, as far as it can be.
struct Finished {
    report: Report,
    /// Whether nothing is left to be told to others.
    is_told: bool,
}

/// Tries of one write or read before the call is given up.
const MOST_TRIES: u32 = 8;

/// When the queue looks at a promotion that nobody may be working on any more.
const REMIND_AFTER_S: u64 = 60;

impl<S: Store, A: Accounts, O: Outbox, C: Clock> Promotion<S, A, O, C> {
    /// Promotes a guest, as far as `time_ms` lets it. Asked again, it goes on or
    /// answers what it answered.
    pub async fn promote(&self, claimant: &Claimant, time_ms: u64) -> Result<Report, Failure> {
        let stop_at_ms = self.clock.now_ms().saturating_add(time_ms);
        self.remember_key(claimant).await?;
        let mut shown = None;
        while let Some(hold) = self.get_hold(claimant, stop_at_ms, &mut shown).await? {
            if let Some(report) = self.work(hold, claimant, stop_at_ms).await? {
                return Ok(report);
            }
        }
        shown.ok_or_else(|| Failure::unavailable("PromotionBusy", "another call holds this guest"))
    }

    /// How the promotion of a guest stands; `None` while nobody has claimed him.
    pub async fn ledger(&self, guest: &IdentityId) -> Result<Option<Ledger>, Failure> {
        Ok(self.read(guest).await?.map(|hold| hold.ledger))
    }

    /// Goes on from where the ledger stands; `None` when another has taken over.
    async fn work(&self, hold: Hold, claimant: &Claimant, stop_at_ms: u64) -> Result<Option<Report>, Failure> {
        let hold = match hold.ledger.state {
            State::Claimed => match self.link(hold, claimant).await? {
                Some(hold) => hold,
                None => return Ok(None),
            },
            State::Moving | State::Done => hold,
        };
        match self.mover(stop_at_ms).run(hold).await? {
            Ended::Clean(hold, stuck) => {
                let Some(finished) = self.finish(hold, &stuck).await? else { return Ok(None) };
                if !finished.is_told {
                    self.remind(&claimant.guest, 1).await;
                }
                Ok(Some(finished.report))
            }
            Ended::Unfinished(hold) => {
                let report = Report::of(&hold.ledger);
                self.release(hold).await;
                self.remind(&claimant.guest, 1).await;
                Ok(Some(report))
            }
            Ended::TakenOver => Ok(None),
        }
    }

    /// Links the login, gives the groups, and lets the records move.
    async fn link(&self, hold: Hold, claimant: &Claimant) -> Result<Option<Hold>, Failure> {
        let identity = match self.accounts.link(&claimant.guest, &claimant.login).await {
            Ok(identity) => identity,
            Err(LinkError::Taken) => return self.give_up(hold, Failure::IdentityTaken).await,
            Err(LinkError::LoginRefused) => return self.give_up(hold, Failure::LoginRefused).await,
            Err(LinkError::Unreachable(cause)) => {
                self.release(hold).await;
                return Err(Failure::Unavailable { code: "IdentityPoolUnreachable", cause });
            }
        };
        let groups: BTreeSet<&String> = self.rules.groups.iter().collect();
        for group in groups {
            if let Err(error) = self.accounts.join(&claimant.user_name, group).await {
                self.release(hold).await;
                return Err(Failure::unavailable("GroupNotJoined", error));
            }
        }
        // INVARIANT: from here on it is finished, and the event is sent, also if
        // this call dies. So nothing moves before the queue knows of it.
        if let Err(error) = self.outbox.remind(&claimant.guest, REMIND_AFTER_S).await {
            self.release(hold).await;
            return Err(Failure::unavailable("ReminderNotSent", error));
        }
        let deletes_identity = self.rules.delete_merged_identities && identity != claimant.guest;
        self.advance(hold, |ledger| {
            ledger.state = State::Moving;
            ledger.identity = Some(identity.clone());
            ledger.deletes_identity = deletes_identity;
        })
        .await
    }

    /// Takes a claim back with which nothing has moved, so that the guest is free
    /// for whom he belongs to.
    async fn give_up(&self, hold: Hold, failure: Failure) -> Result<Option<Hold>, Failure> {
        let mut tries = 0;
        loop {
            match self.store.write(&[Change::Remove(hold.item.clone())]).await {
                Ok(()) | Err(WriteError::Stale(_) | WriteError::Invalid(_)) => return Err(failure),
                Err(_) if tries >= MOST_TRIES => return Err(failure),
                Err(error) => tries = self.try_again(tries, error.to_string()).await?,
            }
        }
    }

    /// Ends a promotion whose records have moved, as far as they could; `None`
    /// when another has taken over.
    async fn finish(&self, hold: Hold, stuck: &[String]) -> Result<Option<Finished>, Failure> {
        if hold.ledger.state == State::Moving && !stuck.is_empty() {
            let report = Report { progress: Progress::Incomplete(stuck.to_vec()), ..Report::of(&hold.ledger) };
            self.release(hold).await;
            return Ok(Some(Finished { report, is_told: true }));
        }
        let now = self.clock.now();
        let done = self.advance(hold, |ledger| {
            ledger.state = State::Done;
            ledger.finished_at = ledger.finished_at.or(Some(now));
            ledger.lease_until = 0;
        });
        let Some(hold) = done.await? else { return Ok(None) };
        let report = Report::of(&hold.ledger);
        // The promotion stands; what is still to be told can be told later.
        let told = self.settle(hold).await;
        if let Err(failure) = &told {
            tracing::warn!(code = failure.code(), "a promotion is finished and not yet told");
        }
        Ok(Some(Finished { report, is_told: told.is_ok() }))
    }

    /// Does what is left once a promotion is finished: the event, and the
    /// identity that nobody needs any more.
    async fn settle(&self, mut hold: Hold) -> Result<(), Failure> {
        if let Some(event) = Promoted::of(&hold.ledger).filter(|_| !hold.ledger.announced) {
            let sent = self.outbox.announce(&event).await;
            sent.map_err(|error| Failure::unavailable("EventNotSent", error))?;
            match self.advance(hold, |ledger| ledger.announced = true).await? {
                Some(next) => hold = next,
                None => return Ok(()),
            }
        }
        if hold.ledger.deletes_identity {
            let deleted = self.accounts.delete(&hold.ledger.guest).await;
            deleted.map_err(|error| Failure::unavailable("IdentityNotDeleted", error))?;
            self.advance(hold, |ledger| ledger.deletes_identity = false).await?;
        }
        Ok(())
    }

    /// Lets others go on at once. If that fails, they go on a little later.
    async fn release(&self, hold: Hold) {
        let free = Hold::new(hold.ledger.next(|ledger| ledger.lease_until = 0));
        drop(self.store.write(&[Change::Replace { old: hold.item, new: free.item }]).await);
    }

    async fn remind(&self, guest: &IdentityId, delay_s: u64) {
        if let Err(error) = self.outbox.remind(guest, delay_s).await {
            let cause = shell::chain(&error);
            tracing::warn!(code = "ReminderNotSent", cause, "only the user's next call will go on");
        }
    }

    /// Writes the ledger's next revision, once; `None` when another has taken over.
    async fn advance(&self, mut hold: Hold, change: impl Fn(&mut Ledger)) -> Result<Option<Hold>, Failure> {
        let mut tries = 0;
        loop {
            let next = Hold::new(hold.ledger.next(&change));
            let error = match self.store.write(&[Change::Replace { old: hold.item, new: next.item.clone() }]).await {
                Ok(()) => return Ok(Some(next)),
                Err(error) => error,
            };
            tries = self.try_again(tries, error.to_string()).await?;
            match self.read(&next.ledger.guest).await? {
                // It was written, and the answer was lost.
                Some(found) if found.ledger == next.ledger => return Ok(Some(found)),
                Some(found) if found.ledger.mover == next.ledger.mover => hold = found,
                _ => return Ok(None),
            }
        }
    }

    /// The ledger as it stands.
    async fn read(&self, guest: &IdentityId) -> Result<Option<Hold>, Failure> {
        let mut tries = 0;
        loop {
            match self.store.read(&ledger_key(guest), PROMOTION).await {
                Ok(None) => return Ok(None),
                Ok(Some(item)) => return Ok(Some(Hold { ledger: Ledger::from_item(guest, &item)?, item })),
                Err(error) if tries >= MOST_TRIES => return Err(unread(error)),
                Err(error) => tries = self.try_again(tries, error.to_string()).await?,
            }
        }
    }

    /// Waits before the next try, or gives up.
    async fn try_again(&self, tries: u32, cause: String) -> Result<u32, Failure> {
        if tries >= MOST_TRIES {
            return Err(Failure::unavailable("RecordsUnwritten", cause));
        }
        let longest = 25_u64.saturating_mul(1 << tries.min(5));
        self.clock.sleep(longest / 2 + self.clock.jitter(longest)).await;
        Ok(tries + 1)
    }

    fn mover(&self, stop_at_ms: u64) -> Mover<'_, S, C> {
        Mover { store: &self.store, clock: &self.clock, rules: &self.rules, stop_at_ms }
    }
}

impl Report {
    /// How a promotion stands by its ledger.
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let progress = if ledger.state == State::Done { Progress::Done } else { Progress::Moving };
        Self { identity: ledger.identity.clone(), progress, counts: ledger.counts }
    }
}

fn unread(error: ReadError) -> Failure {
    Failure::unavailable("RecordsUnread", error)
}
