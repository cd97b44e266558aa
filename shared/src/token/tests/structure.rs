//! Group S: what is not a token at all.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use serde_json::json;

use super::support::{ATTACKER, KEY_A, access, ann, check, encode, header, signed, with};
use crate::token::{MAX_TOKEN_BYTES, Refusal};

#[test]
fn a_good_token_proves_its_caller() {
    let verified = check(&signed(&access())).unwrap();
    assert_eq!(verified.caller(), &ann());
    assert_eq!(verified.client_id(), "1example23456789");
}

#[test]
fn what_is_not_three_canonical_segments_is_malformed() {
    let good = signed(&access());
    let parts: Vec<&str> = good.split('.').collect();
    let [h, p, s] = [parts[0], parts[1], parts[2]];
    let flattened = json!({"protected": h, "payload": p, "signature": s}).to_string();
    let table = [
        ("S01 empty", String::new()),
        ("S02 one dot", ".".to_owned()),
        ("S02 two dots", "..".to_owned()),
        ("S02 three dots", "...".to_owned()),
        ("S03 two segments", format!("{h}.{p}")),
        ("S03 one segment", h.to_owned()),
        ("S04 empty signature", format!("{h}.{p}.")),
        ("S05 empty payload", format!("{h}..{s}")),
        ("S06 empty header", format!(".{p}.{s}")),
        ("S07 four segments", format!("{good}.x")),
        ("S07 a dot more", format!("{good}.")),
        ("S08 five segments", format!("{}.a.b.c.d", encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#))),
        ("S13 standard alphabet", format!("{h}.{p}.{}", STANDARD_NO_PAD.encode([0xff; 256]))),
        ("S14 padding", format!("{}.{p}.{s}", URL_SAFE.encode(header().to_string() + " "))),
        ("S15 length 1 of 4", format!("{h}.{p}.{s}AAA")),
        ("S16 bits left over", format!("{h}.{p}.AB")),
        ("S18 flattened", flattened.clone()),
        ("S18 polyglot", format!(r#"{{"payload":"{h}.{p}.{s}"}}"#)),
        ("white space in front", format!(" {good}")),
        ("white space behind", format!("{good}\n")),
        ("NUL", format!("{h}.{p}\0.{s}")),
        ("beyond ASCII", format!("{h}.{p}.{s}é")),
    ];
    for (name, token) in table {
        assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "{name}");
    }
}

#[test]
fn a_segment_has_one_spelling() {
    let good = signed(&access());
    // 256 bytes leave four bits over in the last sign; sixteen spellings.
    let (rest, last) = good.split_at(good.len() - 1);
    let accepted: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').filter(|sign| check(&format!("{rest}{sign}")).is_ok()).collect();
    assert_eq!(accepted, last.chars().collect::<Vec<_>>());
}

#[test]
fn crafted_signatures_are_refused_without_panic() {
    let (signed, _) = { signed(&access()) }.rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut minus_one = KEY_A.n.clone();
    *minus_one.last_mut().unwrap() -= 1;
    let one = [vec![0; 255], vec![1]].concat();
    let table = [
        ("S17 all zero", vec![0; 256]),
        ("S17 one", one),
        ("S17 n - 1", minus_one),
        ("S17 n", KEY_A.n.clone()),
        ("S17 above n", vec![0xff; 256]),
        ("one byte", vec![1]),
        ("255 bytes", vec![1; 255]),
        ("257 bytes", vec![1; 257]),
        ("512 bytes", vec![1; 512]),
    ];
    for (name, signature) in table {
        let token = format!("{signed}.{}", encode(signature));
        assert_eq!(check(&token).unwrap_err(), Refusal::SignatureBad, "{name}");
    }
}

#[test]
fn header_and_payload_are_plain_objects() {
    let payload = access().to_string();
    for text in ["x", "[]", "null", "\"a\"", "1", "", "{\"alg\":\"RS256\"", "\u{feff}{}"] {
        let token = KEY_A.token(text.as_bytes(), payload.as_bytes());
        assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "S19 {text}");
    }
    let header = header().to_string();
    let inner = payload.strip_prefix('{').unwrap();
    let table = [
        ("S20 not JSON", "x".to_owned()),
        ("S20 array", format!("[{payload}]")),
        ("S20 null", "null".to_owned()),
        ("S20 string", "\"a\"".to_owned()),
        ("S20 number", "1".to_owned()),
        ("S21 byte order mark", format!("\u{feff}{payload}")),
        ("S22 two documents", format!("{payload}{payload}")),
        ("S24 comment", format!("{{/* x */{inner}")),
        ("S24 single quotes", format!("{{'x':1,{inner}")),
        ("S24 NaN", format!("{{\"x\":NaN,{inner}")),
        ("S24 Infinity", format!("{{\"x\":Infinity,{inner}")),
        ("S24 hexadecimal", format!("{{\"x\":0x1,{inner}")),
        ("S25 half a pair", format!("{{\"x\":\"\\ud800\",{inner}")),
    ];
    for (name, payload) in table {
        let token = KEY_A.token(header.as_bytes(), payload.as_bytes());
        assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "{name}");
    }
    let token = KEY_A.token(header.as_bytes(), b"{\"x\":\"\xff\"}");
    assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "S23 not UTF-8");
}

#[test]
fn no_member_is_named_twice() {
    for header in [
        r#"{"alg":"none","alg":"RS256","kid":"kA1"}"#,
        r#"{"alg":"RS256","kid":"kX","kid":"kA1"}"#,
        r#"{"alg":"RS256","kid":"kA1","k\u0069d":"kA1"}"#,
    ] {
        let token = KEY_A.token(header.as_bytes(), access().to_string().as_bytes());
        assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "S26 {header}");
    }
    let names =
        ["iss", "exp", "nbf", "sub", "token_use", "client_id", "aud", "scope", "cognito:groups", "tenant", "roles"];
    for name in names {
        let mut claims = access();
        let good = claims.as_object_mut().unwrap().remove(name).unwrap_or(json!("x"));
        let rest = claims.to_string();
        let rest = rest.strip_prefix('{').unwrap();
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), name.get(1..).unwrap());
        for (one, two, first, second) in [
            (name, name, good.to_string(), "\"bad\"".to_owned()),
            (name, name, "\"bad\"".to_owned(), good.to_string()),
            (name, escaped.as_str(), good.to_string(), good.to_string()),
        ] {
            let payload = format!("{{\"{one}\":{first},\"{two}\":{second},{rest}");
            let token = KEY_A.token(header().to_string().as_bytes(), payload.as_bytes());
            assert_eq!(check(&token).unwrap_err(), Refusal::Malformed, "S27, S28 {payload}");
        }
    }
}

/// A correctly signed token of exactly this many bytes.
fn of_length(bytes: usize) -> String {
    let unpadded = signed(&with(access(), "pad", Some(json!("")))).len();
    for pad in (bytes.saturating_sub(unpadded) * 3 / 4).saturating_sub(4).. {
        let token = signed(&with(access(), "pad", Some(json!("x".repeat(pad)))));
        if token.len() >= bytes {
            assert_eq!(token.len(), bytes, "no padding gives this length");
            return token;
        }
    }
    unreachable!()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures")]
fn the_length_is_looked_at_before_anything_else() {
    // Base64 lengths jump by two where they jump; one of two neighbours exists.
    let at_limit = of_length(MAX_TOKEN_BYTES);
    assert!(check(&at_limit).is_ok(), "S32 at the limit");
    assert_eq!(check(&format!("{at_limit}A")).unwrap_err(), Refusal::TooLarge, "S32 one more");
    assert_eq!(check(&of_length(10_240)).unwrap_err(), Refusal::TooLarge, "S32 10,240");
    let begun = Instant::now();
    for (name, text) in [("S33 letters", "A".repeat(10_000_000)), ("S34 dots", ".".repeat(10_000_000))] {
        assert_eq!(check(&text).unwrap_err(), Refusal::TooLarge, "{name}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "the text was walked: {:?}", begun.elapsed());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures")]
fn many_claims_take_no_time_to_speak_of() {
    let mut claims = access();
    for n in 0..500 {
        claims = with(claims, &format!("{n:x}"), Some(json!(1)));
    }
    let token = signed(&claims);
    assert!(token.len() <= MAX_TOKEN_BYTES, "{}", token.len());
    let begun = Instant::now();
    assert!(check(&token).is_ok());
    // Generous: this is an unoptimized build on a shared machine.
    assert!(begun.elapsed() < Duration::from_millis(200), "S30, S31 {:?}", begun.elapsed());
}

#[test]
fn every_single_bit_matters() {
    let good = signed(&access());
    let bytes = good.as_bytes();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.to_vec();
            flipped[index] ^= 1 << bit;
            if let Ok(token) = std::str::from_utf8(&flipped) {
                assert!(check(token).is_err(), "H30 bit {bit} of byte {index}");
            }
        }
    }
}

#[test]
fn another_key_signs_in_vain() {
    let token = ATTACKER.token(header().to_string().as_bytes(), access().to_string().as_bytes());
    assert_eq!(check(&token).unwrap_err(), Refusal::SignatureBad, "H29");
}
