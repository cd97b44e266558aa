//! Where a claim's value comes from, as the rule file says it.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Where a claim's value comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The user's place in the tenants; the only source that a server wrote.
    Membership(Membership),
    /// The user's Cognito groups; written `groups = true`.
    Groups(bool),
    /// A user attribute. The user may have written it.
    Attribute(String),
    /// The same value for everyone.
    Constant(Constant),
    /// The same list of texts for everyone.
    List(Vec<String>),
}

/// What a membership claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// The tenant that the user acts in.
    Tenant,
    /// The user's roles in that tenant.
    Roles,
    /// All tenants that the user may choose from.
    Tenants,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As a JSON array.
    #[default]
    List,
    /// As one text, its parts joined by one space: all that v1 can carry.
    Text,
}

/// A value that is the same for everyone.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(untagged))]
pub enum Constant {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

impl Constant {
    /// The JSON value; `None` for a number that JSON does not have.
    pub(crate) fn value(&self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::from(text.as_str())),
            Self::Integer(number) => Some(Value::from(*number)),
            Self::Number(number) => serde_json::Number::from_f64(*number).map(Value::Number),
            Self::Boolean(truth) => Some(Value::from(*truth)),
        }
    }
}

// By hand: serde's own message for an untagged enum does not say what is wanted.
impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Constant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }
            fn visit_str<E>(self, value: &str) -> Result<Constant, E> {
                Ok(Constant::Text(value.to_owned()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Constant, E> {
                Ok(Constant::Integer(value))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Constant, E> {
                Ok(Constant::Number(value))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Constant, E> {
                Ok(Constant::Boolean(value))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
