//! Items and outcomes for the tests.

use records::{Item, PK, SK, Stale, Value, WriteError, text};

pub(crate) const NOW: u64 = 1_800_000_000;

/// An item of the partition `p`.
pub(crate) fn item(sk: &str, attributes: &[(&str, Value)]) -> Item {
    let key = [(PK.to_owned(), text("p")), (SK.to_owned(), text(sk))];
    key.into_iter().chain(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
}

/// An outcome in words: what a caller can tell apart.
pub(crate) fn told(outcome: Result<(), WriteError>) -> String {
    match outcome {
        Ok(()) => "written".to_owned(),
        Err(WriteError::Stale(stale)) => {
            let told = stale.iter().map(|Stale { index, found }| match found {
                None => format!("{index} gone"),
                Some(_) => format!("{index} differs"),
            });
            told.collect::<Vec<_>>().join(", ")
        }
        Err(WriteError::Busy) => "busy".to_owned(),
        Err(WriteError::Invalid(places)) => format!("invalid {places:?}"),
        Err(WriteError::Unknown(_)) => "unknown".to_owned(),
    }
}
