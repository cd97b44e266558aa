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

/// The values of the two headers that may hold a token, whatever the case of
/// their names: HTTP/1 keeps it, HTTP/2 and HTTP APIs lower it. No other header is
/// looked at.
#[derive(Default)]
pub(crate) struct Headers {
    pub(crate) authorization: Vec<String>,
    /// `Sec-WebSocket-Protocol`.
    pub(crate) subprotocols: Vec<String>,
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Headers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("headers")
            }
            fn visit_unit<E>(self) -> Result<Headers, E> {
                Ok(Headers::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut found = Headers::default();
                while let Some(name) = map.next_key()? {
                    match name {
                        Name::Authorization => found.authorization.extend(map.next_value::<Values>()?.0),
                        Name::Subprotocols => found.subprotocols.extend(map.next_value::<Values>()?.0),
                        Name::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_any(Each)
    }
}

/// A header's name, without keeping it.
enum Name {
    Authorization,
    Subprotocols,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header's name")
            }
            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(if name.eq_ignore_ascii_case("authorization") {
                    Name::Authorization
                } else if name.eq_ignore_ascii_case("sec-websocket-protocol") {
                    Name::Subprotocols
                } else {
                    Name::Other
                })
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// One value (`headers`), several (`multiValueHeaders`) or none.
pub(crate) struct Values(pub(crate) Vec<String>);

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

/// The token in a list of subprotocols: what follows the one entry of this name.
/// A client of a browser offers `["<name>", "<token>"]`.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4>
pub(crate) fn after_subprotocol<'a>(value: &'a str, name: &str) -> Result<&'a str, Missing> {
    let mut entries = value.split(',').map(|entry| entry.trim_matches([' ', '\t']));
    entries.by_ref().find(|entry| *entry == name).ok_or(Missing::Token)?;
    let token = entries.next().filter(|token| !token.is_empty() && *token != name).ok_or(Missing::Token)?;
    if entries.any(|entry| entry == name) { Err(Missing::OneToken) } else { Ok(token) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_its_subprotocol() {
        let table = [
            ("bearer, x", Ok("x")),
            ("bearer,x", Ok("x")),
            ("chat, bearer , x, json", Ok("x")),
            ("x, bearer", Err(Missing::Token)),
            ("bearer", Err(Missing::Token)),
            ("bearer,", Err(Missing::Token)),
            ("Bearer, x", Err(Missing::Token)),
            ("bearer x", Err(Missing::Token)),
            ("x", Err(Missing::Token)),
            ("", Err(Missing::Token)),
            ("bearer, bearer, x", Err(Missing::Token)),
            ("bearer, x, bearer, y", Err(Missing::OneToken)),
        ];
        for (value, expected) in table {
            assert_eq!(after_subprotocol(value, "bearer"), expected, "{value}");
        }
    }
}
