//! What an operator should know beforehand.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::compare::Snapshot;
use super::plan::Plan;
use super::slot::{Slot, TriggerVersion, Wanted, arns};
use crate::claims::Source;
use crate::rules::Rules;

/// Who made the pool, as far as that could be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A CloudFormation stack.
    Stack(String),
    /// No CloudFormation stack.
    Nobody,
    /// It may not be asked.
    Unknown,
}

/// What is no reason to refuse, but may hurt later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Another stack's next update of the pool drops the triggers.
    OwnedByStack(String),
    /// Whether a stack owns the pool could not be found out.
    OwnerUnknown,
    /// The plan has no such version of the token event.
    PlanLacksVersion(TriggerVersion),
    /// A client may write an attribute that decides about rights.
    ClientWritesRights {
        /// The client's id.
        client: String,
        /// The attributes.
        attributes: Vec<String>,
    },
    /// Somebody else's trigger is replaced, and put back when detaching.
    TakenOver(Slot, String),
    /// A place is not ours any more, and is left alone.
    LeftAlone(Slot, String),
}

impl Warning {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OwnedByStack(_) => "OwnedByStack",
            Self::OwnerUnknown => "OwnerUnknown",
            Self::PlanLacksVersion(_) => "PlanLacksVersion",
            Self::ClientWritesRights { .. } => "ClientWritesRights",
            Self::TakenOver(..) => "TakenOver",
            Self::LeftAlone(..) => "LeftAlone",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnedByStack(stack) => {
                write!(f, "the pool belongs to the stack {stack}, whose next update of it drops these triggers")
            }
            Self::OwnerUnknown => f.write_str("whether a stack owns the pool could not be found out"),
            Self::PlanLacksVersion(version) => {
                write!(f, "the plan Lite has no {} of the token event, only V1_0", version.as_str())
            }
            Self::ClientWritesRights { client, attributes } => {
                write!(f, "the client {client} may write what decides about rights: {}", attributes.join(", "))
            }
            Self::TakenOver(slot, arn) => {
                write!(f, "{slot} was {arn}, which is remembered and put back when detaching")
            }
            Self::LeftAlone(slot, arn) => write!(f, "{slot} is {arn}, which is not ours, and is left alone"),
        }
    }
}

/// Everything to be said about a plan for a pool. Without rules nothing is known
/// about attributes.
pub fn warnings(
    snapshot: &Snapshot,
    owner: &Owner,
    wanted: Option<&Wanted>,
    rules: Option<&Rules>,
    plan: &Plan,
) -> Vec<Warning> {
    let mut all = Vec::new();
    if let Some(wanted) = wanted {
        match owner {
            Owner::Stack(stack) => all.push(Warning::OwnedByStack(stack.clone())),
            Owner::Unknown => all.push(Warning::OwnerUnknown),
            Owner::Nobody => {}
        }
        all.extend(lacking_version(&snapshot.pool, wanted));
        if let Some(rules) = rules {
            let deciding = deciding(rules);
            all.extend(snapshot.clients.iter().filter_map(|(id, client)| writes_rights(id, client, &deciding)));
        }
    }
    for change in plan.changes.iter().filter(|change| change.taken_over) {
        all.push(Warning::TakenOver(change.slot, arns(&change.before).first().copied().unwrap_or_default().to_owned()));
    }
    all.extend(plan.left.iter().map(|(slot, arn)| Warning::LeftAlone(*slot, arn.clone())));
    all
}

/// Versions above the first need more than the plan Lite.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>
fn lacking_version(pool: &Value, wanted: &Wanted) -> Option<Warning> {
    let is_lite = pool.get("UserPoolTier").and_then(Value::as_str) == Some("LITE");
    let asked = wanted.functions().contains_key(&Slot::PreTokenGeneration) && wanted.version() != TriggerVersion::V1;
    (is_lite && asked).then(|| Warning::PlanLacksVersion(wanted.version()))
}

/// The attributes that decide about rights by these rules: those that nobody may
/// set, those behind a claim that chooses a role, and of those behind other
/// claims the ones that no user writes about himself.
fn deciding(rules: &Rules) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = rules.sign_up.forbidden_attributes.iter().map(String::as_str).collect();
    let chooses: BTreeSet<&str> = rules.roles.rules.iter().map(|rule| rule.claim.as_str()).collect();
    names.extend(&chooses);
    for entry in &rules.claims.map {
        if let Source::Attribute(name) = &entry.from {
            let server_written = name.starts_with("custom:") || name.ends_with("_verified");
            if server_written || chooses.contains(entry.name.as_str()) {
                names.insert(name);
            }
        }
    }
    names
}

/// Without a list a client writes the standard attributes, which are not listed
/// then.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html>
fn writes_rights(id: &str, client: &Value, deciding: &BTreeSet<&str>) -> Option<Warning> {
    let listed = client.get("WriteAttributes").and_then(Value::as_array).filter(|list| !list.is_empty());
    let writes = |name: &str| match listed {
        Some(list) => list.iter().any(|written| written.as_str() == Some(name)),
        None => crate::attributes::is_standard(name),
    };
    let attributes: Vec<String> = deciding.iter().filter(|name| writes(name)).map(|name| (*name).to_owned()).collect();
    (!attributes.is_empty()).then(|| Warning::ClientWritesRights { client: id.to_owned(), attributes })
}
