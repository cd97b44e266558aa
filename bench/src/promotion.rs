//! What a promotion costs, in write units, and how long it takes.
//!
//! Units are counted in the records table in memory, which has DynamoDB's rules.
//! The least possible is a transaction's price for writing each record under the
//! user and deleting it under the guest, and nothing else. Time is measured
//! against dynoxide over loopback, whose share of it cannot be told apart.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use guest_promotion::{
    AccountError, Accounts, Claimant, LinkError, Login, Outbox, Progress, Promoted, Promotion, SendError, SystemClock,
};
use records::memory::Memory;
use records::testing::Database;
use records::{Item, PK, SK, Store, Value, guest, item_bytes, number, text};
use shared::guests::{Conflict, GuestRules, IdentityId};
use shared::names::Subject;

const SIZES: [usize; 6] = [1, 100, 1_000, 10_000, 30_000, 100_000];

/// Accounts that link at once.
struct Linked;

impl Accounts for Linked {
    async fn link(&self, guest: &IdentityId, _: &Login) -> Result<IdentityId, LinkError> {
        Ok(guest.clone())
    }

    async fn join(&self, _: &str, _: &str) -> Result<(), AccountError> {
        Ok(())
    }

    async fn delete(&self, _: &IdentityId) -> Result<(), AccountError> {
        Ok(())
    }
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Outbox for Nowhere {
    async fn announce(&self, _: &Promoted) -> Result<(), SendError> {
        Ok(())
    }

    async fn remind(&self, _: &IdentityId, _: u64) -> Result<(), SendError> {
        Ok(())
    }
}

/// The table in Markdown.
pub(crate) fn table() -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut table = String::from(
        "## Promotion of a guest\n\n\
         Records of about 200 bytes; write units in memory, time against dynoxide on loopback.\n\n\
         | records | write units | least possible | ratio | records/s | ms for 1,000 records |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for size in SIZES {
        let (units, least) = runtime.block_on(cost(size))?;
        let time = runtime.block_on(time(size))?;
        let records = u32::try_from(size)?;
        let per_second = f64::from(records) / time.as_secs_f64();
        let per_thousand = time.as_secs_f64() * 1e6 / f64::from(records);
        let ratio = share(units, least);
        writeln!(table, "| {size} | {units} | {least} | {ratio:.4} | {per_second:.0} | {per_thousand:.0} |")?;
    }
    Ok(table)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of two counts, shown with four digits")]
fn share(units: u64, least: u64) -> f64 {
    units as f64 / least as f64
}

/// The write units of a promotion, and the least that it could need.
async fn cost(size: usize) -> Result<(u64, u64)> {
    let guest = identity()?;
    let memory = Memory::new(&["data", "updated_at", "expires_at"]);
    let least = records_of(&guest, size).map(|item| 4 * item_bytes(&item).div_ceil(1_024)).sum::<usize>();
    records_of(&guest, size).for_each(|item| drop(memory.put(item)));
    promote(memory.clone(), &guest, size).await?;
    Ok((memory.used().write_units, u64::try_from(least)?))
}

async fn time(size: usize) -> Result<Duration> {
    let guest = identity()?;
    let database = Database::start().await.map_err(|error| anyhow!("{error}"))?;
    let items: Vec<Item> = records_of(&guest, size).collect();
    database.put_all(items).await.map_err(|error| anyhow!("{error}"))?;
    let begun = Instant::now();
    promote(database.records(&["data", "updated_at", "expires_at"]), &guest, size).await?;
    Ok(begun.elapsed())
}

async fn promote(store: impl Store, guest: &IdentityId, size: usize) -> Result<()> {
    let promotion = Promotion { store, accounts: Linked, outbox: Nowhere, clock: SystemClock, rules: rules() };
    let claimant = Claimant {
        guest: guest.clone(),
        owner: Subject::parse("5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01").ok_or_else(|| anyhow!("no subject"))?,
        tenant: None,
        user_name: "user".to_owned(),
        login: Login::new("token"),
        key: None,
        mover: "bench".to_owned(),
    };
    let report = promotion.promote(&claimant, 3_600_000).await;
    let report = report.map_err(|failure| anyhow!("the promotion failed: {}", failure.code()))?;
    let moved = usize::try_from(report.counts.moved)?;
    ensure!(report.progress == Progress::Done && moved == size, "{moved} of {size} records moved");
    Ok(())
}

fn identity() -> Result<IdentityId> {
    IdentityId::parse("us-east-1:0a1b2c3d-1111-4222-8333-444455556666").ok_or_else(|| anyhow!("no identity"))
}

fn records_of(identity: &IdentityId, size: usize) -> impl Iterator<Item = Item> {
    let pk = guest(identity);
    (0..size).map(move |index| {
        let data = Value::M(Item::from([
            ("level".to_owned(), number(7)),
            ("score".to_owned(), number(123_456)),
            ("name".to_owned(), text("a".repeat(60))),
        ]));
        Item::from([
            (PK.to_owned(), text(&pk)),
            (SK.to_owned(), text(format!("score#{index:08}"))),
            ("data".to_owned(), data),
            ("updated_at".to_owned(), number(1_800_000_000)),
            ("expires_at".to_owned(), number(4_000_000_000)),
        ])
    })
}

/// The shipped rules, as far as a promotion asks.
fn rules() -> GuestRules {
    GuestRules {
        keep_days: 30,
        most_items: 100_000,
        most_bytes: 1 << 30,
        attributes: ["data", "updated_at"].map(str::to_owned).into(),
        on_conflict: Conflict::KeepBoth,
        newer_by: None,
        aside_days: 90,
        most_proof_age_s: 600,
        groups: Vec::new(),
        delete_merged_identities: false,
    }
}
