//! The first reading of a file: how many rows there are, and which of them
//! claim to be the same user.
//!
//! Of two users with one sign-in name neither can be imported: whoever came first
//! would get the name, and a single file cannot say whose it is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fingerprint::{Short, short};
use super::person::Keys;
use super::rejection::Rejection;

/// What the first reading found.
#[derive(Default)]
pub(super) struct Survey {
    /// How many rows the file has.
    pub(super) rows: u64,
    /// The first row of each key.
    first: HashMap<Short, u64>,
    /// The last row of each key that several rows have.
    last: HashMap<Short, u64>,
}

impl Survey {
    /// Notes what a row claims.
    pub(super) fn note(&mut self, row: u64, keys: &Keys) {
        for key in shorts(keys) {
            match self.first.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(_) => {
                    self.last.insert(key, row);
                }
            }
        }
    }

    /// Drops what only the first reading needs.
    pub(super) fn finish(mut self) -> Self {
        self.first.retain(|key, _| self.last.contains_key(key));
        self.first.shrink_to_fit();
        self
    }

    /// Whether a row is the only one that claims its keys.
    pub(super) fn check(&self, row: u64, keys: &Keys) -> Result<(), Rejection> {
        for (index, key) in shorts(keys).enumerate() {
            if let (Some(first), Some(last)) = (self.first.get(&key), self.last.get(&key)) {
                let other = if *first == row { *last } else { *first };
                return Err(if index == 0 { Rejection::IdShared(other) } else { Rejection::NameShared(other) });
            }
        }
        Ok(())
    }
}

/// The identifier's first, then the names'.
fn shorts(keys: &Keys) -> impl Iterator<Item = Short> {
    std::iter::once(short("id", keys.id.as_str())).chain(keys.names.iter().map(|name| short("name", name)))
}

#[cfg(test)]
mod tests {
    use shared::names::LegacyId;

    use super::*;

    fn keys(id: &str, names: &[&str]) -> Keys {
        Keys { id: LegacyId::parse(id).unwrap(), names: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn of_rows_that_share_a_key_none_passes() {
        let rows = [
            (2, keys("1", &["ann@example.com", "ann"]), Err(Rejection::NameShared(6))),
            (3, keys("2", &["bob@example.com"]), Ok(())),
            (4, keys("3", &["carl@example.com"]), Err(Rejection::IdShared(5))),
            (5, keys("3", &["dora@example.com"]), Err(Rejection::IdShared(4))),
            (6, keys("4", &["ann"]), Err(Rejection::NameShared(2))),
            // An identifier is no name.
            (7, keys("bob@example.com", &["emil"]), Ok(())),
        ];
        let mut survey = Survey::default();
        for (row, keys, _) in &rows {
            survey.note(*row, keys);
        }
        let survey = survey.finish();
        for (row, keys, expected) in rows {
            assert_eq!(survey.check(row, &keys), expected, "row {row}");
        }
    }
}
