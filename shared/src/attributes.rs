//! What the pool knows of a user: the attributes of a trigger event.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::address::EmailAddress;

/// More than a pool can define: 50 custom and some 25 standard attributes.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html>
const MOST_ATTRIBUTES: usize = 100;

/// The longest value a pool stores, in bytes here.
const LONGEST_VALUE: usize = 2048;

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

    /// The user's external accounts, none when the attribute is absent.
    pub fn identities(&self) -> Result<Vec<Identity>, IdentitiesUnreadable> {
        match self.get("identities") {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(text).map_err(|_| IdentitiesUnreadable),
        }
    }
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
