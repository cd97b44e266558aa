//! The token in an event's headers.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use shared::token::MAX_TOKEN_BYTES;

/// Why there is no token to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// None was sent, or not as `Bearer <token>`.
    Token,
    /// Several were sent, or two places disagree about which.
    OneToken,
}

impl Missing {
    /// Stable name, for logs, alarms and tests.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Token => "TokenMissing",
            Self::OneToken => "TokenAmbiguous",
        }
    }
}

/// The values of `Authorization`, whatever the case of its name: HTTP/1 keeps
/// it, HTTP/2 and HTTP APIs lower it. No other header is looked at.
#[derive(Default)]
pub(crate) struct Authorization(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Authorization {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Authorization;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers")
            }
            fn visit_unit<E>(self) -> Result<Authorization, E> {
                Ok(Authorization::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Authorization, A::Error> {
                let mut found = Authorization::default();
                while let Some(IsAuthorization(is)) = map.next_key()? {
                    if is {
                        found.0.extend(map.next_value::<Values>()?.0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_any(Each)
    }
}

/// Whether a header's name is the one, without keeping it.
struct IsAuthorization(bool);

impl<'de> Deserialize<'de> for IsAuthorization {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = IsAuthorization;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header's name")
            }
            fn visit_str<E>(self, name: &str) -> Result<IsAuthorization, E> {
                Ok(IsAuthorization(name.eq_ignore_ascii_case("authorization")))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// One value (`headers`), several (`multiValueHeaders`) or none.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            One(String),
            Several(Vec<String>),
            None(()),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::One(value) => vec![value],
            Either::Several(values) => values,
            Either::None(()) => Vec::new(),
        }))
    }
}

/// The one value that both kinds of headers agree about.
///
/// A REST API puts the last of several values into `headers` and all of them
/// into `multiValueHeaders`.
pub(crate) fn one_value<'a>(headers: &'a [String], all: &'a [String]) -> Result<&'a str, Missing> {
    match (headers, all) {
        ([], []) => Err(Missing::Token),
        ([value], []) | ([], [value]) => Ok(value),
        ([value], [same]) if value == same => Ok(value),
        _ => Err(Missing::OneToken),
    }
}

/// The token in `Bearer <token>`: the scheme in any case, then exactly one
/// space. Whether what follows is a token is for the token's own reader.
/// <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>
pub(crate) fn bearer(value: &str) -> Result<&str, Missing> {
    // Several headers of one name arrive joined by commas, which no token has. A
    // text that is too long to be a token is not searched for them.
    if value.len() <= 2 * MAX_TOKEN_BYTES && value.contains(',') {
        return Err(Missing::OneToken);
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() => Ok(token),
        _ => Err(Missing::Token),
    }
}
