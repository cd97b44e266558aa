//! Instructions of a warm call and the size of a package, against a committed
//! baseline.
//!
//! Callgrind counts instructions, which are the same on a busy machine and on an
//! idle one; what a time could never be, this is a test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tests::workspace_root;

use crate::functions::{self, Counted};

/// What is more than so many percent above the baseline fails.
const TOLERANCE: u64 = 5;
/// The difference between a run with these many calls and one with twice as many
/// is that of so many warm calls.
const CALLS: u32 = 100;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Count {
    instructions_a_call: u64,
    zipped_bytes: u64,
}

/// Counts, compares and tells; an error names what has grown.
pub(crate) fn table(update: bool) -> Result<String> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        bail!("valgrind is missing; it counts the instructions (Debian: apt-get install valgrind)");
    }
    functions::COUNTED.iter().try_for_each(|name| functions::build(&[name]))?;
    let file = workspace_root().join("bench/baseline.json");
    let mut counts = BTreeMap::new();
    for subject in functions::counted()? {
        counts.insert(subject.name().to_owned(), count(&subject)?);
    }
    if update {
        std::fs::write(&file, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    let text = std::fs::read_to_string(&file).context("bench/baseline.json is not there yet; --update writes it")?;
    let baseline: BTreeMap<String, Count> = serde_json::from_str(&text)?;
    compare(&counts, &baseline)
}

fn compare(counts: &BTreeMap<String, Count>, baseline: &BTreeMap<String, Count>) -> Result<String> {
    let mut text =
        String::from("## Instructions and sizes\n\n| | now | baseline | change |\n| --- | ---: | ---: | ---: |\n");
    let mut grown = Vec::new();
    for (name, now) in counts {
        let before =
            baseline.get(name).with_context(|| format!("bench/baseline.json knows no {name}; --update writes it"))?;
        let rows = [
            ("instructions a call", now.instructions_a_call, before.instructions_a_call),
            ("bytes zipped", now.zipped_bytes, before.zipped_bytes),
        ];
        for (what, now, before) in rows {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let change = now as f64 / before as f64 - 1.0;
            let _ = writeln!(text, "| {name}, {what} | {now} | {before} | {:+.1} % |", change * 100.0);
            if now * 100 > before * (100 + TOLERANCE) {
                grown.push(format!("{name}: {what} {:+.1} %", change * 100.0));
            }
        }
    }
    if grown.is_empty() { Ok(text) } else { bail!("{text}\nmore than 5 % above the baseline: {}", grown.join(", ")) }
}

fn count(subject: &Counted) -> Result<Count> {
    crate::say(&format!("{}: counting instructions", subject.name()));
    let (few, many) = (instructions(subject, CALLS)?, instructions(subject, 2 * CALLS)?);
    Ok(Count { instructions_a_call: many.saturating_sub(few) / u64::from(CALLS), zipped_bytes: subject.zipped()? })
}

/// All instructions of a process with so many calls.
fn instructions(subject: &Counted, calls: u32) -> Result<u64> {
    let out = folder()?.join(format!("{}.callgrind", subject.name()));
    drop(std::fs::remove_file(&out));
    let mut running =
        subject.under(&["valgrind", "--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])?;
    for _ in 0..calls {
        running.call(&subject.event)?;
    }
    // At this signal Callgrind writes what it has counted.
    let status = Command::new("kill").args(["-TERM", &running.id().to_string()]).status()?;
    if !status.success() {
        bail!("{} ended early", subject.name());
    }
    for _ in 0..300 {
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        if let Some(line) = text.lines().find_map(|line| line.strip_prefix("totals: ")) {
            return line.trim().parse().context("callgrind's total is no number");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("callgrind wrote no total for {}", subject.name())
}

fn folder() -> Result<PathBuf> {
    let folder = workspace_root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests_of_comparison {
    use super::*;

    #[test]
    fn more_than_five_percent_above_the_baseline_fails() {
        let counts = |instructions, bytes| {
            let count = Count { instructions_a_call: instructions, zipped_bytes: bytes };
            BTreeMap::from([("authorizer".to_owned(), count)])
        };
        let table = [
            ("the same", counts(1_000, 1_000), true),
            ("five percent", counts(1_050, 1_000), true),
            ("more instructions", counts(1_051, 1_000), false),
            ("a larger package", counts(1_000, 1_051), false),
            ("less of both", counts(500, 500), true),
            ("another function", BTreeMap::new(), true),
        ];
        for (name, now, passes) in table {
            assert_eq!(compare(&now, &counts(1_000, 1_000)).is_ok(), passes, "{name}");
        }
        assert!(compare(&counts(1, 1), &BTreeMap::new()).is_err(), "what has no baseline is not compared");
    }
}
