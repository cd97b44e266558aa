//! Batches of the stream of guests' records.
#![no_main]

#[allow(dead_code, reason = "a part of the function")]
#[path = "../../functions/guest-keeper/src/wire.rs"]
mod wire;

use fuzz::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(event) = json(data) else { return };
    let Ok(batch) = serde_json::from_str::<wire::Batch<'_>>(event.get()) else { return };
    for record in batch.records {
        if let wire::Change::Written(written) = wire::Change::read(record) {
            assert!(record.get().contains("GUEST") || record.get().contains('\\'), "{written:?}");
        }
    }
});
