//! Signatures made to find verifiers out: all that Wycheproof has for RSA
//! (PKCS #1, version 1.5) with SHA-256 and SHA-512, at every size we take.
//! <https://github.com/C2SP/wycheproof>

use serde_json::json;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestGroup, TestName, TestSet};

use super::support::encode;
use crate::token::Profile;
use crate::token::key::Key;
use crate::token::profile::Algorithm;

/// The key of a group, read as an entry of a key set.
fn key(profile: Profile, algorithm: Algorithm, group: &TestGroup) -> Option<Key> {
    let (n, e) = (encode(significant(&group.key.n)), encode(significant(&group.key.e)));
    let entry = json!({"kty": "RSA", "kid": "k", "use": "sig", "alg": algorithm.name(), "n": n, "e": e});
    Key::read(profile, entry.as_object()?).map(|(_, key)| key)
}

/// The number without zeros before it, as key sets write it.
fn significant(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

#[test]
fn every_vector_is_answered_as_it_should_be() {
    use Algorithm::{Rs256, Rs512};
    let (pool, guests) = (Profile::UserPool, Profile::IdentityPool);
    let sets = [
        (TestName::Rsa2048Sha256, pool, Rs256, 2048),
        (TestName::Rsa3072Sha256, pool, Rs256, 3072),
        (TestName::Rsa4096Sha256, pool, Rs256, 4096),
        (TestName::Rsa2048Sha512, guests, Rs512, 2048),
        (TestName::Rsa3072Sha512, guests, Rs512, 3072),
        (TestName::Rsa4096Sha512, guests, Rs512, 4096),
    ];
    let (mut good, mut bad, mut unusable) = (0, 0, 0);
    for (name, profile, algorithm, bits) in sets {
        let set = TestSet::load(name).unwrap();
        for group in &set.test_groups {
            assert_eq!(group.key_size, bits, "{name:?}");
            // An exponent of 3 is below what FIPS 186-5 asks for.
            let takes = group.key.e.as_slice() == [1, 0, 1];
            let key = key(profile, algorithm, group);
            assert_eq!(key.is_some(), takes, "{name:?} e = {:?}", group.key.e);
            let Some(key) = key else {
                unusable += group.tests.len();
                continue;
            };
            for test in &group.tests {
                let signed = key.signed(algorithm, &test.msg, &test.sig);
                // What some verifiers let pass (a hash without its NULL) is no signature to us.
                assert_eq!(signed, test.result == TestResult::Valid, "{name:?} {} {}", test.tc_id, test.comment);
                *(if signed { &mut good } else { &mut bad }) += 1;
            }
        }
    }
    assert_eq!((good, bad, unusable), (42, 1507, 5), "vectors that are good, bad, and under keys we do not take");
}

#[test]
fn larger_keys_are_not_read_at_all() {
    for (name, algorithm) in [(TestName::Rsa8192Sha256, Algorithm::Rs256), (TestName::Rsa8192Sha512, Algorithm::Rs512)]
    {
        for group in TestSet::load(name).unwrap().test_groups {
            assert_eq!(group.key_size, 8192);
            assert!(key(Profile::IdentityPool, algorithm, &group).is_none(), "{name:?}");
        }
    }
}
