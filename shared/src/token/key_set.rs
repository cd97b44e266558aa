//! An issuer's public keys.

use std::fmt;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;

/// The largest document that is read, in bytes: what API Gateway's own
/// authorizers take.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
pub const MAX_KEY_SET_BYTES: usize = 150_000;

/// Members that only a private key has.
const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// A public key, ready to check signatures.
#[derive(Clone)]
pub(super) struct Key(ParsedPublicKey);

impl Key {
    /// Whether this key signed `message` with RS256.
    pub(super) fn signed(&self, message: &str, signature: &[u8]) -> bool {
        self.0.verify_sig(message.as_bytes(), signature).is_ok()
    }
}

/// The keys of one issuer that can be used here.
pub struct KeySet {
    issuer: String,
    keys: Vec<(String, Key)>,
    skipped: usize,
    leaks_private_key: bool,
}

/// Why a whole document is not taken. The set one had before stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetProblem {
    /// More than [`MAX_KEY_SET_BYTES`].
    TooLarge,
    /// Not a JSON object with an array `keys`.
    Malformed,
    /// Two keys of one name: either could be meant.
    DuplicateKeyId,
    /// Not one key that could be used.
    NoUsableKey,
}

impl fmt::Display for KeySetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the key set is too large",
            Self::Malformed => "the key set is not a JSON key set",
            Self::DuplicateKeyId => "the key set names two keys alike",
            Self::NoUsableKey => "the key set has no usable key",
        })
    }
}

impl std::error::Error for KeySetProblem {}

impl KeySet {
    /// Reads the JSON Web Key Set of an issuer.
    ///
    /// Entries that cannot be used (other types and uses, weak or malformed
    /// keys) are passed over; they do no harm to the good ones.
    pub fn read(issuer: &str, bytes: &[u8]) -> Result<Self, KeySetProblem> {
        if bytes.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetProblem::TooLarge);
        }
        let document = json::object(bytes).ok_or(KeySetProblem::Malformed)?;
        let Some(Value::Array(entries)) = document.get("keys") else {
            return Err(KeySetProblem::Malformed);
        };
        let rsa: Vec<_> = entries.iter().filter_map(Value::as_object).filter(|entry| is(entry, "kty", "RSA")).collect();
        let mut names: Vec<_> = rsa.iter().filter_map(|entry| entry.get("kid").and_then(Value::as_str)).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(KeySetProblem::DuplicateKeyId);
        }
        let keys: Vec<_> = rsa.iter().filter_map(|entry| read_key(entry)).collect();
        if keys.is_empty() {
            return Err(KeySetProblem::NoUsableKey);
        }
        let leaks_private_key = rsa.iter().any(|entry| PRIVATE_MEMBERS.iter().any(|name| entry.contains_key(*name)));
        Ok(Self { issuer: issuer.to_owned(), skipped: entries.len() - keys.len(), keys, leaks_private_key })
    }

    /// Whose keys these are.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether there is a key of this name.
    pub fn has(&self, key_id: &str) -> bool {
        self.get(key_id).is_some()
    }

    /// The key of this name, byte for byte.
    pub(super) fn get(&self, key_id: &str) -> Option<&Key> {
        self.keys.iter().find(|(name, _)| name == key_id).map(|(_, key)| key)
    }

    /// How many entries were passed over.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Whether the document publishes a private key. Nothing of it was read,
    /// but whoever runs the issuer should hear of it.
    pub fn leaks_private_key(&self) -> bool {
        self.leaks_private_key
    }
}

fn is(entry: &Map<String, Value>, member: &str, value: &str) -> bool {
    entry.get(member).and_then(Value::as_str) == Some(value)
}

/// Reads one entry of type RSA; `None` when it cannot check an RS256 signature.
fn read_key(entry: &Map<String, Value>) -> Option<(String, Key)> {
    let kid = entry.get("kid")?.as_str().filter(|kid| !kid.is_empty())?;
    let for_signatures = !entry.contains_key("use") || is(entry, "use", "sig");
    let for_rs256 = !entry.contains_key("alg") || is(entry, "alg", "RS256");
    let for_checking = match entry.get("key_ops") {
        None => true,
        Some(operations) => operations.as_array()?.iter().any(|operation| operation == "verify"),
    };
    if !(for_signatures && for_rs256 && for_checking) {
        return None;
    }
    let n = decode(entry, "n").filter(|n| is_modulus(n))?;
    let e = decode(entry, "e").filter(|e| is_exponent(e))?;
    let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
    Some((kid.to_owned(), Key(key)))
}

fn decode(entry: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(entry.get(member)?.as_str()?).ok()
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
