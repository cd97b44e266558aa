//! The token in an event's query string, for WebSocket APIs whose rules say so.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::headers::{Missing, Values, one_value};

/// Every parameter with its values. A name that comes twice is kept twice.
struct Parameters(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Parameters;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("parameters")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut found = Vec::new();
                while let Some((name, values)) = map.next_entry::<String, Values>()? {
                    found.push((name, values.0));
                }
                Ok(Parameters(found))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The one value of a parameter, byte for byte of this name, that both members of
/// an event agree about.
pub(crate) fn parameter(one: Option<&RawValue>, all: Option<&RawValue>, name: &str) -> Result<String, Missing> {
    let (one, all) = (values(one, name)?, values(all, name)?);
    one_value(&one, &all).map(str::to_owned)
}

fn values(member: Option<&RawValue>, name: &str) -> Result<Vec<String>, Missing> {
    let Some(member) = member else { return Ok(Vec::new()) };
    let Parameters(all) = serde_json::from_str(member.get()).map_err(|_| Missing::Token)?;
    Ok(all.into_iter().filter(|(known, _)| known == name).flat_map(|(_, values)| values).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once() {
        let table = [
            (r#"{"t":"x"}"#, r#"{"t":["x"]}"#, Ok("x")),
            (r#"{"t":"x"}"#, "null", Ok("x")),
            ("null", r#"{"t":["x"]}"#, Ok("x")),
            (r#"{"t":"y"}"#, r#"{"t":["x","y"]}"#, Err(Missing::OneToken)),
            (r#"{"t":"y"}"#, r#"{"t":["x"]}"#, Err(Missing::OneToken)),
            (r#"{"t":"x","t":"y"}"#, "null", Err(Missing::OneToken)),
            (r#"{"T":"x"}"#, r#"{"T":["x"]}"#, Err(Missing::Token)),
            (r#"{"t":1}"#, "null", Err(Missing::Token)),
            (r#"{"t":null}"#, "null", Err(Missing::Token)),
            ("[]", "null", Err(Missing::Token)),
            ("null", "null", Err(Missing::Token)),
        ];
        for (one, all, expected) in table {
            let raw = |text: &str| (text != "null").then(|| RawValue::from_string(text.to_owned()).unwrap());
            let (one_raw, all_raw) = (raw(one), raw(all));
            let found = parameter(one_raw.as_deref(), all_raw.as_deref(), "t");
            assert_eq!(found, expected.map(str::to_owned), "{one} {all}");
        }
    }
}
