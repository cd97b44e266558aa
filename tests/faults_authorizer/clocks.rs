//! A wrong clock, and what is left of a connection after a freeze.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::Function;
use tests::clock::Clock;
use tests::faults::{Death, Fault};

use crate::table::{Table, Unavailable};
use crate::{BOUND, Gate, Longest, WARM, each};

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
    ensure!(gate.issuer.fetches() == 1, "K18 the age of keys goes by the other clock");
    clock.set(0, 0)?;
    let good = gate.good()?;
    gate.gets(&good, "Allowed", WARM).map(drop)
}

#[test]
fn a_clock_that_is_wrong_by_minutes_cannot_ask_the_table() -> Result<()> {
    // The service refuses a signature that is five minutes away from its own clock.
    let table = [(0, true), (240, true), (-30, true), (360, false), (30 * 60, false), (0, true)];
    for unavailable in [Unavailable::Refuse, Unavailable::Allow] {
        let clock = Clock::new()?;
        let mut gate = Gate::minding(Table::start(unavailable)?, &clock.settings()?)?;
        for (away, is_heard) in table {
            clock.set(away, 0)?;
            let good = gate.good()?;
            let expected = if is_heard { "Allowed" } else { unavailable.code() };
            gate.gets(&good, expected, BOUND).with_context(|| format!("{unavailable:?}, {away} s away"))?;
        }
    }
    Ok(())
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
        gate.proxy.kill_connections(Death::Forgotten);
        std::thread::sleep(Duration::from_millis(300));
        clock.set(0, hours * 3_600)?;
        signal(&gate.function, "-CONT")?;
        gate.gets(&good, "Allowed", BOUND).with_context(|| format!("K19 {fault:?}, {hours} hours later"))?;
    }
    Ok(())
}

#[test]
fn after_a_freeze_with_dead_connections_the_table_is_asked_anew() -> Result<()> {
    let deaths = [Death::Reset, Death::Closed, Death::Forgotten];
    // How much of it the clock saw that says how old a connection is.
    let rows = deaths.into_iter().flat_map(|death| [0, 600].map(|slept_s| (death, slept_s)));
    let longest = Longest::default();
    each(rows, |&(death, slept_s)| {
        let clock = Clock::new()?;
        let mut gate = Gate::minding(Table::start(Unavailable::Refuse)?, &clock.settings()?)?;
        let good = gate.good()?;
        gate.gets(&good, "Allowed", BOUND)?;
        // Twice: the second freeze finds a connection that was made after the first.
        for round in 1..=2 {
            signal(&gate.function, "-STOP")?;
            let table = gate.table()?;
            table.proxy.kill_connections(death);
            gate.proxy.kill_connections(death);
            table.end(&format!("s-{round}"))?;
            std::thread::sleep(Duration::from_millis(300));
            clock.set(0, round * slept_s)?;
            signal(&gate.function, "-CONT")?;
            let (good, ended) = (gate.good()?, gate.of_session(&format!("s-{round}"))?);
            longest.note(gate.gets(&good, "Allowed", BOUND).with_context(|| format!("K19 after freeze {round}"))?);
            gate.gets(&ended, "SessionEnded", BOUND).with_context(|| format!("C37 ended in freeze {round}"))?;
        }
        Ok(())
    })?;
    println!("longest answer after a freeze, with a table: {:?}", longest.get());
    Ok(())
}

fn signal(function: &Function, name: &str) -> Result<()> {
    let sent = std::process::Command::new("kill").args([name, &function.process().to_string()]).status()?;
    ensure!(sent.success(), "kill {name}");
    Ok(())
}
