//! The envelope that all user-pool triggers share.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html#cognito-user-pools-lambda-trigger-event-parameter-shared>

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{Failure, PublicText};

/// A whole event, kept byte for byte; only `response` is ever replaced. It may
/// hold a password, so it is not printed.
pub struct Event<'a> {
    members: Vec<(String, &'a RawValue)>,
}

/// What a trigger reads of its event. `R` is the shape of `request`.
#[derive(Debug)]
pub struct Trigger<R> {
    /// The version of the event.
    pub version: Version,
    /// The trigger source, such as `PreSignUp_SignUp`; empty when it is missing
    /// or not a text.
    pub source: String,
    /// The pool that calls; empty when missing.
    pub user_pool_id: String,
    /// The pool's own name of the user, if there is one.
    pub user_name: Option<String>,
    /// The app client through which the user came.
    pub client_id: Option<String>,
    /// The trigger's own part.
    pub request: R,
}

/// The event's version. Emulators send "0", which means the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// "0" and "1".
    V1,
    /// "2".
    V2,
    /// "3".
    V3,
}

impl<'a> Event<'a> {
    /// Reads the members of an event. A member named twice is refused: two
    /// readers could disagree about it.
    pub fn read(text: &'a str) -> Result<Self, Failure> {
        let Members(members) = serde_json::from_str(text).map_err(unreadable)?;
        Ok(Self { members })
    }

    /// Reads what the trigger needs, leniently: absent and `null` are alike.
    pub fn trigger<R: DeserializeOwned + Default>(&self) -> Result<Trigger<R>, Failure> {
        Ok(Trigger {
            version: self.version()?,
            source: self.text("triggerSource").unwrap_or_default(),
            user_pool_id: self.text("userPoolId").unwrap_or_default(),
            user_name: self.text("userName").filter(|name| !name.is_empty()),
            client_id: self.client_id()?,
            request: self.part("request")?,
        })
    }

    /// The event as it came: Cognito's default behaviour.
    pub fn unchanged(&self) -> Result<String, Failure> {
        self.write(None)
    }

    /// The event as it came, with this response instead of the one in it.
    pub fn with_response<T: Serialize>(&self, response: &T) -> Result<String, Failure> {
        let response = serde_json::value::to_raw_value(response).map_err(unwritable)?;
        self.write(Some(&response))
    }

    fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    fn text(&self, name: &str) -> Option<String> {
        self.member(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }

    fn part<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, Failure> {
        match self.member(name) {
            None => Ok(T::default()),
            Some(value) => serde_json::from_str(value.get()).map_err(unreadable),
        }
    }

    fn version(&self) -> Result<Version, Failure> {
        let Some(value) = self.member("version") else {
            return Ok(Version::V1);
        };
        match value.get() {
            "\"0\"" | "\"1\"" | "0" | "1" => Ok(Version::V1),
            "\"2\"" | "2" => Ok(Version::V2),
            "\"3\"" | "3" => Ok(Version::V3),
            _ => Err(Failure::new("UnknownEventVersion", PublicText::RequestUnreadable)),
        }
    }

    fn client_id(&self) -> Result<Option<String>, Failure> {
        #[derive(Default, Deserialize)]
        struct CallerContext {
            #[serde(default, rename = "clientId")]
            client_id: Option<String>,
        }
        let caller: CallerContext = self.part("callerContext")?;
        Ok(caller.client_id.filter(|id| !id.is_empty()))
    }

    fn write(&self, response: Option<&RawValue>) -> Result<String, Failure> {
        let mut text = String::from("{");
        let mut written = false;
        let mut put = |name: &str, value: &RawValue| -> Result<(), serde_json::Error> {
            if written {
                text.push(',');
            }
            written = true;
            text.push_str(&serde_json::to_string(name)?);
            text.push(':');
            text.push_str(value.get());
            Ok(())
        };
        for (name, value) in &self.members {
            let value = if name == "response" { response.unwrap_or(value) } else { value };
            put(name, value).map_err(unwritable)?;
        }
        if let Some(response) = response
            && !self.members.iter().any(|(name, _)| name == "response")
        {
            put("response", response).map_err(unwritable)?;
        }
        text.push('}');
        Ok(text)
    }
}

/// The members of a JSON object, in order, each name once.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Self::Value = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a member is named twice"));
                    }
                    // More than any trigger has; keeps the search above short.
                    if members.len() >= 64 {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((name, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Each).map(Members)
    }
}

/// The cause is the kind of error and its place: serde's own words quote the value.
fn unreadable(error: serde_json::Error) -> Failure {
    let cause = format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column());
    Failure::new("EventUnreadable", PublicText::RequestUnreadable).caused_by(cause)
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    struct Empty {}

    #[test]
    fn an_event_goes_back_byte_for_byte_but_for_its_response() {
        let table = [
            (r#"{"b": 1.50, "a" : [ ] ,"response":{"x":null}}"#, r#"{"b":1.50,"a":[ ],"response":{"ok":true}}"#),
            (
                r#"{"new":{"deep":[1,{"y":"ü\u0000"}]}}"#,
                r#"{"new":{"deep":[1,{"y":"ü\u0000"}]},"response":{"ok":true}}"#,
            ),
            (r"{}", r#"{"response":{"ok":true}}"#),
        ];
        for (event, expected) in table {
            let reply = Event::read(event).unwrap().with_response(&serde_json::json!({"ok": true})).unwrap();
            assert_eq!(reply, expected);
        }
    }

    #[test]
    fn an_unchanged_event_keeps_its_response() {
        let event = r#"{"version":"1","response":{"a":[1.0]}}"#;
        assert_eq!(Event::read(event).unwrap().unchanged().unwrap(), event);
    }

    #[test]
    fn only_an_object_with_distinct_members_is_an_event() {
        let many = format!("{{{}}}", (0..65).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(","));
        let table = [
            ("{}", true),
            (r#"{"userName":"a"}"#, true),
            (r#"{"userName":"a","userName":"b"}"#, false),
            (r#"{"userName":"a","user\u004eame":"b"}"#, false),
            ("null", false),
            ("[]", false),
            ("\"x\"", false),
            ("1", false),
            ("", false),
            ("{", false),
            ("{} {}", false),
            ("\u{feff}{}", false),
            (many.as_str(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(Event::read(text).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn a_deep_event_is_carried_without_being_walked() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(Event::read(&deep).unwrap().unchanged().unwrap(), deep);
    }

    #[test]
    fn versions_are_texts_and_emulators_send_zero() {
        let table = [
            (r"{}", Some(Version::V1)),
            (r#"{"version":null}"#, Some(Version::V1)),
            (r#"{"version":"0"}"#, Some(Version::V1)),
            (r#"{"version":"1"}"#, Some(Version::V1)),
            (r#"{"version":1}"#, Some(Version::V1)),
            (r#"{"version":"2"}"#, Some(Version::V2)),
            (r#"{"version":"3"}"#, Some(Version::V3)),
            (r#"{"version":"4"}"#, None),
            (r#"{"version":""}"#, None),
            (r#"{"version":[]}"#, None),
        ];
        for (text, expected) in table {
            let trigger = Event::read(text).unwrap().trigger::<Empty>();
            assert_eq!(trigger.ok().map(|trigger| trigger.version), expected, "{text}");
        }
    }

    #[test]
    fn absent_null_and_empty_are_alike_in_the_envelope() {
        for text in [
            r"{}",
            r#"{"userName":null,"callerContext":null,"request":null,"triggerSource":null}"#,
            r#"{"userName":"","callerContext":{},"request":{},"triggerSource":7}"#,
            r#"{"callerContext":{"clientId":null}}"#,
            r#"{"callerContext":{"clientId":""}}"#,
        ] {
            let trigger = Event::read(text).unwrap().trigger::<Empty>().unwrap();
            assert_eq!(trigger.user_name, None, "{text}");
            assert_eq!(trigger.client_id, None, "{text}");
            assert_eq!(trigger.source, "", "{text}");
        }
    }

    #[test]
    fn a_cause_never_quotes_the_event() {
        #[derive(Debug, Default, Deserialize)]
        struct Request {
            #[serde(rename = "password")]
            _password: u8,
        }
        let event = r#"{"request":{"password":"hunter2-canary"}}"#;
        let failure = Event::read(event).unwrap().trigger::<Request>().unwrap_err();
        assert_eq!(failure.code(), "EventUnreadable");
        assert!(!format!("{failure:?} {:?}", failure.cause()).contains("canary"));
    }
}
