//! The request of CloudFormation, and the answer that it waits for.

use std::collections::BTreeMap;

use attachment::Order;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::address::web::is_safe_for_secrets;
use shared::attachment::{Foreign, Slot, TriggerVersion, Wanted};

/// What every physical id of ours begins with; the pool's id follows.
const PHYSICAL_ID: &str = "poolhouse-attachment:";

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>
const LONGEST_REASON: usize = 1_000;
const LONGEST_WARNINGS: usize = 1_500;

/// What CloudFormation sends. Read leniently: only without a usable address
/// there is nobody to answer. No `Debug`: the address is a secret.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Request {
    request_type: Value,
    #[serde(rename = "ResponseURL")]
    response_url: Value,
    stack_id: Value,
    request_id: Value,
    logical_resource_id: Value,
    physical_resource_id: Value,
    resource_properties: Value,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Create and Update are alike: the pool is to have these triggers.
    Attach,
    /// It is to have them no more.
    Detach,
}

/// Why a request cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// Stable name, for logs, alarms and tests.
    pub(crate) code: &'static str,
    /// What is wrong, for the stack's events.
    pub(crate) problem: &'static str,
}

fn unusable<T>(code: &'static str, problem: &'static str) -> Result<T, Unusable> {
    Err(Unusable { code, problem })
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is done; these are the warnings.
    Success(String),
    /// It is not, for this reason.
    Failed(String),
}

impl Request {
    /// Reads an event.
    pub(crate) fn read(event: &str) -> Result<Self, Unusable> {
        serde_json::from_str(event).or_else(|_| unusable("EventUnreadable", "the event is not an object"))
    }

    /// Where the answer is put. Only to an address that nobody else reads: who
    /// holds it can end the stack's operation.
    pub(crate) fn address(&self) -> Result<&str, Unusable> {
        match self.response_url.as_str().filter(|url| is_safe_for_secrets(url)) {
            Some(url) => Ok(url),
            None => unusable("ResponseUrlRefused", "ResponseURL is not an https address"),
        }
    }

    /// What is to be done.
    pub(crate) fn kind(&self) -> Result<Kind, Unusable> {
        match self.request_type.as_str() {
            Some("Create" | "Update") => Ok(Kind::Attach),
            Some("Delete") => Ok(Kind::Detach),
            _ => unusable("RequestTypeUnknown", "RequestType is none of Create, Update and Delete"),
        }
    }

    /// Whether a deletion is of something that was never made: what failed before
    /// its properties were understood.
    pub(crate) fn was_never_made(&self) -> bool {
        self.property("UserPoolId").is_none() || self.physical_resource_id.as_str() == Some(&named(None))
    }

    /// The pool and the triggers.
    pub(crate) fn order(&self) -> Result<Order, Unusable> {
        let Some(pool) = self.property("UserPoolId") else {
            return unusable("PropertyRefused", "UserPoolId is missing");
        };
        let version = match self.property("TokenEventVersion").map(TriggerVersion::read) {
            None => TriggerVersion::V1,
            Some(Some(version)) => version,
            Some(None) => return unusable("PropertyRefused", "TokenEventVersion is none of V1_0, V2_0 and V3_0"),
        };
        let foreign = match self.property("ForeignTriggers") {
            None | Some("refuse") => Foreign::Refuse,
            Some("take-over") => Foreign::TakeOver,
            Some(_) => return unusable("PropertyRefused", "ForeignTriggers is neither refuse nor take-over"),
        };
        let wanted = match Wanted::new(self.triggers()?, version) {
            Ok(wanted) => wanted,
            Err(_) => return unusable("PropertyRefused", "a value of Triggers is not the ARN of a function"),
        };
        Ok(Order { pool: pool.to_owned(), wanted, foreign })
    }

    fn triggers(&self) -> Result<BTreeMap<Slot, String>, Unusable> {
        let mut triggers = BTreeMap::new();
        for (name, arn) in self.resource_properties.get("Triggers").and_then(Value::as_object).into_iter().flatten() {
            let Some(slot) = Slot::ALL.into_iter().find(|slot| slot.name() == name) else {
                return unusable("PropertyRefused", "Triggers has a name that is none of this suite's triggers");
            };
            match arn.as_str() {
                Some(arn) => triggers.insert(slot, arn.to_owned()),
                None if arn.is_null() => None,
                None => return unusable("PropertyRefused", "a value of Triggers is not the ARN of a function"),
            };
        }
        if triggers.is_empty() { unusable("PropertyRefused", "Triggers names no function") } else { Ok(triggers) }
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.resource_properties.get(name)?.as_str().filter(|value| !value.is_empty())
    }

    /// The resource's id, the same for all answers about one pool: another pool
    /// is another resource, and CloudFormation then deletes the former one.
    fn physical_id(&self) -> String {
        match (self.kind(), self.physical_resource_id.as_str()) {
            // A deletion answers with the id that it was asked with.
            (Ok(Kind::Detach) | Err(_), Some(id)) if !id.is_empty() => id.to_owned(),
            _ => named(self.property("UserPoolId")),
        }
    }

    /// The answer, at most 4,096 bytes long.
    pub(crate) fn answer(&self, status: &Status) -> String {
        let (name, reason, warnings) = match status {
            Status::Success(warnings) => ("SUCCESS", "", warnings.as_str()),
            Status::Failed(reason) => ("FAILED", reason.as_str(), ""),
        };
        let answer = json!({
            "Status": name, "Reason": shortened(reason, LONGEST_REASON), "NoEcho": false,
            "PhysicalResourceId": shortened(&self.physical_id(), 1_000),
            "StackId": self.stack_id, "RequestId": self.request_id, "LogicalResourceId": self.logical_resource_id,
            "Data": { "Warnings": shortened(warnings, LONGEST_WARNINGS) },
        });
        answer.to_string()
    }
}

fn named(pool: Option<&str>) -> String {
    format!("{PHYSICAL_ID}{}", pool.unwrap_or("none"))
}

/// At most so many bytes of JSON, at the end of a character.
fn shortened(text: &str, most: usize) -> String {
    let mut length = 0;
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain
        .take_while(|c| {
            length += if matches!(c, '"' | '\\') { 2 } else { c.len_utf8() };
            length <= most
        })
        .collect()
}
