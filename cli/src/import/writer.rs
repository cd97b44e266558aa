//! Rows gathered into windows. A window is written until all of it is in the
//! table; then, and only then, the state says so.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use super::aws::LegacyTable;
use super::person::Entry;
use super::rows::{Key, Row};
use super::state::{Progress, StateFile};
use crate::output::Failure;

/// What one strongly consistent read can ask for.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const ROWS_IN_A_WINDOW: usize = 100;

/// How often in a row an attempt may write nothing at all.
const VAIN_ATTEMPTS: u32 = 12;

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Writes users, in the order of the file.
pub(super) struct Writer {
    table: LegacyTable,
    state: StateFile,
    progress: Progress,
    window: Vec<Row>,
    /// The rows of the export that are in the window.
    users: u64,
    last: u64,
}

impl Writer {
    /// A writer that goes on where `progress` ends.
    pub(super) fn new(table: LegacyTable, state: StateFile, progress: Progress) -> Self {
        Self { table, state, progress, window: Vec::new(), users: 0, last: progress.row }
    }

    /// Takes a user; he is written with the window that he is in.
    pub(super) async fn take(&mut self, entry: &Entry) -> Result<(), Failure> {
        if entry.row <= self.progress.row {
            return Ok(());
        }
        if self.window.len() + entry.keys.names.len() > ROWS_IN_A_WINDOW {
            self.flush().await?;
        }
        self.window.extend(Row::of(entry));
        self.users += 1;
        self.last = entry.row;
        Ok(())
    }

    /// Writes what is left; the state is no longer needed.
    pub(super) async fn finish(mut self) -> Result<Progress, Failure> {
        self.flush().await?;
        self.state.remove()?;
        Ok(self.progress)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        if self.window.is_empty() {
            return Ok(());
        }
        let renewed = self.write_window().await?;
        self.progress.renewed += renewed;
        self.progress.new += self.users - renewed;
        self.progress.row = self.last;
        self.users = 0;
        self.state.write(self.progress)
    }

    /// Answers how many of the users were in the table before.
    async fn write_window(&mut self) -> Result<u64, Failure> {
        let mut renewed = HashSet::new();
        let mut vain = 0;
        while !self.window.is_empty() {
            let attempt = self.table.attempt(&self.window, now()).await?;
            renewed.extend(attempt.updated.iter().map(|key| key.id().to_owned()));
            let written: HashSet<Key> = attempt.put.into_iter().chain(attempt.updated).collect();
            self.window.retain(|row| !written.contains(&row.key));
            vain = if written.is_empty() { vain + 1 } else { 0 };
            if vain == VAIN_ATTEMPTS {
                return Err(self.gave_up());
            }
            if !self.window.is_empty() {
                tokio::time::sleep(pause(vain)).await;
            }
        }
        Ok(u64::try_from(renewed.len()).unwrap_or(u64::MAX))
    }

    fn gave_up(&self) -> Failure {
        let Progress { row, .. } = self.progress;
        let text = "the table takes no more rows: it is throttled or cannot be reached";
        Failure::failed(
            "TableBusy",
            format!("{text}; everything up to row {row} is in it, --resume goes on from there"),
        )
    }
}

/// Twice as long after each attempt in vain.
fn pause(vain: u32) -> Duration {
    SHORTEST_PAUSE.saturating_mul(1_u32.checked_shl(vain).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

/// In seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_end_within_a_minute() {
        let table = [(0, 50), (1, 100), (2, 200), (6, 3_200), (7, 5_000), (31, 5_000), (32, 5_000), (u32::MAX, 5_000)];
        for (vain, milliseconds) in table {
            assert_eq!(pause(vain), Duration::from_millis(milliseconds), "{vain}");
        }
        let all: Duration = (1..VAIN_ATTEMPTS).map(pause).sum();
        assert!((Duration::from_secs(20)..Duration::from_secs(60)).contains(&all), "{all:?}");
    }
}
