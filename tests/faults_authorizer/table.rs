//! The table of ended sessions beside the key set, where `[revocation]` is on.
//!
//! What holds: while nobody can tell whether a session was ended, the rules say who
//! gets in, and they say it in time; what was known before is known still.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::clock::Clock;
use tests::faults::{Fault, FaultProxy};
use tests::{REVOCATION_TABLE, Services, compact, now, other_signing_key, workspace_root};

use crate::key_sets::{is_survived, is_tried_again};
use crate::{BOUND, Gate, Longest, WARM, each};

/// What the rules say of a table that gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Refuse,
    Allow,
}

/// Both of them.
const BOTH: [Unavailable; 2] = [Unavailable::Refuse, Unavailable::Allow];

impl Unavailable {
    /// The code of a good token about whose session nobody can tell.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Refuse => "RevocationUnknown",
            Self::Allow => "Allowed",
        }
    }
}

/// A database behind a proxy, and the rules that have the authorizer ask it.
pub(crate) struct Table {
    services: Services,
    pub(crate) proxy: FaultProxy,
    rules: PathBuf,
}

impl Table {
    pub(crate) fn start(unavailable: Unavailable) -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let services = Services::start()?;
        let proxy = FaultProxy::before(&services)?;
        let text = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
        let word = format!("{unavailable:?}").to_lowercase();
        let name = format!("faults-{}-{}.toml", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let rules = std::env::temp_dir().join(name);
        std::fs::write(&rules, format!("{text}\n[revocation]\nmode = \"on\"\nunavailable = \"{word}\"\n"))?;
        Ok(Self { services, proxy, rules })
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self.proxy.settings(&self.services);
        settings.push(("RULES_FILE".to_owned(), self.rules.display().to_string()));
        settings.push(("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned()));
        settings
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) -> Result<()> {
        let key = format!("SESSION#{session}");
        let item = json!({"pk": {"S": key}, "expires_at": {"N": (now() + 1_000).to_string()}});
        self.services.put(REVOCATION_TABLE, &item)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.rules));
    }
}

/// Every fault under both rules.
fn faults() -> impl Iterator<Item = (Fault, Unavailable)> {
    Fault::ALL.into_iter().flat_map(|fault| BOTH.map(|unavailable| (fault, unavailable)))
}

/// The code of a good token while this fault lasts.
fn expected(fault: Fault, unavailable: Unavailable) -> &'static str {
    if is_survived(fault) { "Allowed" } else { unavailable.code() }
}

/// It works: a good token gets in, and that of an ended session does not.
fn is_whole(gate: &mut Gate, session: &str) -> Result<()> {
    let (good, ended) = (gate.good()?, gate.of_session(session)?);
    gate.table()?.end(session)?;
    gate.gets(&good, "Allowed", BOUND)?;
    gate.gets(&ended, "SessionEnded", BOUND).map(drop)
}

#[test]
fn a_table_that_gives_no_answer_is_answered_for_by_the_rules_in_time() -> Result<()> {
    let longest = Longest::default();
    each(faults(), |&(fault, unavailable)| {
        let table = Table::start(unavailable)?;
        // Cold: the first question of all meets the fault.
        table.proxy.fail(fault);
        let mut gate = Gate::minding(table, &[])?;
        let good = gate.good()?;
        for _ in 0..2 {
            let elapsed = gate.gets(&good, expected(fault, unavailable), BOUND).context("cold")?;
            longest.note(elapsed);
        }
        gate.table()?.proxy.heal();
        is_whole(&mut gate, "s-1").context("healed")?;

        // Warm: a connection is there, and so is what was known.
        gate.table()?.proxy.fail(fault);
        gate.table()?.end("s-2")?;
        for pause_ms in [0, 300] {
            std::thread::sleep(Duration::from_millis(pause_ms));
            longest.note(gate.gets(&good, expected(fault, unavailable), BOUND).context("warm")?);
        }
        let code = if is_survived(fault) { "SessionEnded" } else { unavailable.code() };
        let unseen = gate.of_session("s-2")?;
        gate.gets(&unseen, code, BOUND).context("C37 a session that was ended meanwhile")?;
        let ended = gate.of_session("s-1")?;
        gate.gets(&ended, "SessionEnded", WARM).context("C37 a session whose end was seen before")?;
        // Nobody asks about a token that is not genuine.
        let forged = compact(gate.issuer.header(), gate.claims().text(), other_signing_key()?)?;
        gate.gets(&forged, "SignatureBad", WARM).context("a forged token")?;
        gate.table()?.proxy.heal();
        is_whole(&mut gate, "s-3").context("healed again")?;
        gate.gets(&unseen, "SessionEnded", BOUND).context("now it is seen").map(drop)
    })?;
    println!("longest answer without the table: {:?}", longest.get());
    Ok(())
}

#[test]
fn a_table_that_fails_once_is_asked_again_where_it_said_nothing() -> Result<()> {
    let once = faults().filter(|(fault, _)| !matches!(fault, Fault::Refusing | Fault::Deaf));
    let longest = Longest::default();
    each(once, |&(fault, unavailable)| {
        let table = Table::start(unavailable)?;
        table.proxy.fail_some(fault, 1, "");
        let mut gate = Gate::minding(table, &[])?;
        gate.table()?.end("s-1")?;
        let ended = gate.of_session("s-1")?;
        let sees = is_tried_again(fault) || is_survived(fault);
        let code = if sees { "SessionEnded" } else { unavailable.code() };
        longest.note(gate.gets(&ended, code, BOUND).context("cold")?);
        is_whole(&mut gate, "s-2").context("afterwards")?;
        // On the connection that is kept now.
        gate.table()?.end("s-3")?;
        let ended = gate.of_session("s-3")?;
        gate.table()?.proxy.fail_some(fault, 1, "");
        // A fault at the door ends this connection, too. That is seen before the next
        // call, or it would be two faults at once.
        std::thread::sleep(Duration::from_millis(50));
        longest.note(gate.gets(&ended, code, BOUND).context("warm")?);
        is_whole(&mut gate, "s-4").context("afterwards")
    })?;
    println!("longest answer with a table that failed once: {:?}", longest.get());
    Ok(())
}

#[test]
fn a_key_set_that_is_due_and_down_leaves_time_for_the_table() -> Result<()> {
    let longest = Longest::default();
    each(Fault::ALL, |&fault| {
        let clock = Clock::new()?;
        let mut gate = Gate::minding(Table::start(Unavailable::Refuse)?, &clock.settings()?)?;
        let good = gate.good()?;
        gate.gets(&good, "Allowed", BOUND)?;
        gate.proxy.fail(fault);
        for hours in 1..=3 {
            clock.set(0, hours * 3_601)?;
            longest.note(gate.gets(&good, "Allowed", BOUND).with_context(|| format!("{hours} hours later"))?);
            is_whole(&mut gate, &format!("s-{hours}")).with_context(|| format!("{hours} hours later, again"))?;
        }
        Ok(())
    })?;
    println!("longest answer with old keys and a table: {:?}", longest.get());
    Ok(())
}

#[test]
fn in_the_dark_nobody_waits_longer_for_both() -> Result<()> {
    let longest = Longest::default();
    each(faults(), |&(fault, unavailable)| {
        let clock = Clock::new()?;
        let table = Table::start(unavailable)?;
        table.proxy.fail(fault);
        let dark = |gate: &Gate| gate.table().map(|table| table.proxy.fail(fault));
        // From the start on: without keys the rules have no say.
        let mut gate = Gate::with(Some(table), |proxy| proxy.fail(fault), &clock.settings()?)?;
        let good = gate.good()?;
        let without_keys = if is_survived(fault) { "Allowed" } else { "KeySetUnavailable" };
        for pause_ms in [600, 0] {
            std::thread::sleep(Duration::from_millis(pause_ms));
            longest.note(gate.gets(&good, without_keys, BOUND).context("cold")?);
        }
        gate.proxy.heal();
        gate.table()?.proxy.heal();
        clock.set(0, 20)?;
        is_whole(&mut gate, "s-1").context("the light is back")?;
        // With keys that are due: both are waited for in one call.
        gate.proxy.fail(fault);
        dark(&gate)?;
        for hours in 1..=2 {
            clock.set(0, hours * 3_601)?;
            let code = expected(fault, unavailable);
            longest.note(gate.gets(&good, code, BOUND).with_context(|| format!("{hours} hours later"))?);
        }
        gate.proxy.heal();
        gate.table()?.proxy.heal();
        clock.set(0, 3 * 3_601)?;
        is_whole(&mut gate, "s-2").context("the light is back again")
    })?;
    println!("longest answer without key set and table: {:?}", longest.get());
    ensure!(longest.get() > Duration::ZERO, "nothing was measured");
    Ok(())
}
