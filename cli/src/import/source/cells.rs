//! CSV with a heading.

use std::io::BufRead;
use std::ops::ControlFlow;

use csv::{ByteRecord, ErrorKind, ReaderBuilder, StringRecord};

use super::bounded::Bounded;
use super::{Fields, Row};

pub(super) fn read<R: BufRead>(reader: Bounded<R>, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), String> {
    let next_row = reader.next_row();
    let mut csv = ReaderBuilder::new().from_reader(reader);
    let headings = csv.headers().map_err(|error| message(&error))?.clone();
    if headings.iter().all(str::is_empty) {
        return Err("the file has no heading".to_owned());
    }
    let mut record = ByteRecord::new();
    // The heading is row 1.
    let mut number = 1;
    loop {
        next_row.begins();
        number += 1;
        let fields = match csv.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => fields(&headings, &record),
            Err(error) if matches!(error.kind(), ErrorKind::UnequalLengths { .. }) => None,
            Err(error) => return Err(format!("row {number}: {}", message(&error))),
        };
        if take(Row { number, fields }).is_break() {
            return Ok(());
        }
    }
}

fn fields(headings: &StringRecord, record: &ByteRecord) -> Option<Fields> {
    let record = StringRecord::from_byte_record(record.clone()).ok()?;
    Some(Fields::of_cells(headings.iter().zip(record.iter())))
}

/// The crate's texts of other errors could quote the file.
fn message(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Utf8 { .. } => "the heading is not UTF-8".to_owned(),
        _ => "this is not CSV".to_owned(),
    }
}
