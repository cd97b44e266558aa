//! Key sets, as both kinds of issuer publish them.
#![no_main]

use fuzz::ISSUER;
use libfuzzer_sys::fuzz_target;
use shared::token::{KeySet, MAX_KEY_SET_BYTES, Profile};

fuzz_target!(|data: &[u8]| {
    for profile in [Profile::UserPool, Profile::IdentityPool] {
        let Ok(keys) = KeySet::read_as(profile, ISSUER, data) else { continue };
        assert!(data.len() <= MAX_KEY_SET_BYTES && keys.issuer() == ISSUER);
        assert!(!keys.has(""), "a key without a name");
    }
});
