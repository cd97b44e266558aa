//! A promotion whose process is killed at one of its calls to the database,
//! before or after the call was served, again and again, until it is through
//! (row R29 of `attacks.md`).
//!
//! `POOLHOUSE_KILLS` says how many processes are killed (40 otherwise), and
//! `POOLHOUSE_SEED` with which numbers.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a helper of a test may stop at what is not there, as a test may"
)]

use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::http::{Response, Server, forward};
use tests::{Function, Identity, RECORDS_TABLE, Reply, Services, encode, workspace_root};

const ANN: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const GUEST: &str = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";

/// When the process dies: how many calls it has left, and whether the last one
/// is served.
#[derive(Default)]
struct Fate {
    calls_left: AtomicI64,
    process: AtomicU32,
    after: Mutex<bool>,
}

/// A database that kills whoever asks it, when the time has come.
fn deadly(services: &Services, fate: Arc<Fate>) -> Result<Server> {
    let database = services.database_url().trim_start_matches("http://").to_owned();
    Server::start(move |request| {
        let left = fate.calls_left.fetch_sub(1, Ordering::SeqCst);
        let after = fate.after.lock().is_ok_and(|after| *after);
        if left == 0 && !after {
            kill(fate.process.load(Ordering::SeqCst));
        }
        if left < 0 || (left == 0 && !after) {
            return Response::new(500, "text/plain", "the caller is dead");
        }
        let answer = forward(&database, &request).unwrap_or_else(|_| Response::new(500, "text/plain", "no database"));
        if left == 0 {
            kill(fate.process.load(Ordering::SeqCst));
        }
        answer
    })
}

fn kill(process: u32) {
    drop(Command::new("kill").args(["-9", &process.to_string()]).status());
    // A killed process does not go at once; nothing may reach it any more.
    std::thread::sleep(Duration::from_millis(20));
}

/// A sequence of numbers that a seed decides (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn event() -> String {
    let claims = json!({"sub": ANN, "cognito:username": ANN, "token_use": "id"});
    let token = format!("{}.{}.{}", encode("{}"), encode(claims.to_string()), encode("signature"));
    json!({"version": "2.0", "routeKey": "POST /guest/promotion",
        "headers": {"content-type": "application/json", "authorization": format!("Bearer {token}")},
        "body": json!({"identityId": GUEST}).to_string(),
        "requestContext": {"authorizer": {"lambda": {"subject": ANN}}}})
    .to_string()
}

/// What the table holds for guest and user: name, and what is in it.
fn records(services: &Services, pk: &str) -> Result<Vec<(String, Value)>> {
    let items = services.items(RECORDS_TABLE)?;
    let own = items.iter().filter(|item| item["pk"]["S"] == pk);
    Ok(own.map(|item| (item["sk"]["S"].as_str().unwrap_or_default().to_owned(), item["data"].clone())).collect())
}

/// Frees what a dead process holds, as time would.
fn end_lease(services: &Services) -> Result<()> {
    let ledger = services.items(RECORDS_TABLE)?.into_iter().find(|item| item["sk"]["S"] == "PROMOTION");
    match ledger {
        None => Ok(()),
        Some(mut ledger) => {
            ledger["lease_until"] = json!({"N": "0"});
            services.put(RECORDS_TABLE, &ledger)
        }
    }
}

#[test]
fn killed_at_any_call_and_asked_again_nothing_is_lost_or_doubled() -> Result<()> {
    let kills = from_environment("POOLHOUSE_KILLS").unwrap_or(40);
    let seed = from_environment("POOLHOUSE_SEED").unwrap_or(1);
    let mut numbers = Numbers(seed);
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let count = [1, 25, 101, 250][usize::try_from(numbers.below(4))?];
        killed += promotion(&mut numbers, count).with_context(|| {
            format!("POOLHOUSE_SEED={seed} POOLHOUSE_KILLS={kills}, promotion {round} of {count} records")
        })?;
    }
    println!("{killed} processes were killed in {round} promotions");
    Ok(())
}

/// One promotion; how many processes died of it.
fn promotion(numbers: &mut Numbers, count: usize) -> Result<u64> {
    let services = Services::start()?;
    services.identity_pool().put(GUEST, Identity::Guest);
    let guest = format!("GUEST#{GUEST}");
    for index in 0..count {
        let data = json!({"M": {"n": {"N": index.to_string()}, "t": {"SS": ["a", "b"]}}});
        let item = json!({"pk": {"S": guest}, "sk": {"S": format!("score-{index:04}")}, "data": data});
        services.put(RECORDS_TABLE, &item)?;
    }
    let before = records(&services, &guest)?;
    services.put(RECORDS_TABLE, &json!({"pk": {"S": guest}, "sk": {"S": "#grant"}, "data": {"S": ANN}}))?;
    let fate = Arc::new(Fate::default());
    let database = deadly(&services, Arc::clone(&fate))?;
    let mut settings = services.settings_through(&database.url());
    settings.push(("RULES_FILE".to_owned(), workspace_root().join("rules/rules.toml").display().to_string()));
    // Nobody needs the keys here: the guest is proved by his mark.
    settings.push(("GUEST_KEY_SET_URL".to_owned(), format!("{}/keys", database.url())));
    let mut killed = 0;
    loop {
        fate.calls_left.store(i64::MAX, Ordering::SeqCst);
        let mut function = Function::start("guest-promotion", settings.clone())?;
        fate.process.store(function.process(), Ordering::SeqCst);
        *fate.after.lock().expect("nobody panics with it") = numbers.below(2) == 0;
        // Some live: a promotion of few records makes fewer calls than this.
        fate.calls_left.store(i64::try_from(numbers.below(14))?, Ordering::SeqCst);
        match function.invoke_within(event(), Duration::from_secs(29)).reply {
            Reply::Exited => killed += 1,
            Reply::Answer(body) => {
                let reply: Value = serde_json::from_slice(&body)?;
                let answer: Value = serde_json::from_str(reply["body"].as_str().unwrap_or("null"))?;
                if answer["state"] == "done" {
                    check(&services, &before, &answer)?;
                    return Ok(killed);
                }
            }
            other => anyhow::bail!("{other:?}"),
        }
        check_no_record_twice(&services, &before)?;
        end_lease(&services)?;
    }
}

/// At every moment each record is in exactly one place.
fn check_no_record_twice(services: &Services, before: &[(String, Value)]) -> Result<()> {
    let mut all = records(services, &format!("GUEST#{GUEST}"))?;
    all.retain(|(name, _)| !name.starts_with('#'));
    all.extend(records(services, &format!("USER#{ANN}"))?);
    all.sort_by(|one, other| one.0.cmp(&other.0));
    ensure!(all == before, "{} records instead of {}", all.len(), before.len());
    Ok(())
}

fn check(services: &Services, before: &[(String, Value)], answer: &Value) -> Result<()> {
    check_no_record_twice(services, before)?;
    ensure!(records(services, &format!("GUEST#{GUEST}"))?.is_empty(), "the guest has something");
    ensure!(answer["moved"] == before.len(), "{answer}");
    ensure!(services.identity_pool().get(GUEST) == Some(Identity::Of(ANN.to_owned())), "not linked");
    Ok(())
}
