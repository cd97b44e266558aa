//! Rows H01 to H09 and H29: who signed it, and how.

use anyhow::Result;
use aws_lc_rs::{hmac, rand, signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{TokenIssuer, compact, encode, other_signing_key, signing_key};

use crate::{MALFORMED, Row, member, row};

/// Algorithms that nobody asked for.
pub(crate) fn rows(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let (key, kid) = (signing_key()?, issuer.kid.as_str());
    let text = member(issuer.access()).text();
    let signed = |header: Value| compact(header.to_string(), &text, key);
    let mut rows = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", " none"] {
        let header = json!({"alg": alg, "kid": kid});
        let message = format!("{}.{}", encode(header.to_string()), encode(&text));
        rows.push(row("H01", format!("alg {alg:?}, nothing"), format!("{message}."), MALFORMED));
        rows.push(row("H01", format!("alg {alg:?}, no third segment"), message.clone(), MALFORMED));
        rows.push(row("H01", format!("alg {alg:?}, garbage"), format!("{message}.AAAA"), "AlgorithmRefused"));
        rows.push(row("H01", format!("alg {alg:?}, signed"), signed(header)?, "AlgorithmRefused"));
    }
    rows.push(row("H02", "no alg", signed(json!({"kid": kid}))?, "AlgorithmRefused"));
    for alg in [json!(null), json!(["RS256"]), json!(1), json!(true), json!({"alg": "RS256"})] {
        rows.push(row("H02", format!("alg {alg}"), signed(json!({"alg": alg, "kid": kid}))?, "AlgorithmRefused"));
    }
    let named = ["rs256", "Rs256", "RS256 ", " RS256", "RS256\0", "RS256\n", "RS-256", "\u{ff32}S256", "RSA256", ""];
    for alg in named {
        rows.push(row("H03", format!("alg {alg:?}"), signed(json!({"alg": alg, "kid": kid}))?, "AlgorithmRefused"));
    }
    let others = [
        "EdDSA",
        "Ed25519",
        "ES256",
        "ES256K",
        "ES384",
        "ES512",
        "ML-DSA-44",
        "dir",
        "PS256",
        "PS384",
        "PS512",
        "HS256",
        "RS1",
        "RS384",
        "RS512",
        "RSA-OAEP",
        "RSA1_5",
        "A256KW",
        "SHA256withRSA",
    ];
    for alg in others {
        rows.push(row("H09", format!("alg {alg:?}"), signed(json!({"alg": alg, "kid": kid}))?, "AlgorithmRefused"));
    }
    for (name, secret) in hmac_secrets(kid)? {
        for (id, alg, hash) in [
            ("H04", "HS256", hmac::HMAC_SHA256),
            ("H05", "HS384", hmac::HMAC_SHA384),
            ("H05", "HS512", hmac::HMAC_SHA512),
        ] {
            let token = hmac_token(alg, hash, kid, &text, &secret);
            rows.push(row(id, format!("{alg} with the {name}"), token, "AlgorithmRefused"));
        }
        // The right name over the wrong kind of signature.
        let token = hmac_token("RS256", hmac::HMAC_SHA256, kid, &text, &secret);
        rows.push(row("H04", format!("RS256 over an HMAC with the {name}"), token, "SignatureBad"));
    }
    rows.push(row("H08", "ES256 under the RSA key's name", ecdsa("ES256", kid, &text)?, "AlgorithmRefused"));
    rows.push(row("H08", "RS256 over an ECDSA signature", ecdsa("RS256", kid, &text)?, "SignatureBad"));
    // The pool's own key in another way, under its own name and under the good one.
    for (id, alg, code) in [("H06", "PS256", "AlgorithmRefused"), ("H06", "RS256", "SignatureBad")] {
        let message = format!("{}.{}", encode(json!({"alg": alg, "kid": kid}).to_string()), encode(&text));
        let token = format!("{message}.{}", encode(key.sign_pss(&message)?));
        rows.push(row(id, format!("{alg} over a PSS signature"), token, code));
    }
    for (id, alg, code) in [("H07", "RS512", "AlgorithmRefused"), ("H07", "RS256", "SignatureBad")] {
        let message = format!("{}.{}", encode(json!({"alg": alg, "kid": kid}).to_string()), encode(&text));
        let token = format!("{message}.{}", encode(key.sign_512(&message)?));
        rows.push(row(id, format!("{alg} over an RS512 signature"), token, code));
    }
    let attacker = compact(json!({"alg": "RS256", "kid": kid}).to_string(), &text, other_signing_key()?)?;
    rows.push(row("H29", "somebody else's signature", attacker, "SignatureBad"));
    Ok(rows)
}

/// What somebody would use as an HMAC secret who has only the public key.
fn hmac_secrets(kid: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let key = signing_key()?;
    // The same key with its algorithm before it, as certificates have it: SubjectPublicKeyInfo around 270 bytes.
    const FRAME: [u8; 24] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
    ];
    let framed = [&FRAME, key.public_der()].concat();
    let pem = |label: &str, der: &[u8], end: &str| {
        let body = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----{end}").into_bytes()
    };
    Ok(vec![
        ("PEM", pem("RSA PUBLIC KEY", key.public_der(), "\n")),
        ("PEM of certificates", pem("PUBLIC KEY", &framed, "\n")),
        ("PEM without its last line's end", pem("PUBLIC KEY", &framed, "")),
        ("DER", key.public_der().to_vec()),
        ("DER of certificates", framed),
        ("JWK", key.jwk(kid).to_string().into_bytes()),
        ("key set", json!({"keys": [key.jwk(kid)]}).to_string().into_bytes()),
        ("modulus", key.modulus().to_vec()),
        ("modulus as a text", encode(key.modulus()).into_bytes()),
        ("name", kid.as_bytes().to_vec()),
        ("empty secret", Vec::new()),
    ])
}

fn hmac_token(alg: &str, hash: hmac::Algorithm, kid: &str, payload: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(json!({"alg": alg, "kid": kid}).to_string()), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hash, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

fn ecdsa(alg: &str, kid: &str, payload: &str) -> Result<String> {
    let pair = signature::EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let message = format!("{}.{}", encode(json!({"alg": alg, "kid": kid}).to_string()), encode(payload));
    let signed = pair.sign(&rand::SystemRandom::new(), message.as_bytes())?;
    Ok(format!("{message}.{}", encode(signed)))
}
