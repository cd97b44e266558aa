//! Files cut into rows, one at a time: however long the file, only one row of it
//! is held.

mod bounded;
mod cells;
mod document;
mod lines;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use super::fields::Fields;
use super::format::Layout;
use crate::output::Failure;
use bounded::Bounded;

/// One row, or `None` where it is not in the shape of the layout.
///
/// Rows are numbered as an editor or a spreadsheet shows them: by line in
/// NDJSON, from the heading on in CSV, from 1 in the users of a document.
pub(super) struct Row {
    /// Its number.
    pub(super) number: u64,
    /// What it holds.
    pub(super) fields: Option<Fields>,
}

/// Reads a file and hands its rows on until there are no more, or until `take`
/// has had enough. A file that is no such file at all is a failure.
pub(super) fn read(path: &Path, layout: Layout, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure::file(path, error))?;
    let reader = BufReader::with_capacity(64 * 1024, file);
    let refused = |problem| Failure::usage("FileUnreadable", format!("{}: {problem}", path.display()));
    cut(reader, layout, take).map_err(refused)
}

/// Cuts what a reader reads. The error says what is wrong and quotes nothing.
fn cut(mut reader: impl BufRead, layout: Layout, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), String> {
    // Spreadsheets put a mark in front of UTF-8.
    let start = reader.fill_buf().map_err(|error| error.to_string())?;
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    reader.consume(mark);
    let bounded = Bounded::new(reader);
    match layout {
        Layout::Csv => cells::read(bounded, take),
        Layout::Lines => lines::read(bounded, take),
        Layout::Document => document::read(bounded, take),
    }
}

#[cfg(test)]
mod tests;
