//! Hashes of old systems. They are read and never computed here: how long that
//! may take is the limits' affair.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::password::{Cost, StoredHash};

fuzz_target!(|text: &str| {
    let Ok(stored) = StoredHash::read(text) else { return };
    let cost = stored.cost();
    assert_eq!(cost.kind(), stored.kind());
    assert_eq!(Cost::read(&cost.to_string()).map(Cost::kind), Ok(stored.kind()), "a cost can be read again");
});
