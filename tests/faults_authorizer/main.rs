//! The authorizer before faulty key sets, before a faulty table of ended sessions,
//! and under a wrong clock.
//!
//! What holds: an answer within 1.6 s; without keys nobody is let in and nobody
//! is refused; with keys that it has, it needs nobody but the table, and of that
//! the rules say what its silence means. What else the authorizer comes to ask for
//! is one more proxy in [`Gate`] and one more file of rows.

mod clocks;
mod key_sets;
mod table;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::faults::FaultProxy;
use tests::gateway::http_v2;
use tests::{Claims, Function, Outcome, TokenIssuer, compact, other_signing_key, workspace_root};

use table::Table;

/// The longest that an authorization may take.
const BOUND: Duration = Duration::from_millis(1_600);
/// One that asks nobody: no call is made.
const WARM: Duration = Duration::from_millis(500);

/// An authorizer, and behind a proxy each: its pool, and its table where it has one.
struct Gate {
    issuer: TokenIssuer,
    proxy: FaultProxy,
    table: Option<Table>,
    function: Function,
}

impl Gate {
    /// One that asks for key sets alone.
    fn open(before: impl FnOnce(&FaultProxy), more: &[(String, String)]) -> Result<Self> {
        Self::with(None, before, more)
    }

    /// One that asks a table as well.
    fn minding(table: Table, more: &[(String, String)]) -> Result<Self> {
        Self::with(Some(table), |_| {}, more)
    }

    fn with(table: Option<Table>, before: impl FnOnce(&FaultProxy), more: &[(String, String)]) -> Result<Self> {
        let issuer = TokenIssuer::start()?;
        let proxy = FaultProxy::before_server(&issuer.url())?;
        before(&proxy);
        let mut settings: BTreeMap<_, _> = issuer.settings().into_iter().collect();
        settings.insert("KEY_SET_URL".to_owned(), format!("{}/{{pool}}/.well-known/jwks.json", proxy.url()));
        let rules = workspace_root().join("tests/attacks.rules.toml").display().to_string();
        settings.insert("RULES_FILE".to_owned(), rules);
        settings.extend(table.iter().flat_map(Table::settings));
        settings.extend(more.iter().cloned());
        Ok(Self { issuer, proxy, table, function: Function::start("authorizer", settings)? })
    }

    /// What is in front of the table.
    fn table(&self) -> Result<&Table> {
        self.table.as_ref().context("a gate without a table")
    }

    fn claims(&self) -> Claims {
        self.issuer.access().with("tenant", "acme").with("roles", json!(["member"]))
    }

    fn good(&self) -> Result<String> {
        self.issuer.mint(&self.claims())
    }

    /// A good token of this session.
    fn of_session(&self, session: &str) -> Result<String> {
        self.issuer.mint(&self.claims().with("origin_jti", session))
    }

    /// A token of a key that the set may not have.
    fn of_key(&self, kid: &str) -> Result<String> {
        compact(json!({"kid": kid, "alg": "RS256"}).to_string(), self.claims().text(), other_signing_key()?)
    }

    fn ask(&mut self, token: &str) -> Result<(Outcome, String)> {
        let outcome = self.function.invoke(http_v2(token, "GET", "/items").to_string());
        let code = self.function.code_of(&outcome).with_context(|| format!("no code: {outcome:?}"))?;
        Ok((outcome, code))
    }

    /// Asks, and says how long it took; the code is the expected one, and so is
    /// what API Gateway makes of it.
    fn gets(&mut self, token: &str, expected: &str, bound: Duration) -> Result<Duration> {
        let (outcome, code) = self.ask(token)?;
        ensure!(code == expected, "{code} instead of {expected}: {outcome:?}");
        match expected {
            "Allowed" => ensure!(outcome.json()?.get("isAuthorized") == Some(&json!(true)), "{outcome:?}"),
            // An error is no verdict: API Gateway answers 500 and keeps nothing.
            "KeySetUnavailable" | "RevocationUnknown" => {
                ensure!(outcome.error() == Some("This is not possible right now, please try again"), "{outcome:?}")
            }
            _ => ensure!(outcome.json()?.get("isAuthorized") == Some(&json!(false)), "{outcome:?}"),
        }
        ensure!(outcome.elapsed <= bound, "{:?}, more than {bound:?}", outcome.elapsed);
        Ok(outcome.elapsed)
    }
}

/// Runs every row, six at a time, and names those that fail. What failed among
/// others has to succeed alone: a busy machine may be late for reasons of its own.
fn each<T: Debug + Send>(rows: impl IntoIterator<Item = T>, row: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (rows, failed) = (Mutex::new(rows.into_iter().collect::<Vec<_>>()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(next) = rows.lock().ok().and_then(|mut rows| rows.pop()) {
                    if let (Err(error), Ok(mut failed)) = (row(&next), failed.lock()) {
                        failed.push((next, error));
                    }
                }
            });
        }
    });
    let mut failures = Vec::new();
    for (next, among_others) in failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Err(error) = row(&next) {
            failures.push(format!("{next:?}: {error:#}\n  (among others: {among_others:#})"));
        }
    }
    ensure!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

/// The longest of what several threads measure.
#[derive(Default)]
struct Longest(Mutex<Duration>);

impl Longest {
    fn note(&self, elapsed: Duration) {
        if let Ok(mut longest) = self.0.lock() {
            *longest = longest.max(elapsed);
        }
    }

    fn get(&self) -> Duration {
        self.0.lock().map(|longest| *longest).unwrap_or_default()
    }
}
