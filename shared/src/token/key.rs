//! One public key, as an entry of a key set describes it.

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::profile::{Algorithm, Profile};
use super::roca;

/// A public key, ready to check signatures.
#[derive(Clone)]
pub(super) struct Key(Vec<(Algorithm, ParsedPublicKey)>);

impl Key {
    /// Reads one entry of type RSA, with its name; `None` when it cannot check a
    /// signature of this kind of issuer.
    pub(super) fn read(profile: Profile, entry: &Map<String, Value>) -> Option<(String, Self)> {
        let kid = entry.get("kid")?.as_str().filter(|kid| !kid.is_empty())?;
        let for_signatures = !entry.contains_key("use") || is(entry, "use", "sig");
        let for_checking = match entry.get("key_ops") {
            None => true,
            Some(operations) => operations.as_array()?.iter().any(|operation| operation == "verify"),
        };
        if !(for_signatures && for_checking) {
            return None;
        }
        // INVARIANT: a key that names an algorithm checks that one only.
        let algorithms = match entry.get("alg") {
            None => profile.algorithms().to_vec(),
            Some(name) => vec![profile.algorithm(name.as_str()?)?],
        };
        let n = modulus(profile, entry).filter(|n| is_modulus(n) && !roca::has_mark(n))?;
        let e = decode(profile, entry, "e").filter(|e| is_exponent(e))?;
        let key = RsaPublicKeyComponents { n, e };
        let parse = |algorithm: Algorithm| Some((algorithm, key.to_parsed_public_key(algorithm.parameters()).ok()?));
        Some((kid.to_owned(), Self(algorithms.into_iter().map(parse).collect::<Option<_>>()?)))
    }

    /// Whether this key signed `message` in this way.
    pub(super) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let key = self.0.iter().find(|(known, _)| *known == algorithm);
        key.is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

/// Whether a member is this text.
pub(super) fn is(entry: &Map<String, Value>, member: &str, value: &str) -> bool {
    entry.get(member).and_then(Value::as_str) == Some(value)
}

fn decode(profile: Profile, entry: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    let text = entry.get(member)?.as_str()?;
    let to_the_letter = URL_SAFE_NO_PAD.decode(text).ok();
    match profile {
        Profile::UserPool => to_the_letter,
        Profile::IdentityPool => to_the_letter.or_else(|| STANDARD.decode(text).ok()),
    }
}

/// The modulus, without the sign byte that identity pools put before it.
fn modulus(profile: Profile, entry: &Map<String, Value>) -> Option<Vec<u8>> {
    let n = decode(profile, entry, "n")?;
    match (profile, n.as_slice()) {
        (Profile::IdentityPool, [0, unsigned @ ..]) => Some(unsigned.to_vec()),
        _ => Some(n),
    }
}

/// 2048 to 4096 bits, odd, no leading zero.
///
/// Pools sign with 2048 bits. More than 4096 makes every check dearer and none
/// safer.
fn is_modulus(n: &[u8]) -> bool {
    let (Some(first), Some(last)) = (n.first(), n.last()) else {
        return false;
    };
    // A first byte of 0x80 and more has no leading zero bit, so the length in
    // bytes is the length in bits.
    *first >= 0x80 && (2048 / 8..=4096 / 8).contains(&n.len()) && last % 2 == 1
}

/// Odd, above 65,536 (FIPS 186-5, section 5.1) and below 2^32, no leading zero.
fn is_exponent(e: &[u8]) -> bool {
    let value = e.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    e.len() <= 4 && e.first().is_some_and(|first| *first != 0) && value > 65_536 && value % 2 == 1
}
