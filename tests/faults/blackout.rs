//! Nothing answers, from the first event on: how long people wait at worst.
//!
//! The bounds are those that `docs/reliability.md` promises, and nobody else of
//! this test runs meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tests::faults::Fault;

use crate::subject::{Bench, SUBJECTS, Subject, run_all, seconds};

/// As dark as it gets: what is asked is never answered, what is not there says
/// so, what is unplugged says nothing, not even to an attempt to connect.
const DARK: [Fault; 3] = [Fault::Silent, Fault::Refusing, Fault::Deaf];

#[test]
fn in_the_dark_everybody_is_answered_in_time_and_served_when_the_light_is_back() -> Result<()> {
    let rows: Vec<_> = SUBJECTS.into_iter().flat_map(|subject| DARK.map(|fault| (subject, fault))).collect();
    let measured = Mutex::new(Vec::new());
    run_all(
        rows,
        4,
        |(subject, fault)| format!("{} in {fault:?}", subject.name),
        |(subject, fault)| {
            let mut bench = Bench::with(*subject, |proxy| proxy.fail(*fault), &[])?;
            let (mut longest, mut said) = (Duration::ZERO, String::new());
            // The second finds what the first has left: connections, and a budget of retries.
            for _ in 0..2 {
                let (elapsed, code) = bench.fail()?;
                ensure!(elapsed <= subject.bound, "{elapsed:?}, more than {:?}", subject.bound);
                (longest, said) = (longest.max(elapsed), code);
            }
            measured.lock().unwrap_or_else(PoisonError::into_inner).push((subject.name, *fault, longest, said));
            bench.proxy.heal();
            bench.serve().map(drop)
        },
    )?;
    let mut measured = measured.into_inner().unwrap_or_else(PoisonError::into_inner);
    measured.sort_by_key(|(name, fault, ..)| (*name, *fault));
    println!("| function | black-out | longest answer, s | code |\n| --- | --- | --- | --- |");
    for (name, fault, longest, code) in measured {
        println!("| {name} | {fault:?} | {} | `{code}` |", seconds(longest));
    }
    Ok(())
}

#[test]
fn a_long_outage_uses_nothing_up() -> Result<()> {
    // The SDK has a budget for retries; what is left of it after an outage must
    // not decide about the first call afterwards.
    let mut bench = Bench::start(crate::subject::subject("pre-sign-up, by invitation")?)?;
    bench.serve()?;
    bench.proxy.fail(Fault::Failing);
    for _ in 0..80 {
        bench.fail()?;
    }
    bench.proxy.heal();
    bench.serve()?;
    // The connection that it has just used breaks.
    bench.proxy.fail_some(Fault::ResetAfter, 1, "");
    bench.serve()?;
    Ok(())
}

#[test]
fn a_secret_that_nobody_hands_out_ends_the_start_and_the_next_one_succeeds() -> Result<()> {
    let subject = Subject { case: "pre-sign-up/sign-up-challenge-missing", ..SUBJECTS[0] };
    for fault in [DARK[0], DARK[1], DARK[2], Fault::Throttled, Fault::Denied] {
        let begun = Instant::now();
        let error = Bench::with(subject, |proxy| proxy.fail(fault), &[]).err().context("it has started")?;
        let said = format!("{error:#}");
        // Lambda starts it again, and gives a start ten seconds.
        ensure!(said.contains("SettingRefused") && said.contains("CHALLENGE_SECRET_ARN"), "{fault:?}: {said}");
        ensure!(begun.elapsed() < Duration::from_secs(5), "{fault:?}: {:?}", begun.elapsed());
    }
    let (_, code) = Bench::start(subject)?.send()?;
    ensure!(code == "ChallengeMissing", "{code}");
    Ok(())
}
