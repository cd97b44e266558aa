//! Group H: headers that ask for something else.

use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::support::{
    ATTACKER, CLIENT, CLIENT_B, ISSUER_A, ISSUER_B, KEY_A, KEY_B, NOW, access, check, encode, header, keys_of, rules,
    with,
};
use crate::token::Refusal::{self, AlgorithmRefused, HeaderRefused, KeyIdMissing, KeyUnknown, Malformed};
use crate::token::{Unverified, verify};

fn token(header: &Value) -> String {
    KEY_A.token(header.to_string().as_bytes(), access().to_string().as_bytes())
}

fn header_with(name: &str, value: Value) -> Value {
    with(header(), name, Some(value))
}

#[test]
fn one_algorithm_is_taken() {
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        " none",
        "rs256",
        "Rs256",
        "RS256 ",
        "RS256\0",
        "HS256",
        "HS384",
        "ES256",
        "ES256K",
        "EdDSA",
        "ML-DSA-44",
        "dir",
        "PS256",
        "RS384",
        "RS512",
        "RSA-OAEP",
        "",
    ];
    for name in names {
        let token = token(&header_with("alg", json!(name)));
        assert_eq!(check(&token).unwrap_err(), AlgorithmRefused, "H01 to H09 {name:?}");
    }
    for alg in [json!(null), json!(["RS256"]), json!(256), json!({})] {
        assert_eq!(check(&token(&header_with("alg", alg.clone()))).unwrap_err(), AlgorithmRefused, "{alg}");
    }
    assert_eq!(check(&token(&with(header(), "alg", None))).unwrap_err(), AlgorithmRefused, "H02 no alg");
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none","kid":"kA1"}"#), encode(access().to_string()));
    assert_eq!(check(&unsigned).unwrap_err(), Malformed, "H01 without a signature");
    let garbage = format!("{unsigned}AAAA");
    assert_eq!(check(&garbage).unwrap_err(), AlgorithmRefused, "H01 with garbage");
}

#[test]
fn the_public_key_is_no_secret_to_sign_with() {
    let spki = KEY_A.spki();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", encode(&spki));
    let jwk = KEY_A.jwk().to_string();
    let secrets: [(&str, &[u8]); 5] =
        [("pem", pem.as_bytes()), ("der", &spki), ("jwk", jwk.as_bytes()), ("modulus", &KEY_A.n), ("kid", b"kA1")];
    for (name, secret) in secrets {
        let header = header_with("alg", json!("HS256")).to_string();
        let signed = format!("{}.{}", encode(header), encode(access().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        assert_eq!(check(&format!("{signed}.{}", encode(tag))).unwrap_err(), AlgorithmRefused, "H04 {name}");
    }
}

#[test]
fn the_digest_is_sha_256() {
    // A correct PKCS #1 signature, but of another digest's length.
    let signed = format!("{}.{}", encode(header().to_string()), encode(access().to_string()));
    let digest = digest::digest(&digest::SHA512, signed.as_bytes());
    let signature = KEY_A.sign(&encode(digest));
    assert_eq!(check(&format!("{signed}.{}", encode(signature))).unwrap_err(), Refusal::SignatureBad);
}

#[test]
fn a_key_is_named_and_found_byte_for_byte() {
    assert_eq!(check(&token(&with(header(), "kid", None))).unwrap_err(), KeyIdMissing, "H10");
    for kid in [json!(""), json!(null), json!(1), json!(["kA1"]), json!({"$ne": 1}), json!("k".repeat(257))] {
        assert_eq!(check(&token(&header_with("kid", kid.clone()))).unwrap_err(), KeyIdMissing, "H10, H11 {kid}");
    }
    let unknown = [
        "../../../../dev/null",
        "/proc/self/environ",
        "..%2f",
        "C:\\x",
        "' OR 1=1--",
        "*)(uid=*",
        "a\r\nALLOW",
        "\u{1b}[2J",
        "kA",
        "kA1x",
        "KA1",
        " kA1",
        "kA1 ",
        "kA1\0",
        "ｋA1",
        "*",
    ];
    for kid in unknown {
        assert_eq!(check(&token(&header_with("kid", json!(kid)))).unwrap_err(), KeyUnknown, "H12, H13, H15 {kid:?}");
    }
}

#[test]
fn a_key_name_may_look_like_base64() {
    let name = "abc+/def=";
    let keys = keys_of(ISSUER_A, &[with(KEY_A.jwk(), "kid", Some(json!(name)))]);
    let token = token(&header_with("kid", json!(name)));
    assert!(verify(&rules(), &Unverified::parse(&token).unwrap(), &keys, NOW).is_ok(), "H14");
}

#[test]
fn keys_of_one_pool_say_nothing_about_another() {
    let payload = access().to_string();
    let by_b = KEY_B.token(header_with("kid", json!("kB1")).to_string().as_bytes(), payload.as_bytes());
    assert_eq!(check(&by_b).unwrap_err(), KeyUnknown, "H16 the key of B under the name of A");
    let keys_of_b = keys_of(ISSUER_B, &[KEY_B.jwk()]);
    let by_b = Unverified::parse(&by_b).unwrap();
    assert_eq!(verify(&rules(), &by_b, &keys_of_b, NOW).unwrap_err(), Refusal::IssuerRefused, "H16 the keys of B");
    let of_b = |client: &str| {
        let claims = with(with(access(), "iss", Some(json!(ISSUER_B))), "client_id", Some(json!(client))).to_string();
        let token = KEY_B.token(header_with("kid", json!("kB1")).to_string().as_bytes(), claims.as_bytes());
        verify(&rules(), &Unverified::parse(&token).unwrap(), &keys_of_b, NOW).err()
    };
    assert_eq!(of_b(CLIENT_B), None, "B for itself");
    assert_eq!(of_b(CLIENT), Some(Refusal::ClientRefused), "a client of A in a token of B");
}

#[test]
fn a_header_offers_no_key_and_no_extension() {
    let jwk = ATTACKER.jwk();
    let table = [
        ("H18", "jwk", jwk.clone()),
        ("H19", "x5c", json!(["MIIB"])),
        ("H19", "x5t", json!("abc")),
        ("H19", "x5t#S256", json!("abc")),
        ("H20", "jku", json!("http://127.0.0.1:1/")),
        ("H20", "jku", json!("https://cognito-idp.us-east-1.amazonaws.com@evil.test/")),
        ("H20", "x5u", json!("file:///etc/passwd")),
        ("H20", "jku", json!(null)),
        ("H21", "crit", json!(["x"])),
        ("H22", "crit", json!(["exp"])),
        ("H22", "crit", json!(["alg"])),
        ("H22", "crit", json!([])),
        ("H22", "crit", json!("exp")),
        ("H22", "crit", json!(["x", "x"])),
        ("H23", "b64", json!(false)),
        ("H24", "zip", json!("DEF")),
        ("H24", "enc", json!("A256GCM")),
        ("H25", "cty", json!("JWT")),
        ("H27", "typ", json!("logout+jwt")),
        ("H27", "typ", json!("dpop+jwt")),
        ("H27", "typ", json!("secevent+jwt")),
        ("H27", "typ", json!("at+jwt")),
        ("H27", "typ", json!("JOSE")),
        ("H27", "typ", json!("")),
        ("H27", "typ", json!(1)),
        ("H27", "typ", json!(null)),
    ];
    for (row, name, value) in table {
        let header = header_with(name, value.clone());
        assert_eq!(check(&token(&header)).unwrap_err(), HeaderRefused, "{row} {name} {value}");
    }
    let own = with(header_with("jwk", jwk), "kid", None);
    let by_attacker = ATTACKER.token(own.to_string().as_bytes(), access().to_string().as_bytes());
    assert_eq!(check(&by_attacker).unwrap_err(), HeaderRefused, "H18 without kid");
    let nested = token(&header());
    let nested = KEY_A.token(header().to_string().as_bytes(), nested.as_bytes());
    assert_eq!(check(&nested).unwrap_err(), Malformed, "H25 a token in a token");
}

#[test]
fn what_a_header_says_beside_is_read_past() {
    let table = [("typ", json!("JWT")), ("typ", json!("jwt")), ("v", json!(1)), ("x", json!({"y": [1]}))];
    for (name, value) in table {
        let verified = check(&token(&header_with(name, value.clone()))).unwrap();
        assert_eq!(verified.client_id(), CLIENT, "H26, H28 {name} {value}");
    }
}

#[test]
fn the_key_that_a_token_names_is_the_one_that_is_looked_up() {
    for kid in ["key-a", "another", "../jwks"] {
        let token = token(&header_with("kid", json!(kid)));
        assert_eq!(Unverified::parse(&token).unwrap().key_id(), kid);
    }
}
