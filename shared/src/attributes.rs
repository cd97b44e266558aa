//! What the pool knows of a user: the attributes of a trigger event.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::address::EmailAddress;
use crate::names::LegacyId;

/// Names a user who was moved in, as the old system did. No client may write it.
pub const LEGACY_ID: &str = "custom:legacy_id";

/// More than a pool can define: 50 custom and some 25 standard attributes.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html>
const MOST_ATTRIBUTES: usize = 100;

/// The longest value a pool stores, in bytes here.
pub(crate) const LONGEST_VALUE: usize = 2048;

/// The standard attributes that a client may set.
const STANDARD: [&str; 17] = [
    "address",
    "birthdate",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// Whether it is a standard attribute that a client may set.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

/// A user's attributes. Reads leniently what Cognito sends: `null` is absent,
/// booleans and integers are texts. `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

/// One external account of a user, as the pool's `identities` attribute says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// The provider's name in the pool.
    #[serde(rename = "providerName")]
    pub provider: String,
    /// The user's name at the provider.
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// The `identities` attribute is there but not what Cognito writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentitiesUnreadable;

impl Attributes {
    /// The value of an attribute; empty is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of all attributes that were sent, also of the empty ones.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The user's own identifier in the pool.
    pub fn subject(&self) -> Option<&str> {
        self.get("sub")
    }

    /// The e-mail address, whether or not anyone has checked it.
    pub fn email(&self) -> Option<EmailAddress> {
        self.get("email").and_then(EmailAddress::parse)
    }

    /// The e-mail address if the pool calls it verified. For a federated user
    /// that is the provider's word.
    pub fn verified_email(&self) -> Option<EmailAddress> {
        self.is_true("email_verified").then(|| self.email()).flatten()
    }

    /// Whether an attribute says `true`; federation also sends `True`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The user's identifier in the old system; only a user who was moved in has one.
    pub fn legacy_id(&self) -> Option<LegacyId> {
        self.get(LEGACY_ID).and_then(LegacyId::parse)
    }

    /// The user's external accounts, none when the attribute is absent.
    pub fn identities(&self) -> Result<Vec<Identity>, IdentitiesUnreadable> {
        match self.get("identities") {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(text).map_err(|_| IdentitiesUnreadable),
        }
    }
}

/// Whether a client could set an attribute of this name, if the pool has it.
pub(crate) fn is_writable_name(name: &str) -> bool {
    let custom = name.strip_prefix("custom:").is_some_and(|own| !own.is_empty() && !own.contains(char::is_whitespace));
    custom || is_standard(name)
}

impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Attributes {
    fn from(entries: [(&str, &str); N]) -> Self {
        entries.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_unit<E>(self) -> Result<Attributes, E> {
        Ok(Attributes::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut seen = BTreeMap::new();
        while let Some((name, Value(value))) = map.next_entry::<String, Value>()? {
            if seen.len() >= MOST_ATTRIBUTES {
                return Err(A::Error::custom("too many attributes"));
            }
            if seen.insert(name, value).is_some() {
                return Err(A::Error::custom("an attribute is named twice"));
            }
        }
        Ok(Attributes(seen.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()))
    }
}

/// The value of one attribute; `None` for `null`.
struct Value(Option<String>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an integer, a boolean or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        if value.len() > LONGEST_VALUE {
            return Err(E::custom("an attribute is too long"));
        }
        Ok(Some(value.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Attributes, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_read_leniently_but_never_guessed() {
        let longest = format!(r#"{{"a":"{}"}}"#, "x".repeat(2048));
        let too_long = format!(r#"{{"a":"{}"}}"#, "x".repeat(2049));
        let too_long_in_bytes = format!(r#"{{"a":"{}"}}"#, "\u{e9}".repeat(1025));
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        let full_value = "x".repeat(2048);
        // Whether it is read, and then the value of `a`.
        let table = [
            (r#"{"a":"x"}"#, Some(Some("x"))),
            (r#"{"a":"\u0000\u202ex"}"#, Some(Some("\0\u{202e}x"))),
            (r#"{"a":true}"#, Some(Some("true"))),
            (r#"{"a":false}"#, Some(Some("false"))),
            (r#"{"a":1700000000}"#, Some(Some("1700000000"))),
            (r#"{"a":-1}"#, Some(Some("-1"))),
            (r#"{"a":18446744073709551615}"#, Some(Some("18446744073709551615"))),
            (r#"{"a":null}"#, Some(None)),
            (r#"{"a":""}"#, Some(None)),
            (r"{}", Some(None)),
            ("null", Some(None)),
            (longest.as_str(), Some(Some(full_value.as_str()))),
            (too_long.as_str(), None),
            (too_long_in_bytes.as_str(), None),
            (r#"{"a":1.5}"#, None),
            (r#"{"a":{}}"#, None),
            (r#"{"a":["x"]}"#, None),
            (r#"{"a":"x","a":"y"}"#, None),
            (r#"{"a":"x","\u0061":"x"}"#, None),
            (r#"{"a":null,"a":"x"}"#, None),
            ("[]", None),
            ("\"a\"", None),
            (deep.as_str(), None),
        ];
        for (json, expected) in table {
            let attributes = read(json).ok();
            assert_eq!(attributes.as_ref().map(|attributes| attributes.get("a")), expected, "{json:.60}");
        }
    }

    #[test]
    fn no_more_attributes_than_a_pool_can_have() {
        let object = |count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!(r#""a{n}":null"#)).collect();
            format!("{{{}}}", members.join(","))
        };
        for (count, accepted) in [(100, true), (101, false), (10_000, false)] {
            assert_eq!(read(&object(count)).is_ok(), accepted, "{count}");
        }
    }

    #[test]
    fn absent_and_null_attributes_are_alike_within_a_request() {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Request {
            user_attributes: Attributes,
        }
        for json in [r"{}", r#"{"userAttributes":null}"#, r#"{"userAttributes":{}}"#] {
            let request: Request = serde_json::from_str(json).unwrap();
            assert_eq!(request.user_attributes, Attributes::default(), "{json}");
        }
    }

    #[test]
    fn an_address_is_verified_only_when_the_pool_says_so() {
        let table = [
            (r#"{"email":"A@x.test","email_verified":"true"}"#, Some("a@x.test")),
            (r#"{"email":"a@x.test","email_verified":"True"}"#, Some("a@x.test")),
            (r#"{"email":"a@x.test","email_verified":true}"#, Some("a@x.test")),
            (r#"{"email":"a@x.test","email_verified":"false"}"#, None),
            (r#"{"email":"a@x.test","email_verified":"1"}"#, None),
            (r#"{"email":"a@x.test","email_verified":"yes"}"#, None),
            (r#"{"email":"a@x.test","email_verified":" true"}"#, None),
            (r#"{"email":"a@x.test","email_verified":""}"#, None),
            (r#"{"email":"a@x.test","email_verified":null}"#, None),
            (r#"{"email":"a@x.test"}"#, None),
            (r#"{"email":"a@x.test","phone_number_verified":"true"}"#, None),
            (r#"{"email":"a@b@x.test","email_verified":"true"}"#, None),
            (r#"{"email_verified":"true"}"#, None),
        ];
        for (json, expected) in table {
            let address = read(json).unwrap().verified_email();
            assert_eq!(address.as_ref().map(EmailAddress::as_str), expected, "{json}");
        }
    }

    #[test]
    fn debug_shows_names_alone() {
        let attributes = Attributes::from([("email", "canary@x.test")]);
        assert_eq!(format!("{attributes:?}"), r#"{"email"}"#);
    }

    #[test]
    fn identities_are_read_as_cognito_writes_them() {
        let written = r#"[{"userId":"123","providerName":"Google","providerType":"Google","issuer":null,
            "primary":true,"dateCreated":1639087232}]"#;
        let google = Identity { provider: "Google".to_owned(), user_id: "123".to_owned() };
        let table = [
            ("", Ok(vec![])),
            ("[]", Ok(vec![])),
            (written, Ok(vec![google])),
            (r#"[{"userId":"123"}]"#, Err(IdentitiesUnreadable)),
            (r#"[{"userId":123,"providerName":"Google"}]"#, Err(IdentitiesUnreadable)),
            (r#"[{"userId":"123","providerName":"Goo"#, Err(IdentitiesUnreadable)),
            ("null", Err(IdentitiesUnreadable)),
        ];
        for (text, expected) in table {
            assert_eq!(Attributes::from([("identities", text)]).identities(), expected, "{text}");
        }
    }
}
