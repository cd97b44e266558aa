//! The key set alone: the authorizer asks for nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tests::clock::Clock;
use tests::faults::Fault;
use tests::{other_signing_key, signing_key};

use crate::{BOUND, Gate, Longest, WARM, each};

/// The least time between two fetches.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// What the fetch makes of a fault that lasts. Nobody asks for a checksum.
pub(crate) fn is_survived(fault: Fault) -> bool {
    fault == Fault::WrongChecksum
}

/// Whether a second attempt is made at once: where nothing was said.
pub(crate) fn is_tried_again(fault: Fault) -> bool {
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

#[test]
fn cold_without_keys_nobody_is_let_in_or_refused() -> Result<()> {
    let (longest, longest_start) = (Longest::default(), Longest::default());
    each(Fault::ALL, |&fault| {
        let mut gate = Gate::open(|proxy| proxy.fail(fault), &[])?;
        // A cold start is a part of what the first caller waits for; Lambda gives it 10 s.
        ensure!(gate.function.init() <= Duration::from_secs(3), "{:?}", gate.function.init());
        let good = gate.good()?;
        let expected = if is_survived(fault) { "Allowed" } else { "KeySetUnavailable" };
        for pause_ms in [0, 600, 0, 1_100] {
            std::thread::sleep(Duration::from_millis(pause_ms));
            longest.note(gate.gets(&good, expected, BOUND).context("K08")?);
            longest_start.note(gate.function.init());
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
    println!("longest answer and longest start without a key set: {:?}, {:?}", longest.get(), longest_start.get());
    Ok(())
}

#[test]
fn cold_a_key_set_that_fails_once_is_asked_again() -> Result<()> {
    let once = Fault::ALL.into_iter().filter(|fault| !matches!(fault, Fault::Refusing | Fault::Deaf));
    each(once, |&fault| {
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
    let longest = Longest::default();
    each(Fault::ALL, |&fault| {
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
            longest.note(elapsed);
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
    println!("longest answer with old keys: {:?}", longest.get());
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
