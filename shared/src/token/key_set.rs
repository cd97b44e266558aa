//! An issuer's public keys.

use std::fmt;

use serde_json::Value;

use super::json;
use super::key::{Key, is};
use super::profile::Profile;

/// The largest document that is read, in bytes: what API Gateway's own
/// authorizers take.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
pub const MAX_KEY_SET_BYTES: usize = 150_000;

/// Members that only a private key has.
const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// The keys of one issuer that can be used here.
pub struct KeySet {
    profile: Profile,
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
    /// Reads the JSON Web Key Set of a user pool.
    ///
    /// Entries that cannot be used (other types and uses, weak or malformed
    /// keys) are passed over; they do no harm to the good ones.
    pub fn read(issuer: &str, bytes: &[u8]) -> Result<Self, KeySetProblem> {
        Self::read_as(Profile::UserPool, issuer, bytes)
    }

    /// The same for an issuer of any kind.
    pub fn read_as(profile: Profile, issuer: &str, bytes: &[u8]) -> Result<Self, KeySetProblem> {
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
        let keys: Vec<_> = rsa.iter().filter_map(|entry| Key::read(profile, entry)).collect();
        if keys.is_empty() {
            return Err(KeySetProblem::NoUsableKey);
        }
        let leaks_private_key = rsa.iter().any(|entry| PRIVATE_MEMBERS.iter().any(|name| entry.contains_key(*name)));
        Ok(Self { profile, issuer: issuer.to_owned(), skipped: entries.len() - keys.len(), keys, leaks_private_key })
    }

    /// The kind of issuer whose keys these are.
    pub(super) fn profile(&self) -> Profile {
        self.profile
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
