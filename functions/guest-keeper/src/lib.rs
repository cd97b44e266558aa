//! Keeps guests within their limits, and gives what they leave behind an end.
//!
//! The records table's stream tells of every write. A guest who was promoted
//! already is handed over to the mover, so that what he wrote too late follows;
//! of every other one all records are looked at.

mod aws;
mod guest;
mod settings;
mod wire;

pub use aws::PromotionQueue;
pub use settings::Settings;

use std::collections::BTreeMap;
use std::time::Duration;

use records::{PROMOTION, Records, Store};
use shared::guests::{GuestRules, IdentityId};
use shell::{Answer, Failure, Handler, Invocation, PublicText, chain};
use tokio::time::{Instant, timeout_at};

use crate::guest::{Guest, Unfinished, keep};
use crate::wire::{Batch, Change, ItemFailure, Reply, Written};

/// The IAM actions that this function needs on the table and the queue. Those of
/// the event source are not among them. It deletes only what has no room for an end.
pub const ACTIONS: &[&str] =
    &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "sqs:SendMessage"];

/// How long guests are looked at; whoever is left over comes with the next try.
const WORK: Duration = Duration::from_secs(20);

/// How many pages of ended records are read of one guest beside what he may keep.
/// DynamoDB measures a page before it leaves ended records out.
const MORE_PAGES: u64 = 256;

/// DynamoDB's page, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE_BYTES: u64 = 1024 * 1024;

/// Where promotions go on.
pub trait Promotions {
    /// Has a guest's promotion go on. Asking twice does no harm.
    fn go_on(&self, identity: &IdentityId) -> impl Future<Output = Result<(), Unsent>> + Send;
}

/// Why a promotion could not be handed over.
pub type Unsent = Box<dyn std::error::Error + Send + Sync>;

/// The function.
#[derive(Debug)]
pub struct GuestKeeper<P> {
    rules: GuestRules,
    records: Records,
    promotions: P,
    most_pages: u64,
    work: Duration,
}

impl<P: Promotions> GuestKeeper<P> {
    /// A function that keeps guests by these rules.
    pub fn new(rules: GuestRules, records: Records, promotions: P) -> Self {
        let most_pages = rules.most_bytes / PAGE_BYTES + MORE_PAGES;
        Self { rules, records, promotions, most_pages, work: WORK }
    }
}

impl<P: Promotions> Handler for GuestKeeper<P> {
    const NAME: &'static str = "guest-keeper";

    /// Nobody waits for it, and a batch may tell of many guests. The function's
    /// own time-out must leave room for it.
    const LIMIT_MS: u64 = 25_000;

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        let batch: Batch<'_> = serde_json::from_str(event).map_err(|error| {
            // Serde's own words quote the event.
            let place = format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column());
            Failure::new("EventUnreadable", PublicText::RequestUnreadable).caused_by(place)
        })?;
        let guests = guests(&batch);
        let outcome = self.keep_all(&guests, invocation.now).await;
        let reply = Reply { batch_item_failures: outcome.again.iter().map(again).collect() };
        let body = serde_json::to_string(&reply)
            .map_err(|error| Failure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error))?;
        Ok(Answer { cause: outcome.cause(guests.len()), ..Answer::new(body, outcome.code) })
    }
}

fn again<'a>(guest: &&'a Guest) -> ItemFailure<'a> {
    ItemFailure { item_identifier: &guest.first }
}

/// The guests who wrote, in the order of their first record.
fn guests(batch: &Batch<'_>) -> Vec<Guest> {
    let mut guests: Vec<Guest> = Vec::new();
    let mut known: BTreeMap<IdentityId, usize> = BTreeMap::new();
    for (position, record) in batch.records.iter().enumerate() {
        match Change::read(record) {
            Change::Written(Written { identity, name, sequence_number }) => {
                let index = *known.entry(identity.clone()).or_insert(guests.len());
                match guests.get_mut(index) {
                    Some(guest) => guest.names.push(name),
                    None => guests.push(Guest { identity, names: vec![name], first: sequence_number }),
                }
            }
            Change::Other => {}
            // It would come again and again, and hold up all that follow.
            Change::Foreign => tracing::warn!(code = "ForeignRecord", position, "a record was left out"),
        }
    }
    guests
}

/// What became of a batch.
struct Outcome<'a> {
    code: &'static str,
    /// Those who have to be tried again.
    again: Vec<&'a Guest>,
    /// Why, of the first.
    first_cause: Option<String>,
}

impl Outcome<'_> {
    fn cause(&self, guests: usize) -> Option<String> {
        let cause = self.first_cause.as_ref()?;
        Some(format!("{} of {guests} guests are to be tried again: {cause}", self.again.len()))
    }
}

impl<P: Promotions> GuestKeeper<P> {
    /// Each guest by himself: one whose records cannot be read does not hold up
    /// the others.
    async fn keep_all<'a>(&self, guests: &'a [Guest], now: u64) -> Outcome<'a> {
        let deadline = Instant::now() + self.work;
        let code = if guests.is_empty() { "NothingToKeep" } else { "Kept" };
        let mut outcome = Outcome { code, again: Vec::new(), first_cause: None };
        for guest in guests {
            let cause = match timeout_at(deadline, self.look_at(guest, now)).await {
                Ok(Ok(false)) => continue,
                Ok(Ok(true)) => {
                    if outcome.again.is_empty() {
                        outcome.code = "LimitReached";
                    }
                    continue;
                }
                Ok(Err(cause)) => chain(cause.as_ref()),
                Err(_) => "OutOfTime".to_owned(),
            };
            outcome.code = "TryAgain";
            outcome.again.push(guest);
            outcome.first_cause.get_or_insert(cause);
        }
        outcome
    }

    /// Says whether the guest was over a limit.
    async fn look_at(&self, guest: &Guest, now: u64) -> Result<bool, Unsent> {
        let ledger = self.records.read(&records::ledger(&guest.identity), PROMOTION).await;
        if ledger.map_err(Unfinished::Unread)?.is_some() {
            self.promotions.go_on(&guest.identity).await?;
            return Ok(false);
        }
        Ok(keep(&self.records, &self.rules, self.most_pages, guest, now).await?)
    }
}

#[cfg(test)]
mod tests;
