//! The rejected rows: all of them in a file, the first of them in the answer.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::rejection::Rejection;
use crate::output::Failure;

/// How many rows the answer itself names.
const NAMED: usize = 20;

/// A rejected row as the report has it. None of the three comes from the row.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    row: u64,
    code: &'static str,
    reason: String,
}

/// Where rejected rows are noted.
pub(super) struct Report {
    file: Option<(PathBuf, csv::Writer<File>)>,
    first: Vec<Line>,
}

impl Report {
    /// Starts a report, in a file when there is to be one.
    pub(super) fn start(path: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| -> Result<_, Failure> {
            let file = File::create(path).map_err(|error| Failure::file(path, error))?;
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
            writer.write_record(["row", "code", "reason"]).map_err(|error| Failure::file(path, error))?;
            Ok((path.to_owned(), writer))
        };
        Ok(Self { file: path.map(open).transpose()?, first: Vec::new() })
    }

    /// Notes a row.
    pub(super) fn note(&mut self, row: u64, rejection: Rejection) -> Result<(), Failure> {
        let line = Line { row, code: rejection.code(), reason: rejection.to_string() };
        if let Some((path, writer)) = &mut self.file {
            writer.serialize(&line).map_err(|error| Failure::file(path, error))?;
        }
        if self.first.len() < NAMED {
            self.first.push(line);
        }
        Ok(())
    }

    /// Ends the report; the first lines are for the answer.
    pub(super) fn finish(self) -> Result<Vec<Line>, Failure> {
        if let Some((path, mut writer)) = self.file {
            writer.flush().map_err(|error| Failure::file(&path, error))?;
        }
        Ok(self.first)
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}: {} ({})", self.row, self.reason, self.code)
    }
}
