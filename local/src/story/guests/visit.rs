//! A guest, who proves nothing, and what he may keep.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};

use super::super::reach::{Does, Session, code};
use super::super::teller::Teller;
use super::super::world::World;
use super::arrives;
use super::records::{Kept, Records, Score, of_guest, of_user};

/// What the guest stores.
pub(super) const LEVELS: [&str; 3] = ["level-1", "level-2", "level-3"];

const LEADERBOARD: &str = "PUBLIC#leaderboard";
const DAY: i64 = 24 * 60 * 60;
/// `keep_days` of the rule file.
const KEEP_DAYS: i64 = 30;

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>) -> Result<Session> {
    teller.chapter("Scenario 4: a guest, who proves nothing");
    let back = Records::new(world, world.owner).put(LEADERBOARD, "1", "Zoe 9001", None).await;
    if back != "done" {
        bail!("the operator cannot write the leaderboard: {back}");
    }
    let guest = arrives(teller, world, "A guest gets credentials, for nothing").await?;
    files(teller, world, &guest).await;
    scores(teller, world, &guest).await;
    others(teller, world, &guest).await?;
    keeper(teller, world, &guest).await?;
    Ok(guest)
}

async fn files(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session) {
    let files = guest.files(world);
    files.step(teller, "He reads what is public", Does::Read, "public/welcome.txt", true).await;
    files.step(teller, "He writes nothing there", Does::Write, "public/welcome.txt", false).await;
    files.step(teller, "He sees no tenant's files", Does::Read, "tenants/acme/plan.txt", false).await;
}

async fn scores(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session) {
    let (records, own) = (Records::new(world, &guest.config), of_guest(&guest.identity));
    records.reads(teller, "He reads the public leaderboard", LEADERBOARD, Some(&["1"])).await;
    records.writes(teller, "He does not write there", &Score::of(LEADERBOARD, "2"), false).await;
    let texts = ["He keeps a score under his own identity, without a back end", "a second one", "and a third"];
    for (text, level) in texts.into_iter().zip(LEVELS) {
        records.writes(teller, text, &Score::of(&own, level), true).await;
    }
    let table = [
        ("How long it is kept is not his to say", own.clone(), Some(("expires_at", i64::from(i32::MAX)))),
        ("Nobody has a user's place before he is that user", of_user("somebody"), None),
        ("What is written about a promotion is not his to write", format!("LEDGER#{}", guest.identity), None),
    ];
    for (text, partition, more) in table {
        records.writes(teller, text, &Score { more, ..Score::of(&partition, "level-4") }, false).await;
    }
    let back = code(guest.records().scan().table_name(world.records).send().await);
    let text = "All records at once are not his to have";
    teller.step(text, "dynamodb:Scan", &back, back == "AccessDeniedException");
}

async fn others(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session) -> Result<()> {
    let other = arrives(teller, world, "Another guest is another identity").await?;
    let (records, own) = (Records::new(world, &other.config), of_guest(&guest.identity));
    records.reads(teller, "The first guest's scores are closed to him", &own, None).await;
    let score = Score::of(&own, "level-9");
    records.writes(teller, "He slips nothing in among them", &score, false).await;
    Ok(())
}

/// What a guest writes has no end; the keeper, woken by the table's stream,
/// gives it one.
async fn keeper(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session) -> Result<()> {
    let (records, own) = (Records::new(world, &guest.config), of_guest(&guest.identity));
    let found = records.awaited(&own, |found| found.values().all(|kept| kept.expires_at.is_some())).await;
    let found = found.map_err(|code| anyhow!("the guest cannot read his scores: {code}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    let now = i64::try_from(now)?;
    let days = |kept: &Kept| kept.expires_at.map(|end| (end - now + DAY / 2) / DAY);
    let right = found.keys().eq(LEVELS) && found.values().all(|kept| days(kept) == Some(KEEP_DAYS));
    let one = |(name, kept): (&String, &Kept)| match days(kept) {
        Some(days) => format!("{name} in {days} days"),
        None => format!("{name} never"),
    };
    let shown: Vec<_> = found.iter().map(one).collect();
    let text = "The keeper has given each score an end: a guest who stays away leaves nothing behind";
    teller.step(text, "dynamodb:Query  expires_at", &shown.join(", "), right);
    Ok(())
}
