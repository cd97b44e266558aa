//! Which IAM role a user gets, as the identity pool chooses it.
//!
//! The pool decides; this mirrors it, so that rules can be tried and explained
//! before they are in force.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html>

mod check;
mod preferred;
mod select;

pub use preferred::{Preferred, PreferredReason, preferred};
pub use select::{Outcome, Reason, Selection, select};

use serde::Deserialize;

/// How the identity pool chooses a role for a user of this user pool: its
/// `RoleMapping`, and the groups that stand behind `cognito:roles`.
/// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_RoleMapping.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleRules {
    /// What the role comes from.
    #[serde(rename = "type", default)]
    pub kind: RoleKind,
    /// What happens when that gives no single role.
    #[serde(default)]
    pub ambiguous: Ambiguous,
    /// The identity pool's role for authenticated users: an ARN, or the name of
    /// a role in `template.yaml`.
    #[serde(default)]
    pub authenticated_role: Option<String>,
    /// What the user pool knows of its groups.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// For `type = "rules"`: tried in this order, at most 25.
    #[serde(default)]
    pub rules: Vec<RoleRule>,
}

/// What a role comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RoleKind {
    /// The claims `cognito:roles` and `cognito:preferred_role`.
    #[default]
    Token,
    /// A list of rules on claims.
    Rules,
}

/// What happens when no single role is found (`AmbiguousRoleResolution`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ambiguous {
    /// The role for authenticated users.
    Authenticated,
    /// No credentials.
    #[default]
    Deny,
}

/// A Cognito group, as far as roles go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// Zero is best; left out is worst.
    #[serde(default)]
    pub precedence: Option<u32>,
    /// The group's role: an ARN, or the name of a role in `template.yaml`.
    #[serde(default)]
    pub role: Option<String>,
}

/// One rule: a claim that matches gives the role.
/// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_MappingRule.html>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim's name; a custom attribute has the prefix `custom:`.
    pub claim: String,
    /// How the claim is compared.
    #[serde(rename = "match")]
    pub matching: Match,
    /// What it is compared with.
    pub value: String,
    /// The role: an ARN, or the name of a role in `template.yaml`.
    pub role: String,
}

/// How a claim is compared with a rule's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// The claim is the value.
    Equals,
    /// The claim is there and is not the value.
    NotEqual,
    /// The claim begins with the value.
    StartsWith,
    /// The value is somewhere in the claim.
    Contains,
}

impl RoleRules {
    /// The role that a selection leads to, as the rules name it; `None` when it
    /// denies.
    pub fn arn<'a>(&'a self, selection: &'a Selection) -> Option<&'a str> {
        match &selection.outcome {
            Outcome::Role(arn) => Some(arn),
            Outcome::AuthenticatedRole => self.authenticated_role.as_deref(),
            Outcome::Deny => None,
        }
    }
}
