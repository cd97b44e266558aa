//! The places of a pool's `LambdaConfig` that are ours, and what belongs there.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::claims::EventVersion;

/// A trigger of the pool that this suite can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Slot {
    /// Decides about sign-ups.
    PreSignUp,
    /// Provisions confirmed users.
    PostConfirmation,
    /// Puts claims into tokens.
    PreTokenGeneration,
    /// Moves users in from an old system.
    UserMigration,
}

impl Slot {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::PreSignUp, Self::PostConfirmation, Self::PreTokenGeneration, Self::UserMigration];

    /// The name, which is also the member of `LambdaConfig`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp",
            Self::PostConfirmation => "PostConfirmation",
            Self::PreTokenGeneration => "PreTokenGeneration",
            Self::UserMigration => "UserMigration",
        }
    }

    /// The members of `LambdaConfig` that belong together. The token trigger has
    /// two, which must name one function.
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_LambdaConfigType.html>
    pub(super) fn members(self) -> &'static [&'static str] {
        match self {
            Self::PreSignUp => &["PreSignUp"],
            Self::PostConfirmation => &["PostConfirmation"],
            Self::PreTokenGeneration => &["PreTokenGeneration", "PreTokenGenerationConfig"],
            Self::UserMigration => &["UserMigration"],
        }
    }

    /// What stands in this place; empty when nothing does.
    pub(super) fn held(self, config: &Map<String, Value>) -> Map<String, Value> {
        let members = self.members().iter().filter_map(|name| Some(((*name).to_owned(), config.get(*name)?.clone())));
        members.filter(|(_, value)| !is_nothing(value)).collect()
    }

    /// Puts something in this place; nothing empties it.
    pub(super) fn put(self, config: &mut Map<String, Value>, held: Map<String, Value>) {
        for name in self.members() {
            config.remove(*name);
        }
        config.extend(held);
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Absent, `null` and empty are alike.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

/// Every function that a place names.
pub(super) fn arns(held: &Map<String, Value>) -> Vec<&str> {
    let arn = |value: &'_ Value| value.as_str().is_some();
    let direct = held.values().filter(|value| arn(value)).filter_map(Value::as_str);
    let versioned = held.values().filter_map(|value| value.get("LambdaArn")?.as_str());
    direct.chain(versioned).collect()
}

/// The version of the token trigger's event, as the API writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriggerVersion {
    /// ID token only; the only one of the plan Lite.
    #[serde(rename = "V1_0")]
    V1,
    /// Both tokens of a user.
    #[serde(rename = "V2_0")]
    V2,
    /// Machine clients too.
    #[serde(rename = "V3_0")]
    V3,
}

impl TriggerVersion {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "V1_0",
            Self::V2 => "V2_0",
            Self::V3 => "V3_0",
        }
    }

    /// Reads what the API writes.
    pub fn read(text: &str) -> Option<Self> {
        [Self::V1, Self::V2, Self::V3].into_iter().find(|version| version.as_str() == text)
    }
}

impl From<EventVersion> for TriggerVersion {
    fn from(version: EventVersion) -> Self {
        match version {
            EventVersion::V1 => Self::V1,
            EventVersion::V2 => Self::V2,
            EventVersion::V3 => Self::V3,
        }
    }
}

/// The triggers that a pool is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    functions: BTreeMap<Slot, String>,
    version: TriggerVersion,
}

/// A trigger is not the ARN of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedRefused(pub Slot);

impl Wanted {
    /// The triggers by their places. Each is the ARN of a function, perhaps of a
    /// version or an alias of it.
    pub fn new(functions: BTreeMap<Slot, String>, version: TriggerVersion) -> Result<Self, WantedRefused> {
        match functions.iter().find(|(_, arn)| !is_function(arn)) {
            None => Ok(Self { functions, version }),
            Some((slot, _)) => Err(WantedRefused(*slot)),
        }
    }

    /// The functions by their places.
    pub fn functions(&self) -> &BTreeMap<Slot, String> {
        &self.functions
    }

    /// The version of the token trigger's event.
    pub fn version(&self) -> TriggerVersion {
        self.version
    }

    /// What is to stand in a place; `None` when nothing of ours is.
    pub(super) fn held(&self, slot: Slot) -> Option<Map<String, Value>> {
        let arn = self.functions.get(&slot)?;
        let mut held = Map::from_iter([(slot.name().to_owned(), json!(arn))]);
        if slot == Slot::PreTokenGeneration {
            let config = json!({ "LambdaArn": arn, "LambdaVersion": self.version.as_str() });
            held.insert("PreTokenGenerationConfig".to_owned(), config);
        }
        Some(held)
    }
}

fn is_function(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_$.".contains(c));
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", rest @ ..] => {
            word(partition)
                && word(region)
                && digits(account)
                && (1..=2).contains(&rest.len())
                && rest.iter().all(|part| word(part))
        }
        _ => false,
    }
}

impl fmt::Display for WantedRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not the ARN of a function", self.0)
    }
}

impl std::error::Error for WantedRefused {}
