//! Two kinds of issuer: what one may do is no licence for the other.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaSignatureEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{ATTACKER, ISSUER_A, KEY_A, NOW, access, encode, header, rules, signed, with};
use crate::token::Refusal::{self, AlgorithmRefused, HeaderRefused, IssuerRefused, KeyUnknown, SignatureBad};
use crate::token::{Compact, KeySet, KeySetProblem, Profile, Unverified, verify};

fn set(profile: Profile, entry: &Value) -> Result<KeySet, KeySetProblem> {
    KeySet::read_as(profile, ISSUER_A, json!({ "keys": [entry] }).to_string().as_bytes())
}

/// The pool's key as identity pools write theirs.
fn as_identity_pools_write() -> Value {
    let n = STANDARD.encode([vec![0], KEY_A.n.clone()].concat());
    json!({"kty": "RSA", "alg": "RS512", "use": "sig", "kid": "kA1", "n": n, "e": STANDARD.encode(&KEY_A.e)})
}

fn token(header: &Value, how: &'static RsaSignatureEncoding) -> String {
    let signed = format!("{}.{}", encode(header.to_string()), encode(access().to_string()));
    let mut signature = vec![0; KEY_A.pair.public_modulus_len()];
    KEY_A.pair.sign(how, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", encode(signature))
}

#[test]
fn each_kind_reads_key_sets_in_its_own_way() {
    let sign_byte = with(KEY_A.jwk(), "n", Some(json!(encode([vec![0], KEY_A.n.clone()].concat()))));
    let two_bytes = with(KEY_A.jwk(), "n", Some(json!(encode([vec![0, 0], KEY_A.n.clone()].concat()))));
    let padded = with(KEY_A.jwk(), "n", Some(json!(STANDARD.encode(&KEY_A.n))));
    let mixed = with(KEY_A.jwk(), "n", Some(json!(format!("{}=", encode([vec![0xfb; 256], vec![1]].concat())))));
    let short = with(KEY_A.jwk(), "n", Some(json!(encode([vec![0], vec![0x81; 127]].concat()))));
    let rs512 = with(KEY_A.jwk(), "alg", Some(json!("RS512")));
    let table = [
        ("as identity pools write", as_identity_pools_write(), false, true),
        ("as user pools write", KEY_A.jwk(), true, true),
        ("without an algorithm", with(KEY_A.jwk(), "alg", None), true, true),
        ("for RS512", rs512, false, true),
        ("for RS384", with(KEY_A.jwk(), "alg", Some(json!("RS384"))), false, false),
        ("for PS512", with(KEY_A.jwk(), "alg", Some(json!("PS512"))), false, false),
        ("an algorithm that is no text", with(KEY_A.jwk(), "alg", Some(json!(["RS512"]))), false, false),
        ("a sign byte", sign_byte, false, true),
        ("two zeros", two_bytes, false, false),
        ("padding", padded, false, true),
        ("two alphabets", mixed, false, false),
        ("1024 bits", short, false, false),
        ("e = 3", with(as_identity_pools_write(), "e", Some(json!("Aw=="))), false, false),
        (
            "e with a zero",
            with(as_identity_pools_write(), "e", Some(json!(STANDARD.encode([0, 1, 0, 1])))),
            false,
            false,
        ),
    ];
    for (name, entry, user_pool, identity_pool) in table {
        assert_eq!(set(Profile::UserPool, &entry).is_ok(), user_pool, "{name}, user pool");
        assert_eq!(set(Profile::IdentityPool, &entry).is_ok(), identity_pool, "{name}, identity pool");
    }
}

#[test]
fn a_key_checks_the_algorithms_that_it_is_made_for() {
    let check = |entry: &Value, token: &str| -> Result<(), Refusal> {
        Compact::parse(Profile::IdentityPool, token)?.check_signature(&set(Profile::IdentityPool, entry).unwrap())
    };
    let alg = |name: &str| json!({"kid": "kA1", "typ": "JWS", "alg": name});
    let (rs512, rs256) = (token(&alg("RS512"), &RSA_PKCS1_SHA512), token(&alg("RS256"), &RSA_PKCS1_SHA256));
    let (crossed_512, crossed_256) = (token(&alg("RS512"), &RSA_PKCS1_SHA256), token(&alg("RS256"), &RSA_PKCS1_SHA512));
    let either = with(KEY_A.jwk(), "alg", None);
    let table = [
        ("RS512, a key for it", as_identity_pools_write(), &rs512, Ok(())),
        ("RS256, a key for RS512", as_identity_pools_write(), &rs256, Err(SignatureBad)),
        ("RS256, a key for it", KEY_A.jwk(), &rs256, Ok(())),
        ("RS512, a key for RS256", KEY_A.jwk(), &rs512, Err(SignatureBad)),
        ("RS512, a key for either", either.clone(), &rs512, Ok(())),
        ("RS256, a key for either", either.clone(), &rs256, Ok(())),
        ("said RS512, done RS256", either.clone(), &crossed_512, Err(SignatureBad)),
        ("said RS256, done RS512", either, &crossed_256, Err(SignatureBad)),
        ("another's key", with(ATTACKER.jwk(), "alg", None), &rs512, Err(SignatureBad)),
        ("no such key", with(KEY_A.jwk(), "kid", Some(json!("kA2"))), &rs512, Err(KeyUnknown)),
    ];
    for (name, entry, token, expected) in table {
        assert_eq!(check(&entry, token), expected, "{name}");
    }
}

#[test]
fn a_header_says_what_its_issuers_kind_says() {
    let parse = |profile, header: &Value| {
        let signed = token(header, &RSA_PKCS1_SHA512);
        let token = Compact::parse(profile, &signed)?;
        if profile == Profile::UserPool { rules().issuers[0].check_type(token.typ()) } else { Ok(()) }
    };
    let head = |alg: &str, typ: &str| json!({"kid": "kA1", "alg": alg, "typ": typ});
    let table = [
        (head("RS512", "JWS"), Some(AlgorithmRefused), None),
        (head("RS512", "JWT"), Some(AlgorithmRefused), None),
        (head("RS256", "JWS"), Some(HeaderRefused), None),
        (head("RS256", "JWT"), None, None),
        (head("RS256", "JWE"), Some(HeaderRefused), Some(HeaderRefused)),
        (head("RS384", "JWS"), Some(AlgorithmRefused), Some(AlgorithmRefused)),
        (head("PS512", "JWS"), Some(AlgorithmRefused), Some(AlgorithmRefused)),
        (head("HS512", "JWS"), Some(AlgorithmRefused), Some(AlgorithmRefused)),
        (head("none", "JWS"), Some(AlgorithmRefused), Some(AlgorithmRefused)),
        (head("rs512", "JWS"), Some(AlgorithmRefused), Some(AlgorithmRefused)),
        (with(head("RS512", "JWS"), "jwk", Some(json!({}))), Some(HeaderRefused), Some(HeaderRefused)),
        (with(head("RS512", "JWS"), "crit", Some(json!([]))), Some(HeaderRefused), Some(HeaderRefused)),
    ];
    for (header, user_pool, identity_pool) in table {
        assert_eq!(parse(Profile::UserPool, &header).err(), user_pool, "{header}, user pool");
        assert_eq!(parse(Profile::IdentityPool, &header).err(), identity_pool, "{header}, identity pool");
    }
}

#[test]
fn keys_of_one_kind_check_no_token_of_another() {
    let token = signed(&access());
    let (strict, lenient) = (set(Profile::UserPool, &KEY_A.jwk()), set(Profile::IdentityPool, &KEY_A.jwk()));
    let (strict, lenient) = (strict.unwrap(), lenient.unwrap());
    let user_pool = |keys: &KeySet| verify(&rules(), &Unverified::parse(&token).unwrap(), keys, NOW).map(drop);
    assert_eq!((user_pool(&strict), user_pool(&lenient)), (Ok(()), Err(IssuerRefused)));
    let identity_pool = |keys: &KeySet| Compact::parse(Profile::IdentityPool, &token).unwrap().check_signature(keys);
    assert_eq!((identity_pool(&strict), identity_pool(&lenient)), (Err(IssuerRefused), Ok(())));
    assert!(header().get("typ").is_none(), "the token is one that both kinds could have signed");
}
