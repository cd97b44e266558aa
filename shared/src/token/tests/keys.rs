//! The key set as a document: rows H33 to H36 and K13, K14.

use serde_json::{Value, json};

use super::support::{ISSUER_A, KEY_A, KEY_B, NOW, access, encode, rules, signed, with};
use crate::token::KeySetProblem::{DuplicateKeyId, Malformed, NoUsableKey, TooLarge};
use crate::token::{KeySet, KeySetProblem, MAX_KEY_SET_BYTES, Unverified, verify};

/// The product of two primes of 1,024 bits that were made as the bad library
/// made them: `k * M + (65537^a mod M)`, where M is the product of the first 126
/// primes.
const MARKED: &str = "\
    b6c2f7de3f420e9e34340198735a47fe36f1e68e92c5a6b6b80b0c0ad8713241537351e907e9a8011f1282d1c1ac1eb2\
    371c377d35a77a2b0bd62e0a063408b1d5f59c3af535e08112782ecbd7051028275900e1d0a56019ceb0336846c6c95e\
    c685a4e0f2906acac9fb6ddf164a443e50799202bd1046326dcc1e354b9bd08cec05a1d5ac9922fb1dad8ed409a6fa2f\
    0886faf0d9889996c86adef3c137c8794e8d2df36cd400fed8b1ffcdb65c25a5b4ad85e2f8ba4714a211bf37226c174d\
    46f081f6fd23e733ee92eb6e7ea6dc483a2466488f43bde5a6d6d6e65760b5567272c462b66802b70423d60332c57a9f\
    d891856a5f399eac6b7872d13b6a4043";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn a_key_that_can_be_factored_is_passed_over() {
    let marked = bytes(MARKED);
    assert_eq!(marked.len(), 256);
    let key = |n: &[u8]| json!({"keys": [with(KEY_A.jwk(), "n", Some(json!(encode(n))))]});
    assert_eq!(read(&key(&marked)).err(), Some(NoUsableKey), "H35 the mark of CVE-2017-15361");
    // What is off the mark by a little is an ordinary number.
    for (at, by) in [(255, 2), (255, 6), (128, 1), (0, 1)] {
        let mut other = marked.clone();
        other[at] ^= by;
        assert!(read(&key(&other)).is_ok(), "byte {at}");
    }
}

fn read(document: &Value) -> Result<KeySet, KeySetProblem> {
    KeySet::read(ISSUER_A, document.to_string().as_bytes())
}

#[test]
fn a_document_that_is_no_key_set_is_refused_whole() {
    let good = json!({"keys": [KEY_A.jwk()]}).to_string();
    let table = [
        ("K13 nothing", String::new(), Malformed),
        ("K13 a page", "<html><body>503</body></html>".to_owned(), Malformed),
        ("K13 byte order mark", format!("\u{feff}{good}"), Malformed),
        ("K14 no keys", "{}".to_owned(), Malformed),
        ("K14 an object", r#"{"keys":{}}"#.to_owned(), Malformed),
        ("K14 null", r#"{"keys":null}"#.to_owned(), Malformed),
        ("K14 an array", format!("[{good}]"), Malformed),
        ("K14 keys twice", r#"{"keys":[],"keys":[]}"#.to_owned(), Malformed),
        ("K14 no entry", r#"{"keys":[]}"#.to_owned(), NoUsableKey),
        ("K14 no object", r#"{"keys":[1,"x",null]}"#.to_owned(), NoUsableKey),
        ("K11 too large", format!("{good}{}", " ".repeat(MAX_KEY_SET_BYTES)), TooLarge),
        ("K14 cut off", good.strip_suffix('}').unwrap().to_owned(), Malformed),
    ];
    for (name, text, expected) in table {
        assert_eq!(KeySet::read(ISSUER_A, text.as_bytes()).err(), Some(expected), "{name}");
    }
    let largest = format!("{good}{}", " ".repeat(MAX_KEY_SET_BYTES - good.len()));
    assert!(KeySet::read(ISSUER_A, largest.as_bytes()).is_ok(), "K11 as large as it may be");
    let told = [TooLarge, Malformed, DuplicateKeyId, NoUsableKey].map(|problem| problem.to_string());
    let words = ["is too large", "is not a JSON key set", "names two keys alike", "has no usable key"];
    assert_eq!(told, words.map(|words| format!("the key set {words}")));
    let twice = json!({"keys": [KEY_A.jwk(), with(KEY_B.jwk(), "kid", Some(json!("kA1")))]});
    assert_eq!(read(&twice).err(), Some(DuplicateKeyId), "H34");
}

#[test]
fn an_entry_that_cannot_be_used_is_passed_over() {
    let without_last = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let even = [without_last(&KEY_A.n), vec![2]].concat();
    let small = [&KEY_A.n[..127], &[1]].concat();
    let large = [vec![0x81; 2047], vec![1]].concat();
    let short = [vec![0x7f], KEY_A.n[1..].to_vec()].concat();
    let with_zero = [vec![0], KEY_A.n.clone()].concat();
    let odd_4097 = [vec![1], vec![0; 511], vec![1]].concat();
    let n = |bytes: Vec<u8>| Some(json!(encode(bytes)));
    let table = [
        ("H33 oct", "kty", Some(json!("oct"))),
        ("H33 EC", "kty", Some(json!("EC"))),
        ("H33 OKP", "kty", Some(json!("OKP"))),
        ("case", "kty", Some(json!("rsa"))),
        ("no type", "kty", None),
        ("no name", "kid", None),
        ("empty name", "kid", Some(json!(""))),
        ("name as a number", "kid", Some(json!(1))),
        ("for encryption", "use", Some(json!("enc"))),
        ("use as a list", "use", Some(json!(["sig"]))),
        ("operations without verify", "key_ops", Some(json!(["sign"]))),
        ("operations as a text", "key_ops", Some(json!("verify"))),
        ("another algorithm", "alg", Some(json!("PS256"))),
        ("no algorithm", "alg", Some(json!("none"))),
        ("H35 1024 bits", "n", n(small)),
        ("H35 2047 bits", "n", n(short)),
        ("H35 4097 bits", "n", n(odd_4097)),
        ("H35 16384 bits", "n", n(large)),
        ("H35 n even", "n", n(even)),
        ("H35 n zero", "n", n(vec![0])),
        ("H35 n empty", "n", Some(json!(""))),
        ("H35 n with a leading zero", "n", n(with_zero)),
        ("n as a number", "n", Some(json!(5))),
        ("n with padding", "n", Some(json!(format!("{}=", encode(&KEY_A.n))))),
        ("n missing", "n", None),
        ("H35 e = 1", "e", n(vec![1])),
        ("H35 e = 3", "e", n(vec![3])),
        ("H35 e even", "e", n(vec![1, 0, 2])),
        ("H35 e above 2^32", "e", n(vec![1, 0, 0, 0, 1])),
        ("H35 e with a leading zero", "e", n(vec![0, 1, 0, 1])),
        ("H35 e empty", "e", Some(json!(""))),
    ];
    for (name, member, value) in table {
        let bad = with(with(KEY_A.jwk(), "kid", Some(json!("bad"))), member, value);
        assert_eq!(read(&json!({"keys": [bad]})).err(), Some(NoUsableKey), "{name}");
        let mixed = read(&json!({"keys": [bad, KEY_B.jwk(), 7]})).unwrap();
        assert!(mixed.has("kB1") && !mixed.has("bad"), "{name}");
        assert_eq!(mixed.skipped(), 2, "{name}");
    }
}

#[test]
fn what_a_key_may_leave_out() {
    for (member, value) in [("use", None), ("alg", None), ("key_ops", Some(json!(["verify"]))), ("x", Some(json!(1)))] {
        let keys = read(&json!({"keys": [with(KEY_A.jwk(), member, value)]})).unwrap();
        assert!(keys.has("kA1"), "{member}");
        assert!(!keys.leaks_private_key());
    }
}

#[test]
fn of_a_private_key_only_the_public_part_is_read() {
    let leaky = with(KEY_A.jwk(), "d", Some(json!("c2VjcmV0")));
    let keys = read(&json!({"keys": [leaky]})).unwrap();
    assert!(keys.leaks_private_key(), "H36");
    let token = signed(&access());
    assert!(verify(&rules(), &Unverified::parse(&token).unwrap(), &keys, NOW).is_ok());
}
