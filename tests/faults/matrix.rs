//! Every function before every fault, once and for as long as it lasts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::faults::Fault;

use crate::subject::{Bench, SUBJECTS, Subject, run_all, seconds};

/// Rows side by side: most of their time they wait.
const AT_A_TIME: usize = 10;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Served,
    Broken,
}

/// What becomes of a call whose first request meets the fault. What may pass is
/// tried again, what is an answer is not.
fn once(fault: Fault) -> Option<Fate> {
    match fault {
        Fault::Invalid | Fault::Denied | Fault::NotJson | Fault::Overlong => Some(Fate::Broken),
        // These meet whoever connects, so they have no first request.
        Fault::Refusing | Fault::Deaf => None,
        _ => Some(Fate::Served),
    }
}

/// What becomes of a call all of whose requests meet it. The SDK looks at no
/// checksum of DynamoDB: TLS vouches for the bytes.
fn lasting(fault: Fault) -> Fate {
    if fault == Fault::WrongChecksum { Fate::Served } else { Fate::Broken }
}

/// How long the calls of a row took.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    once: Option<Duration>,
    lasting: Duration,
}

#[test]
fn every_function_answers_every_fault_as_documented_and_serves_again() -> Result<()> {
    let all = SUBJECTS.into_iter().flat_map(|subject| Fault::ALL.map(|fault| (subject, fault)));
    // One seldom wants all of them while looking for a cause.
    let only = std::env::var("POOLHOUSE_FAULT").unwrap_or_default();
    let rows: Vec<_> = all.filter(|row| name(row).contains(&only)).collect();
    let measured = Mutex::new(BTreeMap::new());
    run_all(rows, AT_A_TIME, name, |(subject, fault)| {
        let times = row(*subject, *fault)?;
        let longest = times.lasting.max(times.once.unwrap_or_default());
        ensure!(longest <= subject.bound, "it took {longest:?}, more than {:?}", subject.bound);
        measured.lock().unwrap_or_else(PoisonError::into_inner).insert((subject.name, *fault), times);
        Ok(())
    })?;
    println!("{}", table(&measured.into_inner().unwrap_or_else(PoisonError::into_inner)));
    Ok(())
}

fn name((subject, fault): &(Subject, Fault)) -> String {
    format!("{} before {fault:?}", subject.name)
}

/// Calm, the fault once, calm, the fault for as long as it lasts, calm.
fn row(subject: Subject, fault: Fault) -> Result<Times> {
    let mut bench = Bench::start(subject)?;
    let mut times = Times::default();
    bench.serve().context("before")?;
    if let Some(fate) = once(fault) {
        bench.proxy.fail_some(fault, 1, "");
        times.once = Some(meet(&mut bench, fate).context("once")?);
        bench.proxy.heal();
        bench.serve().context("after it came once")?;
    }
    bench.proxy.fail(fault);
    times.lasting = meet(&mut bench, lasting(fault)).context("lasting")?;
    bench.proxy.heal();
    bench.serve().context("after it lasted")?;
    let most = bench.function.peak_memory()?;
    ensure!(most < 128 * 1024 * 1024, "{most} bytes of memory, more than a function has");
    Ok(times)
}

fn meet(bench: &mut Bench, fate: Fate) -> Result<Duration> {
    let (elapsed, _) = match fate {
        Fate::Served => bench.serve()?,
        Fate::Broken => bench.fail()?,
    };
    Ok(elapsed)
}

/// The table of `docs/reliability.md`: the longest answers, in seconds.
fn table(measured: &BTreeMap<(&str, Fault), Times>) -> String {
    let mut table = "| function | once, longest | lasting, longest | by |\n| --- | --- | --- | --- |".to_owned();
    for subject in SUBJECTS {
        let own = || measured.iter().filter(|((name, _), _)| *name == subject.name);
        let Some(((_, worst), times)) = own().max_by_key(|(_, times)| times.lasting) else { continue };
        let once = own().filter_map(|(_, times)| times.once).max().unwrap_or_default();
        let (once, lasting) = (seconds(once), seconds(times.lasting));
        table.push_str(&format!("\n| {} | {once} | {lasting} | {worst:?} |", subject.name));
    }
    table
}
