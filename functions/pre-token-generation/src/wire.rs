//! The JSON of `TokenGeneration` events.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::attributes::Attributes;
use shared::claims::{GroupEdit, Overrides, TokenEdit};

/// The part of `request` that is read. `clientMetadata` is the client's own
/// words and decides nothing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default, rename = "userAttributes")]
    pub(crate) attributes: Attributes,
    #[serde(default, rename = "groupConfiguration")]
    groups: Option<Groups>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Groups {
    #[serde(default, rename = "groupsToOverride")]
    names: Option<Vec<String>>,
    #[serde(default, rename = "iamRolesToOverride")]
    iam_roles: Option<Vec<String>>,
    #[serde(default, rename = "preferredRole")]
    preferred_role: Value,
}

impl Request {
    pub(crate) fn groups(&self) -> &[String] {
        self.groups.as_ref().and_then(|groups| groups.names.as_deref()).unwrap_or_default()
    }

    pub(crate) fn iam_roles(&self) -> &[String] {
        self.groups.as_ref().and_then(|groups| groups.iam_roles.as_deref()).unwrap_or_default()
    }

    pub(crate) fn preferred_role(&self) -> Option<&str> {
        self.groups.as_ref().and_then(|groups| groups.preferred_role.as_str()).filter(|role| !role.is_empty())
    }

    pub(crate) fn scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }
}

/// The response to a v1 event: texts in the ID token, and groups.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1<'a> {
    claims_override_details: ClaimsOverride<'a>,
}

/// The response to a v2 or v3 event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V2<'a> {
    claims_and_scope_override_details: ClaimsAndScopeOverride<'a>,
}

// What is not meant is left out: to Cognito, empty can be an order.

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimsOverride<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    claims_to_add_or_override: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    claims_to_suppress: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    group_override_details: Option<GroupOverride<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimsAndScopeOverride<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_generation: Option<TokenGeneration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_generation: Option<TokenGeneration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_override_details: Option<GroupOverride<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenGeneration<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    claims_to_add_or_override: &'a BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    claims_to_suppress: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_to_add: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_to_suppress: &'a [String],
}

/// Written whole or not at all: it replaces what the pool knows, and an empty
/// list removes every group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupOverride<'a> {
    groups_to_override: &'a [String],
    iam_roles_to_override: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_role: Option<&'a str>,
}

impl<'a> V1<'a> {
    /// A v1 event's answer. The claims of a v1 event are texts; another value
    /// would make Cognito refuse the answer whole, so it is not written.
    pub(crate) fn of(overrides: &'a Overrides) -> Self {
        let texts = overrides.id.add.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        Self {
            claims_override_details: ClaimsOverride {
                claims_to_add_or_override: texts.collect(),
                claims_to_suppress: &overrides.id.suppress,
                group_override_details: group_override(&overrides.groups),
            },
        }
    }
}

impl<'a> V2<'a> {
    /// A v2 or v3 event's answer.
    pub(crate) fn of(overrides: &'a Overrides) -> Self {
        Self {
            claims_and_scope_override_details: ClaimsAndScopeOverride {
                id_token_generation: token_generation(&overrides.id),
                access_token_generation: token_generation(&overrides.access),
                group_override_details: group_override(&overrides.groups),
            },
        }
    }
}

/// Whether there is nothing to write, so that the event can go back as it came.
pub(crate) fn is_empty(overrides: &Overrides) -> bool {
    let Overrides { id, access, groups, dropped: _ } = overrides;
    token_generation(id).is_none() && token_generation(access).is_none() && *groups == GroupEdit::Keep
}

fn token_generation(edit: &TokenEdit) -> Option<TokenGeneration<'_>> {
    let TokenEdit { add, suppress, scopes_add, scopes_suppress } = edit;
    let empty = add.is_empty() && suppress.is_empty() && scopes_add.is_empty() && scopes_suppress.is_empty();
    (!empty).then_some(TokenGeneration {
        claims_to_add_or_override: add,
        claims_to_suppress: suppress,
        scopes_to_add: scopes_add,
        scopes_to_suppress: scopes_suppress,
    })
}

fn group_override(edit: &GroupEdit) -> Option<GroupOverride<'_>> {
    match edit {
        GroupEdit::Keep => None,
        GroupEdit::Replace { groups, iam_roles, preferred_role } => Some(GroupOverride {
            groups_to_override: groups,
            iam_roles_to_override: iam_roles,
            preferred_role: preferred_role.as_deref(),
        }),
    }
}
