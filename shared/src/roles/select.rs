//! The choice itself.

use serde_json::{Map, Value};

use super::{Ambiguous, Match, RoleKind, RoleRule, RoleRules};

/// The role that the identity pool gives, and what led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// What the user gets.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// What a user gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Credentials of this role.
    Role(String),
    /// Credentials of the identity pool's role for authenticated users.
    AuthenticatedRole,
    /// No credentials.
    Deny,
}

/// Why a role is selected, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller asked for it and may have it.
    CustomRole,
    /// The caller asked for a role that is not his; there is no second choice.
    CustomRoleNotAllowed,
    /// The token prefers it.
    PreferredRole,
    /// The token has roles and prefers none.
    NoPreferredRole,
    /// The token has no role.
    NoRoleInToken,
    /// The rule at this place, from 0, is the first that matches.
    Rule(usize),
    /// No rule matches.
    NoRuleMatches,
}

impl Reason {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::CustomRole => "CustomRole",
            Self::CustomRoleNotAllowed => "CustomRoleNotAllowed",
            Self::PreferredRole => "PreferredRole",
            Self::NoPreferredRole => "NoPreferredRole",
            Self::NoRoleInToken => "NoRoleInToken",
            Self::Rule(_) => "Rule",
            Self::NoRuleMatches => "NoRuleMatches",
        }
    }
}

/// Selects the role for a user by the claims of the ID token.
///
/// `custom_role` is the `CustomRoleArn` of `GetCredentialsForIdentity`, which
/// the caller chooses freely: it picks among the roles that are his anyway.
/// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html>
pub fn select(rules: &RoleRules, claims: &Map<String, Value>, custom_role: Option<&str>) -> Selection {
    match rules.kind {
        RoleKind::Token => by_token(rules, claims, custom_role),
        RoleKind::Rules => by_rules(rules, claims, custom_role),
    }
}

/// <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html#using-tokens-to-assign-roles-to-users>
fn by_token(rules: &RoleRules, claims: &Map<String, Value>, custom_role: Option<&str>) -> Selection {
    let allowed = roles_in(claims);
    if let Some(custom) = custom_role {
        // "If this parameter doesn't match a role in cognito:roles, deny access."
        return custom_or_deny(custom, allowed.contains(&custom));
    }
    if let Some(role) = claims.get("cognito:preferred_role").and_then(Value::as_str).filter(|role| !role.is_empty()) {
        return Selection { outcome: Outcome::Role(role.to_owned()), reason: Reason::PreferredRole };
    }
    let reason = if allowed.is_empty() { Reason::NoRoleInToken } else { Reason::NoPreferredRole };
    unresolved(rules, reason)
}

/// <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html#using-rules-to-assign-roles-to-users>
fn by_rules(rules: &RoleRules, claims: &Map<String, Value>, custom_role: Option<&str>) -> Selection {
    let mut matching = rules.rules.iter().enumerate().filter(|(_, rule)| matches(rule, claims));
    if let Some(custom) = custom_role {
        return custom_or_deny(custom, matching.any(|(_, rule)| rule.role == custom));
    }
    match matching.next() {
        Some((index, rule)) => Selection { outcome: Outcome::Role(rule.role.clone()), reason: Reason::Rule(index) },
        None => unresolved(rules, Reason::NoRuleMatches),
    }
}

fn custom_or_deny(custom: &str, allowed: bool) -> Selection {
    if allowed {
        return Selection { outcome: Outcome::Role(custom.to_owned()), reason: Reason::CustomRole };
    }
    Selection { outcome: Outcome::Deny, reason: Reason::CustomRoleNotAllowed }
}

fn unresolved(rules: &RoleRules, reason: Reason) -> Selection {
    let outcome = match rules.ambiguous {
        Ambiguous::Authenticated => Outcome::AuthenticatedRole,
        Ambiguous::Deny => Outcome::Deny,
    };
    Selection { outcome, reason }
}

/// The page says that `cognito:roles` is a comma-separated string; real tokens
/// hold an array. Both are read.
fn roles_in(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("cognito:roles") {
        Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).filter(|role| !role.is_empty()).collect(),
        Some(Value::String(roles)) => roles.split(',').map(str::trim).filter(|role| !role.is_empty()).collect(),
        _ => Vec::new(),
    }
}

/// Whether a claim matches, with regard to case.
///
/// A claim that is missing matches nothing, `NotEqual` included. Numbers and
/// booleans are compared as they are written. AWS does not say what a list does;
/// here `Equals` and `Contains` take one of its texts that is the value exactly
/// (`admin` is not found in `superadmin`), and the others never match a list:
/// a rule gives rights, so doubt gives none.
fn matches(rule: &RoleRule, claims: &Map<String, Value>) -> bool {
    match claims.get(&rule.claim) {
        None | Some(Value::Null | Value::Object(_)) => false,
        Some(Value::String(text)) => text_matches(rule, text),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => text_matches(rule, &value.to_string()),
        Some(Value::Array(items)) => {
            let one_is_it = items.iter().any(|item| item.as_str() == Some(&rule.value));
            matches!(rule.matching, Match::Equals | Match::Contains) && one_is_it
        }
    }
}

fn text_matches(rule: &RoleRule, text: &str) -> bool {
    match rule.matching {
        Match::Equals => text == rule.value,
        Match::NotEqual => text != rule.value,
        Match::StartsWith => text.starts_with(&rule.value),
        Match::Contains => text.contains(&rule.value),
    }
}

#[cfg(test)]
mod tests;
