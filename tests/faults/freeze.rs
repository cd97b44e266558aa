//! Lambda freezes an instance between two events. What it was connected to goes
//! on living, and nothing of it may cost the next person his sign-in.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::Function;
use tests::faults::Death;

use crate::subject::{Bench, SUBJECTS, Subject, run_all};

const DEATHS: [Death; 3] = [Death::Reset, Death::Closed, Death::Forgotten];

/// Stops a process, or lets it go on.
fn signal(function: &Function, name: &str) -> Result<()> {
    let sent = Command::new("kill").args([name, &function.process().to_string()]).status()?;
    ensure!(sent.success(), "kill {name}");
    Ok(())
}

#[test]
fn after_a_freeze_with_dead_connections_the_next_event_is_served() -> Result<()> {
    let rows: Vec<_> = SUBJECTS.into_iter().flat_map(|subject| DEATHS.map(|death| (subject, death))).collect();
    run_all(
        rows,
        6,
        |(subject, death)| format!("{} whose connections were {death:?}", subject.name),
        |(subject, death)| row(*subject, *death),
    )
}

fn row(subject: Subject, death: Death) -> Result<()> {
    let mut bench = Bench::start(subject)?;
    for _ in 0..3 {
        bench.serve().context("before")?;
    }
    // Twice: the second freeze finds connections that were made after the first.
    for round in 1..=2 {
        let kept = bench.proxy.connections();
        signal(&bench.function, "-STOP")?;
        bench.proxy.kill_connections(death);
        std::thread::sleep(Duration::from_millis(500));
        signal(&bench.function, "-CONT")?;
        let (elapsed, _) = bench.serve().with_context(|| format!("after freeze {round} with {kept} connections"))?;
        ensure!(elapsed <= subject.bound, "{elapsed:?}, more than {:?}, with {kept} connections", subject.bound);
    }
    Ok(())
}
