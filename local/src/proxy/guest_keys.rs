//! Imitates: the key set by which everybody can verify the OpenID tokens of an
//! identity pool.
//!
//! The local AWS signs those tokens and serves the key nowhere, but keeps it in
//! its folder. Its public half is served here, at the path that AWS has.
//!
//! <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdToken.html>

use std::path::Path;

use anyhow::{Context, Result};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::exchange::Reply;

/// Where the key set is served, as by `cognito-identity.amazonaws.com`.
pub const PATH: &str = "/.well-known/jwks_uri";

/// The key's file in the folder of the local AWS.
const FILE: &str = "cognito-rsa-key.pem";
/// The name that the local AWS gives its key.
const KEY_ID: &str = "ministack-key-1";

/// The key set. Read at each call: the local AWS makes the key when it first
/// needs it.
pub fn answer(state: &Path) -> Result<Reply> {
    let pem = std::fs::read_to_string(state.join(FILE)).context("the key of guests' tokens cannot be read")?;
    Ok(Reply::success(&json!({ "keys": [key(&pem)?] })))
}

/// The public half of a private key.
fn key(pem: &str) -> Result<Value> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).context("the key of guests' tokens is no PEM")?;
    let pair = KeyPair::from_pkcs8(&der).ok().context("the key of guests' tokens is no RSA key")?;
    let (modulus, exponent) = numbers(pair.public_key().as_ref()).context("a public key has no numbers")?;
    let [n, e] = [modulus, exponent].map(|number| URL_SAFE_NO_PAD.encode(number));
    Ok(json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": n, "e": e }))
}

/// Modulus and exponent of a public key: a sequence of two integers.
/// <https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1>
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (both, _) = value(SEQUENCE, der)?;
    let (modulus, rest) = value(INTEGER, both)?;
    let (exponent, _) = value(INTEGER, rest)?;
    // A zero in front only says that the number is not negative.
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
}

/// The value of DER's first element, and what follows it.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    // Above 127 it is the number of bytes that hold the length.
    let (length, rest) = match length.checked_sub(0x80) {
        None => (usize::from(*length), rest),
        Some(count) => {
            let (bytes, rest) = rest.split_at_checked(usize::from(count))?;
            (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
        }
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents};

    use super::*;

    /// A key as the local AWS keeps it.
    fn pem(pair: &KeyPair) -> String {
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let der = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = der.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }

    #[test]
    fn what_the_private_key_signs_the_published_one_verifies_and_no_other() {
        let pairs = [KeySize::Rsa2048, KeySize::Rsa2048].map(|size| KeyPair::generate(size).unwrap());
        let signed = |pair: &KeyPair| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"claims", &mut signature).unwrap();
            signature
        };
        let published = key(&pem(&pairs[0])).unwrap();
        let [n, e] = ["n", "e"].map(|name| URL_SAFE_NO_PAD.decode(published[name].as_str().unwrap()).unwrap());
        assert_eq!((n.len(), n[0] != 0, e.as_slice()), (256, true, &[1, 0, 1][..]));
        let published = RsaPublicKeyComponents { n, e };
        let verifies = |signature: &[u8]| published.verify(&RSA_PKCS1_2048_8192_SHA256, b"claims", signature).is_ok();
        assert!(verifies(&signed(&pairs[0])));
        assert!(!verifies(&signed(&pairs[1])));
    }

    #[test]
    fn what_is_no_key_is_said_so() {
        let table = ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no base64!"];
        for pem in table {
            assert!(key(pem).is_err(), "{pem:?}");
        }
        assert!(answer(Path::new("/nowhere")).is_err());
        for der in [&[][..], &[0x30], &[0x30, 0x82, 1], &[0x30, 3, 2, 1], &[0x31, 0]] {
            assert_eq!(numbers(der), None, "{der:?}");
        }
    }
}
