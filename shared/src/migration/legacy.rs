//! A user as the old system has him.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::names::LegacyId;

/// The longest name that a pool signs in by, in characters.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html>
const LONGEST_NAME: usize = 128;

/// A user of the old system: the JSON of the table's `record` and of an
/// endpoint's answer. `Debug` shows no value of his.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyUser {
    /// What tells him from all others there.
    pub id: LegacyId,
    /// His attributes, under the old system's own names.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Whether the old system has checked his e-mail address. Only the JSON
    /// value `true` says so; "true", 1 and whatever else do not.
    #[serde(default, deserialize_with = "strictly_true")]
    pub email_verified: bool,
    /// The hash of his password in one of the forms that [`crate::password`]
    /// reads; `None` when the old system did not hand it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// His groups there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whether he may not sign in there.
    #[serde(default)]
    pub disabled: bool,
    /// Whether he has to choose a new password first.
    #[serde(default)]
    pub must_reset: bool,
}

impl LegacyUser {
    /// A user of whom only the identifier is known.
    pub fn new(id: LegacyId) -> Self {
        Self {
            id,
            attributes: BTreeMap::new(),
            email_verified: false,
            hash: None,
            groups: Vec::new(),
            disabled: false,
            must_reset: false,
        }
    }
}

impl fmt::Debug for LegacyUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyUser")
            .field("id", &self.id)
            .field("attributes", &self.attributes.keys())
            .field("email_verified", &self.email_verified)
            .field("hash", &self.hash.as_ref().map(|_| "<hash>"))
            .field("groups", &self.groups)
            .field("disabled", &self.disabled)
            .field("must_reset", &self.must_reset)
            .finish()
    }
}

fn strictly_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Value::deserialize(deserializer).map(|value| value == Value::Bool(true))
}

/// How a sign-in name is looked up: in lower case, so that names which a
/// case-insensitive pool takes for the same are the same here. Nothing is
/// trimmed or composed anew. `None` for a text that no user can have as a name.
pub fn sign_in_key(name: &str) -> Option<String> {
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let key = fits.then(|| name.to_lowercase())?;
    // Lower case may be longer; the key stays within the key of a table.
    (key.len() <= 4 * LONGEST_NAME).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_json_value_true_verifies_an_address() {
        let table = [
            ("true", true),
            ("false", false),
            ("null", false),
            ("\"true\"", false),
            ("\"yes\"", false),
            ("1", false),
            ("[true]", false),
            ("{\"value\":true}", false),
        ];
        for (flag, expected) in table {
            let text = format!("{{\"id\":\"7\",\"email_verified\":{flag}}}");
            let user: LegacyUser = serde_json::from_str(&text).unwrap();
            assert_eq!(user.email_verified, expected, "M24 {flag}");
        }
        let user: LegacyUser = serde_json::from_str("{\"id\":\"7\"}").unwrap();
        assert_eq!(user, LegacyUser::new(LegacyId::parse("7").unwrap()), "all but the id may be left out");
    }

    #[test]
    fn a_record_says_what_it_means_or_is_none() {
        for text in [
            "{}",
            "{\"id\":\"\"}",
            "{\"id\":7}",
            "{\"id\":\"a#b\"}",
            "{\"id\":\"7\",\"admin\":true}",
            "{\"id\":\"7\",\"attributes\":{\"age\":7}}",
            "{\"id\":\"7\",\"disabled\":\"no\"}",
            "{\"id\":\"7\",\"id\":\"8\"}",
            "[]",
        ] {
            assert!(serde_json::from_str::<LegacyUser>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_goes_through_json_unchanged() {
        let user = LegacyUser {
            attributes: BTreeMap::from([("mail".to_owned(), "ann@acme.example".to_owned())]),
            email_verified: true,
            hash: Some("$2b$10$x".to_owned()),
            groups: vec!["acme:admin".to_owned()],
            disabled: true,
            must_reset: true,
            ..LegacyUser::new(LegacyId::parse("7").unwrap())
        };
        let text = serde_json::to_string(&user).unwrap();
        assert_eq!(serde_json::from_str::<LegacyUser>(&text).unwrap(), user);
    }

    #[test]
    fn neither_hash_nor_value_is_printed() {
        let user = LegacyUser {
            attributes: BTreeMap::from([("mail".to_owned(), "ann@acme.example".to_owned())]),
            hash: Some("$2b$10$canary".to_owned()),
            ..LegacyUser::new(LegacyId::parse("7").unwrap())
        };
        let printed = format!("{user:?}");
        assert!(!printed.contains("canary") && !printed.contains("ann"), "{printed}");
    }

    #[test]
    fn names_that_a_pool_takes_for_the_same_have_one_key() {
        let longest = "a".repeat(128);
        let too_long = "a".repeat(129);
        let table = [
            ("ann@acme.example", Some("ann@acme.example")),
            ("Ann@ACME.example", Some("ann@acme.example")),
            ("ÄNN", Some("änn")),
            (" ann", Some(" ann")),
            ("a#b", Some("a#b")),
            (longest.as_str(), Some(longest.as_str())),
            (too_long.as_str(), None),
            ("", None),
            ("a\nb", None),
            ("a\u{0}", None),
        ];
        for (name, expected) in table {
            assert_eq!(sign_in_key(name).as_deref(), expected, "M25 {name:?}");
        }
    }
}
