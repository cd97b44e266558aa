//! Which fields of a GraphQL API a caller may use.
//!
//! AppSync takes a list of denied fields and lets every other one pass, and it is
//! never told the schema. So that a field that nobody thought of is closed, the
//! request's own document is read, and one that asks for a field of `Query`,
//! `Mutation` or `Subscription` without a rule is refused as a whole.
//! <https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization>
//!
//! INVARIANT: an answer that AppSync keeps is used for the next document, too,
//! which nobody reads. `cache_seconds` is therefore 0 unless the rules say that
//! every such field has a rule.

mod check;
mod document;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::routes::{Caller, Refusal as ConditionRefusal, rule_with_conditions};
use document::asked_for;

/// The fields of a GraphQL API. Without this section nobody may use one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GraphqlRules {
    /// How long AppSync may keep an answer, in seconds, and never longer than the
    /// token lives. More than 0 only where each field of `Query`, `Mutation` and
    /// `Subscription` has a rule: a kept answer lets pass what has none.
    #[serde(default)]
    pub cache_seconds: u64,
    /// What each field takes.
    pub fields: Vec<FieldRule>,
}

rule_with_conditions! {
    /// What one field takes. Every condition that is not empty must hold.
    FieldRule {
        /// The type, such as "Mutation".
        #[serde(rename = "type")]
        parent: String,
        /// The field of that type.
        field: String,
    }
}

/// Whether a request may be looked at by the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may, but for these fields, as `Type.field`, sorted.
    Allow {
        /// The fields that have a rule, and that the caller may not use.
        denied: BTreeSet<String>,
    },
    /// It may not.
    Refuse(Refusal),
}

/// Why a request may not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The document cannot be read, or is too large.
    DocumentRefused,
    /// It asks for a field of `Query`, `Mutation` or `Subscription` without a rule.
    FieldUnknown,
    /// The caller may use no field at all; why he may not use the first.
    Nothing(ConditionRefusal),
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::DocumentRefused => "DocumentRefused",
            Self::FieldUnknown => "FieldUnknown",
            Self::Nothing(refusal) => refusal.code(),
        }
    }
}

impl GraphqlRules {
    /// Decides what a caller may use. `document` is the text of the request; it is
    /// empty while a client connects for subscriptions, which asks for nothing yet.
    pub fn decide(&self, caller: &Caller, document: &str) -> Decision {
        let mut denied = BTreeSet::new();
        let mut first = None;
        for rule in &self.fields {
            if let Err(refusal) = rule.conditions().check(caller) {
                first.get_or_insert(refusal);
                denied.insert(format!("{}.{}", rule.parent, rule.field));
            }
        }
        if let Some(refusal) = first.filter(|_| denied.len() == self.fields.len()) {
            return Decision::Refuse(Refusal::Nothing(refusal));
        }
        let Some(asked) = asked_for(document) else { return Decision::Refuse(Refusal::DocumentRefused) };
        let has_rule = |asked: &(&str, &str)| {
            asked.1 == "__typename"
                || self.fields.iter().any(|rule| (rule.parent.as_str(), rule.field.as_str()) == *asked)
        };
        if asked.iter().all(has_rule) { Decision::Allow { denied } } else { Decision::Refuse(Refusal::FieldUnknown) }
    }
}

#[cfg(test)]
mod tests;
