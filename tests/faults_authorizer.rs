//! The authorizer before faulty key sets and under a wrong clock.
//!
//! What holds: an answer within 1.6 s; without keys nobody is let in and nobody
//! is refused; with keys that it has, it needs nobody. What else the authorizer
//! comes to ask for is one more proxy in [`Gate`] and one more row.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::clock::Clock;
use tests::faults::{Fault, FaultProxy};
use tests::gateway::http_v2;
use tests::{Function, Outcome, TokenIssuer, compact, other_signing_key, signing_key, workspace_root};

/// The longest that an authorization may take.
const BOUND: Duration = Duration::from_millis(1_600);
/// One with keys that are there: no call is made.
const WARM: Duration = Duration::from_millis(500);
/// The least time between two fetches.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// An authorizer, and its pool behind a proxy.
struct Gate {
    issuer: TokenIssuer,
    proxy: FaultProxy,
    function: Function,
}

impl Gate {
    fn open(before: impl FnOnce(&FaultProxy), more: &[(String, String)]) -> Result<Self> {
        let issuer = TokenIssuer::start()?;
        let proxy = FaultProxy::before_server(&issuer.url())?;
        before(&proxy);
        let mut settings = issuer.settings();
        settings.push(("KEY_SET_URL".to_owned(), format!("{}/{{pool}}/.well-known/jwks.json", proxy.url())));
        settings
            .push(("RULES_FILE".to_owned(), workspace_root().join("tests/attacks.rules.toml").display().to_string()));
        settings.extend(more.iter().cloned());
        let settings: std::collections::BTreeMap<_, _> = settings.into_iter().collect();
        Ok(Self { issuer, proxy, function: Function::start("authorizer", settings)? })
    }

    fn good(&self) -> Result<String> {
        self.issuer.mint(&self.issuer.access().with("tenant", "acme").with("roles", json!(["member"])))
    }

    /// A token of a key that the set may not have.
    fn of_key(&self, kid: &str) -> Result<String> {
        let claims = self.issuer.access().with("tenant", "acme").with("roles", json!(["member"]));
        compact(json!({"kid": kid, "alg": "RS256"}).to_string(), claims.text(), other_signing_key()?)
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
            "KeySetUnavailable" => {
                ensure!(outcome.error() == Some("This is not possible right now, please try again"), "{outcome:?}")
            }
            _ => ensure!(outcome.json()?.get("isAuthorized") == Some(&json!(false)), "{outcome:?}"),
        }
        ensure!(outcome.elapsed <= bound, "{:?}, more than {bound:?}", outcome.elapsed);
        Ok(outcome.elapsed)
    }
}

/// What the fetch makes of a fault that lasts. Nobody asks for a checksum.
fn is_survived(fault: Fault) -> bool {
    fault == Fault::WrongChecksum
}

/// Whether a second attempt is made at once: where nothing was said.
fn is_tried_again(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Drip
            | Fault::Silent
            | Fault::ResetAtOnce
            | Fault::ResetWithin
            | Fault::ResetAfter
            | Fault::HalfClosed
            | Fault::LostReply
            | Fault::HeldReply
    )
}

fn each(rows: impl IntoIterator<Item = Fault>, row: impl Fn(Fault) -> Result<()> + Sync) -> Result<()> {
    let (rows, failures) = (Mutex::new(rows.into_iter().collect::<Vec<_>>()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(fault) = rows.lock().ok().and_then(|mut rows| rows.pop()) {
                    if let (Err(error), Ok(mut failures)) = (row(fault), failures.lock()) {
                        failures.push(format!("{fault:?}: {error:#}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner()?;
    ensure!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

#[test]
fn cold_without_keys_nobody_is_let_in_or_refused() -> Result<()> {
    let longest = Mutex::new((Duration::ZERO, Duration::ZERO));
    each(Fault::ALL, |fault| {
        let mut gate = Gate::open(|proxy| proxy.fail(fault), &[])?;
        // A cold start is a part of what the first caller waits for; Lambda gives it 10 s.
        ensure!(gate.function.init() <= Duration::from_secs(3), "{:?}", gate.function.init());
        let good = gate.good()?;
        let expected = if is_survived(fault) { "Allowed" } else { "KeySetUnavailable" };
        for pause_ms in [0, 600, 0, 1_100] {
            std::thread::sleep(Duration::from_millis(pause_ms));
            let elapsed = gate.gets(&good, expected, BOUND)?;
            let mut longest = longest.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
            *longest = (longest.0.max(elapsed), longest.1.max(gate.function.init()));
        }
        gate.proxy.heal();
        // The next look is allowed after four seconds at most: twice as long after each failure.
        let begun = Instant::now();
        while gate.ask(&good)?.1 != "Allowed" {
            ensure!(begun.elapsed() < Duration::from_secs(6), "the keys are there again");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    })?;
    println!("longest answer and longest start without a key set: {:?}", longest.into_inner()?);
    Ok(())
}

#[test]
fn cold_a_key_set_that_fails_once_is_asked_again() -> Result<()> {
    let once = Fault::ALL.into_iter().filter(|fault| !matches!(fault, Fault::Refusing | Fault::Deaf));
    each(once, |fault| {
        let mut gate = Gate::open(|proxy| proxy.fail_some(fault, 1, ""), &[])?;
        let good = gate.good()?;
        if !is_tried_again(fault) && !is_survived(fault) {
            std::thread::sleep(Duration::from_millis(510));
        }
        gate.gets(&good, "Allowed", BOUND).map(drop)
    })
}

#[test]
fn warm_it_needs_nobody() -> Result<()> {
    let longest = Mutex::new(Duration::ZERO);
    each(Fault::ALL, |fault| {
        let clock = Clock::new()?;
        let mut gate = Gate::open(|_| {}, &clock.settings()?)?;
        let good = gate.good()?;
        gate.gets(&good, "Allowed", BOUND)?;
        gate.proxy.fail(fault);
        gate.gets(&good, "Allowed", WARM).context("with the key set down")?;
        // An hour on, each look that is due costs time and refuses nobody.
        for hours in 1..=4 {
            clock.set(0, hours * 3_601)?;
            let elapsed = gate.gets(&good, "Allowed", BOUND).with_context(|| format!("{hours} hours later"))?;
            gate.gets(&good, "Allowed", WARM).with_context(|| format!("{hours} hours later, again"))?;
            let mut longest = longest.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
            *longest = longest.max(elapsed);
        }
        if is_survived(fault) {
            return Ok(());
        }
        // Whether there is such a key, nobody can say now.
        clock.set(0, 5 * 3_600)?;
        let unknown = gate.of_key("unknown")?;
        gate.gets(&unknown, "KeySetUnavailable", BOUND).context("an unknown key")?;
        gate.gets(&good, "Allowed", WARM).context("after an unknown key")?;
        // Not for ever: a key that was withdrawn must end some day.
        clock.set(0, 24 * 3_600 + 60)?;
        gate.gets(&good, "KeySetUnavailable", BOUND).context("a day later")?;
        gate.proxy.heal();
        clock.set(0, 24 * 3_600 + 120)?;
        gate.gets(&good, "Allowed", BOUND).context("it is back").map(drop)
    })?;
    println!("longest answer with old keys: {:?}", longest.into_inner()?);
    Ok(())
}

/// `POOLHOUSE_STORM_SECONDS` says how long it blows (60 otherwise).
#[test]
fn a_storm_of_unknown_keys_and_a_rotation_cost_nobody_anything() -> Result<()> {
    let seconds = std::env::var("POOLHOUSE_STORM_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let storm = Duration::from_secs(seconds);
    let mut gate = Gate::open(|_| {}, &[])?;
    let good = gate.good()?;
    let next = gate.of_key("next")?;
    let (begun, mut asked, mut slowest) = (Instant::now(), 0_u32, Duration::ZERO);
    let (mut published, mut found) = (None, None);
    while begun.elapsed() < storm {
        asked += 1;
        let unknown = gate.of_key(&format!("unknown-{asked}"))?;
        gate.gets(&unknown, "KeyUnknown", BOUND)?;
        slowest = slowest.max(gate.gets(&good, "Allowed", BOUND).context("a good token in the storm")?);
        // At half time the pool publishes its next key beside the old one.
        if published.is_none() && begun.elapsed() > storm / 2 {
            let (old, new) = (signing_key()?.jwk(&gate.issuer.kid), other_signing_key()?.jwk("next"));
            gate.issuer.serve_keys(&[old, new]);
            published = Some(Instant::now());
        }
        // A pool signs with a key that was published before. The storm itself has
        // it fetched after a cool-down at most; from then on it is good.
        if let (Some(at), None) = (published, found) {
            if gate.ask(&next)?.1 == "Allowed" {
                found = Some(at.elapsed());
            } else {
                ensure!(at.elapsed() <= COOL_DOWN + Duration::from_secs(1), "the next key is not found");
            }
        } else if found.is_some() {
            gate.gets(&next, "Allowed", BOUND).context("the next key")?;
        }
    }
    let most = 1 + usize::try_from(seconds.div_ceil(COOL_DOWN.as_secs()))?;
    ensure!(gate.issuer.fetches() <= most, "K03 {} fetches in {seconds} s, more than {most}", gate.issuer.fetches());
    ensure!(asked > 20 * u32::try_from(seconds)?, "only {asked} unknown keys");
    ensure!(found.is_some() || seconds < 22, "the next key was never found");
    println!(
        "{asked} unknown keys in {seconds} s: {} fetches; slowest good token {slowest:?}; next key found after {found:?}",
        gate.issuer.fetches()
    );
    Ok(())
}

#[test]
fn a_rotation_without_a_storm_is_found_at_once() -> Result<()> {
    let clock = Clock::new()?;
    let mut gate = Gate::open(|_| {}, &clock.settings()?)?;
    let (good, next) = (gate.good()?, gate.of_key("next")?);
    gate.gets(&good, "Allowed", BOUND)?;
    gate.issuer.serve_keys(&[signing_key()?.jwk(&gate.issuer.kid), other_signing_key()?.jwk("next")]);
    clock.set(0, 11)?;
    gate.gets(&next, "Allowed", BOUND).context("the first token of the next key")?;
    gate.gets(&good, "Allowed", WARM).context("the old key is there still")?;
    // And while the old one goes, the key set is down.
    gate.issuer.serve_keys(&[other_signing_key()?.jwk("next")]);
    gate.proxy.fail(Fault::Silent);
    clock.set(0, 3_700)?;
    gate.gets(&next, "Allowed", BOUND)?;
    gate.gets(&good, "Allowed", WARM).context("nobody has said yet that it went")?;
    gate.proxy.heal();
    clock.set(0, 3_720)?;
    gate.gets(&next, "Allowed", BOUND)?;
    gate.gets(&good, "KeyUnknown", BOUND).context("now it was said").map(drop)
}

#[test]
fn a_wrong_clock_moves_tokens_and_nothing_else() -> Result<()> {
    let table = [
        (0, "Allowed"),
        // Within a token's life a clock that is fast refuses nobody.
        (60, "Allowed"),
        (30 * 60, "Allowed"),
        (3_700, "TokenExpired"),
        (26 * 3_600, "TokenExpired"),
        // A clock that is slow does not know a token yet that was just issued.
        (-30, "Allowed"),
        (-3_600, "TokenNotYetValid"),
        (-26 * 3_600, "TokenNotYetValid"),
    ];
    let clock = Clock::new()?;
    let mut gate = Gate::open(|_| {}, &clock.settings()?)?;
    for (away, expected) in table {
        clock.set(away, 0)?;
        let good = gate.good()?;
        gate.gets(&good, expected, WARM).with_context(|| format!("{away} s away"))?;
    }
    ensure!(gate.issuer.fetches() == 1, "the age of keys goes by the other clock");
    clock.set(0, 0)?;
    let good = gate.good()?;
    gate.gets(&good, "Allowed", WARM).map(drop)
}

#[test]
fn after_a_freeze_it_is_as_before() -> Result<()> {
    let clock = Clock::new()?;
    let mut gate = Gate::open(|_| {}, &clock.settings()?)?;
    let good = gate.good()?;
    gate.gets(&good, "Allowed", BOUND)?;
    for (fault, hours) in [(None, 0), (Some(Fault::Silent), 2), (Some(Fault::Deaf), 4), (None, 6)] {
        signal(&gate.function, "-STOP")?;
        fault.map_or_else(|| gate.proxy.heal(), |fault| gate.proxy.fail(fault));
        gate.proxy.kill_connections(tests::faults::Death::Forgotten);
        std::thread::sleep(Duration::from_millis(300));
        clock.set(0, hours * 3_600)?;
        signal(&gate.function, "-CONT")?;
        gate.gets(&good, "Allowed", BOUND).with_context(|| format!("{fault:?}, {hours} hours later"))?;
    }
    Ok(())
}

fn signal(function: &Function, name: &str) -> Result<()> {
    let sent = std::process::Command::new("kill").args([name, &function.process().to_string()]).status()?;
    ensure!(sent.success(), "kill {name}");
    Ok(())
}
