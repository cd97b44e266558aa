//! OpenID tokens of identity pools, which prove a guest. They are signed as
//! those of user pools are here.
#![no_main]

use std::sync::LazyLock;

use fuzz::{NOW, key_set, signed};
use libfuzzer_sys::fuzz_target;
use shared::guests::IdentityPoolId;
use shared::guests::proof::{ISSUER, ProofRules, UnverifiedProof, prove};
use shared::token::{KeySet, Profile};

static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::read_as(Profile::IdentityPool, ISSUER, key_set().as_bytes()).expect("a key set"));
static TRUST: LazyLock<ProofRules> = LazyLock::new(|| ProofRules {
    pool: IdentityPoolId::parse("us-east-1:11111111-2222-4333-8444-555555555555").expect("a pool"),
    most_age_s: 600,
});

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), Some(payload)) = (lines.next(), lines.next()) else { return };
    let text = signed(header, payload);
    let Ok(proof) = UnverifiedProof::parse(&text) else { return };
    let Ok(guest) = prove(&TRUST, &proof, &KEYS, NOW) else { return };
    assert!(TRUST.pool.could_hold(guest.identity()));
});
