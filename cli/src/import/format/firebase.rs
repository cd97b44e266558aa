//! Firebase: `{"users": [...]}` as `firebase auth:export` writes it
//! (<https://firebase.google.com/docs/cli/auth>).
//!
//! The hashes need the project's parameters. All but the signer key go into
//! each hash; the signer key is a secret of its own and never gets here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::fields::{scalar, texts};
use super::{Fields, Person};

/// A project's parameters, without the signer key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct HashParameters {
    /// Base64 with padding.
    salt_separator: String,
    /// The block size, r.
    rounds: u32,
    /// The exponent of the memory cost, N = 2^this.
    mem_cost: u32,
}

impl HashParameters {
    /// Reads what the console shows, `hash_config { name: value, … }`, or the
    /// same as JSON. `None` when one is missing or the algorithm is another.
    pub(in super::super) fn read(text: &str) -> Option<Self> {
        let pairs = text.split(['{', '}', ',', '\n']).filter_map(|part| part.split_once(':'));
        let trim = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '"').to_owned();
        let pairs: Vec<(String, String)> = pairs.map(|(name, value)| (trim(name), trim(value))).collect();
        let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        if !value("algorithm")?.eq_ignore_ascii_case("scrypt") {
            return None;
        }
        let separator = STANDARD.decode(value("base64_salt_separator")?).ok()?;
        Some(Self {
            salt_separator: STANDARD.encode(separator),
            rounds: value("rounds")?.parse().ok()?,
            mem_cost: value("mem_cost")?.parse().ok()?,
        })
    }

    fn hash(&self, salt: &str, hash: &str) -> String {
        let Self { salt_separator, rounds, mem_cost } = self;
        format!("$firebase-scrypt$ln={mem_cost},r={rounds}${salt}${salt_separator}${hash}")
    }
}

pub(super) fn read(fields: &Fields, parameters: &HashParameters) -> Person {
    let claims = fields.object_in_text("customAttributes");
    let mut attributes = fields.only(&["email", "displayName", "phoneNumber", "photoUrl"]);
    attributes.extend(claims.iter().flat_map(|claims| claims.dotted("customAttributes")));
    // A missing salt leaves a gap, which no hash may have: the row is refused.
    let hash = fields.text("passwordHash").map(|hash| parameters.hash(fields.text("salt").unwrap_or_default(), hash));
    Person {
        id: fields.identifier("localId"),
        email: fields.text("email").map(str::to_owned),
        user_name: None,
        attributes,
        email_verified: fields.is_true("emailVerified"),
        hash,
        groups: claims.map(|claims| groups(&claims)).unwrap_or_default(),
        disabled: fields.is_set("disabled"),
        must_reset: false,
    }
}

/// Custom claims as groups, `<claim>=<value>`, so that no claim is taken for a
/// group `<tenant>:<role>` by accident.
fn groups(claims: &Fields) -> Vec<String> {
    let named = |name: &str, value: String| format!("{name}={value}");
    let groups = claims.members().flat_map(|(name, value)| match scalar(value) {
        Some(value) => vec![named(name, value)],
        None => texts(Some(value)).into_iter().map(|value| named(name, value)).collect(),
    });
    groups.collect()
}
