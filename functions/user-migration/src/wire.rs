//! The JSON of `UserMigration` events.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use shared::migration::{Admission, FinalStatus, Offered};
use shared::password::{LONGEST_CHARS, Password};

/// The part of `request` that is read. `validationData` and `clientMetadata`
/// are the client's own words and decide nothing.
#[derive(Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    pub(crate) password: Typed,
}

/// The password of an event. What is not a text never gets into an error: its
/// message would quote it.
#[derive(Default)]
pub(crate) enum Typed {
    /// Absent, `null`, empty, or not a text.
    #[default]
    Nothing,
    /// Longer than a pool's can be.
    TooLong,
    /// A text, byte for byte as it came.
    Text(Arc<Password>),
}

impl Typed {
    /// What a decision may know of it.
    pub(crate) fn offered(&self) -> Offered {
        match self {
            Self::Nothing => Offered::Nothing,
            Self::TooLong => Offered::TooLong,
            Self::Text(_) => Offered::Text,
        }
    }

    /// The password itself.
    pub(crate) fn text(&self) -> Option<&Arc<Password>> {
        match self {
            Self::Text(password) => Some(password),
            Self::Nothing | Self::TooLong => None,
        }
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypedVisitor)
    }
}

struct TypedVisitor;

impl<'de> Visitor<'de> for TypedVisitor {
    type Value = Typed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a password")
    }

    fn visit_str<E>(self, text: &str) -> Result<Typed, E> {
        // Before anything is done with it: work that grows with what a stranger
        // sends is a way to stop a service.
        Ok(match text.chars().take(LONGEST_CHARS + 1).count() {
            0 => Typed::Nothing,
            count if count > LONGEST_CHARS => Typed::TooLong,
            _ => Typed::Text(Arc::new(Password::new(text.to_owned()))),
        })
    }

    fn visit_unit<E>(self) -> Result<Typed, E> {
        Ok(Typed::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Typed, E> {
        Ok(Typed::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Typed, E> {
        Ok(Typed::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Typed, E> {
        Ok(Typed::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Typed, E> {
        Ok(Typed::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Typed, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Typed::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Typed, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Typed::Nothing)
    }
}

/// The reply that moves a user in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply<'a> {
    user_attributes: &'a BTreeMap<String, String>,
    /// Absent would mean RESET_REQUIRED.
    final_user_status: &'static str,
    /// Absent would send a welcome message.
    message_action: &'static str,
    /// Absent would mean SMS.
    desired_delivery_mediums: [&'static str; 1],
    // INVARIANT: never true. It would take an address from the user who has it.
    force_alias_creation: bool,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(admission: &'a Admission) -> Self {
        Self {
            user_attributes: &admission.attributes,
            final_user_status: match admission.final_status {
                FinalStatus::Confirmed => "CONFIRMED",
                FinalStatus::ResetRequired => "RESET_REQUIRED",
            },
            message_action: "SUPPRESS",
            desired_delivery_mediums: ["EMAIL"],
            force_alias_creation: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_text_and_taken_as_it_came() {
        let longest = format!("\"{}\"", "é".repeat(256));
        let too_long = format!("\"{}\"", "é".repeat(257));
        let table = [
            ("M07 absent", "{}", "nothing"),
            ("M07 null", r#"{"password":null}"#, "nothing"),
            ("M07 empty", r#"{"password":""}"#, "nothing"),
            ("number", r#"{"password":123456}"#, "nothing"),
            ("fraction", r#"{"password":-1.5e3}"#, "nothing"),
            ("negative", r#"{"password":-7}"#, "nothing"),
            ("boolean", r#"{"password":true}"#, "nothing"),
            ("list", r#"{"password":["a",{"b":[]}]}"#, "nothing"),
            ("object", r#"{"password":{"a":"b"}}"#, "nothing"),
            ("M11 as it came", r#"{"password":" e\u0301\uff21\ud83d\ude00 "}"#, " e\u{301}\u{ff21}\u{1f600} "),
            ("M11 composed", r#"{"password":"é"}"#, "é"),
            ("M11 escaped", r#"{"password":"\u0000\n"}"#, "\0\n"),
            ("M08 longest", &format!(r#"{{"password":{longest}}}"#), &"é".repeat(256)),
            ("M08 too long", &format!(r#"{{"password":{too_long}}}"#), "too long"),
        ];
        for (name, text, expected) in table {
            let request: Request = serde_json::from_str(text).unwrap();
            let found = match &request.password {
                Typed::Nothing => "nothing".to_owned(),
                Typed::TooLong => "too long".to_owned(),
                Typed::Text(password) => String::from_utf8(password.as_bytes().to_vec()).unwrap(),
            };
            assert_eq!(found, expected, "{name}");
        }
        // No text at all: JSON cannot carry half a character.
        assert!(serde_json::from_str::<Request>(r#"{"password":"\ud800"}"#).is_err(), "M11 lone surrogate");
    }
}
