//! One JSON object on each line.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::bounded::Bounded;
use super::{Fields, Row};

pub(super) fn read<R: BufRead>(
    mut reader: Bounded<R>,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), String> {
    let next_row = reader.next_row();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        next_row.begins();
        number += 1;
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).map_err(|error| format!("line {number}: {error}"))?;
        if bytes == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let fields = serde_json::from_slice(&line).ok().map(Fields::of_object);
        if take(Row { number, fields }).is_break() {
            return Ok(());
        }
    }
}
