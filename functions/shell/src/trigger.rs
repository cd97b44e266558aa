//! The envelope that all user-pool triggers share.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html#cognito-user-pools-lambda-trigger-event-parameter-shared>

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{Failure, PublicText};

/// A whole event, kept byte for byte; only `response` is ever replaced.
#[derive(Debug)]
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
    pub fn read(raw: &'a RawValue) -> Result<Self, Failure> {
        let Members(members) = serde_json::from_str(raw.get()).map_err(unreadable)?;
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
    pub fn unchanged(&self) -> Result<Box<RawValue>, Failure> {
        self.write(None)
    }

    /// The event as it came, with this response instead of the one in it.
    pub fn with_response<T: Serialize>(&self, response: &T) -> Result<Box<RawValue>, Failure> {
        let response = serde_json::value::to_raw_value(response).map_err(unwritable)?;
        self.write(Some(&response))
    }

    fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| *value)
            .filter(|value| value.get() != "null")
    }

    fn text(&self, name: &str) -> Option<String> {
        self.member(name)
            .and_then(|value| serde_json::from_str(value.get()).ok())
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
            _ => Err(Failure::new(
                "UnknownEventVersion",
                PublicText::RequestUnreadable,
            )),
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

    fn write(&self, response: Option<&RawValue>) -> Result<Box<RawValue>, Failure> {
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
            let value = if name == "response" {
                response.unwrap_or(value)
            } else {
                value
            };
            put(name, value).map_err(unwritable)?;
        }
        if let Some(response) = response
            && !self.members.iter().any(|(name, _)| name == "response")
        {
            put("response", response).map_err(unwritable)?;
        }
        text.push('}');
        RawValue::from_string(text).map_err(unwritable)
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
    let cause = format!(
        "{:?} error at line {} column {}",
        error.classify(),
        error.line(),
        error.column()
    );
    Failure::new("EventUnreadable", PublicText::RequestUnreadable).caused_by(cause)
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error)
}
