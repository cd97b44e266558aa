//! Functions whose clock is wrong.

use anyhow::{Context as _, Result};
use tests::clock::Clock;

use crate::subject::{Bench, SUBJECTS, run_all};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// What the clock on the wall is away by. AWS refuses signatures that are more
/// than five minutes away; a client then looks at the service's clock.
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
            bench.serve().context("set right")?;
            clock.set(*away, 0)?;
            bench.serve().context("set wrong").map(drop)
        },
    )
}
