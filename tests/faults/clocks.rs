//! Functions whose clock is wrong.

use anyhow::{Context as _, Result, bail, ensure};
use tests::clock::Clock;

use crate::subject::{Bench, SUBJECTS, check, run_all};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// What the clock on the wall is away by. AWS refuses signatures that are more
/// than five minutes away; the SDK then looks at the service's clock.
const AWAY: [i64; 8] = [-26 * HOUR, -HOUR, -6 * MINUTE, -MINUTE, MINUTE, 6 * MINUTE, HOUR, 26 * HOUR];

#[test]
fn a_clock_that_is_wrong_refuses_nobody() -> Result<()> {
    let rows: Vec<_> = SUBJECTS.into_iter().flat_map(|subject| AWAY.map(|away| (subject, away))).collect();
    run_all(
        rows,
        6,
        |(subject, away)| format!("{} {away} s away", subject.name),
        |(subject, away)| {
            let clock = Clock::new()?;
            clock.set(*away, 0)?;
            let mut bench = Bench::with(*subject, |_| {}, &clock.settings()?)?;
            bench.serve().context("from the start")?;
            bench.serve().context("again")?;
            clock.set(0, 0)?;
            set_right(&mut bench, *away)?;
            bench.serve().context("set right")?;
            clock.set(*away, 0)?;
            bench.serve().context("set wrong").map(drop)
        },
    )
}

/// The SDK goes on correcting a clock that was set right, until one call of each
/// client is refused; that one is answered as any other that fails.
fn set_right(bench: &mut Bench, away: i64) -> Result<()> {
    const MOST_CLIENTS: usize = 3;
    for _ in 0..=MOST_CLIENTS {
        let (outcome, code) = bench.send()?;
        if bench.subject.served.contains(&code.as_str()) {
            return Ok(());
        }
        ensure!(away.abs() > 5 * MINUTE, "{code}: {outcome:?}");
        check(bench.subject.broken.0, &outcome).with_context(|| code)?;
    }
    bail!("it does not come back")
}
