//! JSON in which no member is named twice.
//!
//! Readers disagree about which of two members of one name counts, so a
//! document that has two says different things to different readers.
//! Names are compared as they read, not as they are escaped.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads bytes that hold one JSON object and nothing else.
///
/// `None` for anything else: another type, a member named twice at any depth,
/// a byte order mark, text that is not UTF-8, more than 128 levels, a number
/// out of range, half a surrogate pair.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom("a member is named twice"));
            }
            let value = entries.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_object_is_read() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
        let table: &[(&[u8], bool)] = &[
            (b"{}", true),
            (b" {\"a\":[1,-2,3.5,true,null,\"x\",{\"b\":{}}]} ", true),
            (b"{\"a\":1,\"a\":1}", false),
            (b"{\"token_use\":\"id\",\"token\\u005fuse\":\"access\"}", false),
            (b"{\"a\":[{\"b\":1,\"b\":2}]}", false),
            (b"{\"a\":1,\"A\":1}", true),
            (b"\xef\xbb\xbf{}", false),
            (b"{\"a\":\"\\ud800\"}", false),
            (b"{\"a\":\"\xff\"}", false),
            (b"{\"a\":1e999}", false),
            (b"{\"a\":NaN}", false),
            (b"{\"a\":0x1}", false),
            (b"{\"a\":1,}", false),
            (b"{'a':1}", false),
            (b"{/* */}", false),
            (b"{} {}", false),
            (b"[]", false),
            (b"null", false),
            (b"\"{}\"", false),
            (b"1", false),
            (b"", false),
            (&deep(100), true),
            (&deep(128), false),
        ];
        for (bytes, accepted) in table {
            assert_eq!(object(bytes).is_some(), *accepted, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
