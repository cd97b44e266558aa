//! The explanation itself, as it is written out.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::tokens::PLACEHOLDERS;
use super::{Passage, RequestTold, RouteTold, outcome, scope_outcome};
use crate::claims::{GroupEdit, ScopeOutcome, Trace};
use crate::names::{RoleName, TenantId};
use crate::rules::Rules;
use crate::tenants::Tenancy;

/// What becomes of one person, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Where the user acts.
    pub tenancy: TenancyTold,
    /// The code of the refusal when no token is issued; nothing follows then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
    /// What becomes of the user's groups.
    pub groups: GroupsTold,
    /// What became of each entry of the claim map.
    pub claims: Vec<EntryTold>,
    /// What became of each entry of the scopes.
    pub scopes: Vec<ScopesTold>,
    /// The tokens; of a machine only the access token.
    pub tokens: Vec<TokenTold>,
    /// The IAM role; `None` without an ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iam_role: Option<RoleTold>,
    /// What the authorizer answers for each route.
    pub routes: Vec<RouteTold>,
    /// And for each request.
    pub requests: Vec<RequestTold>,
}

/// Where the user acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TenancyTold {
    /// The tenant, if there is one.
    pub active: Option<TenantId>,
    /// The roles there.
    pub roles: BTreeSet<RoleName>,
    /// The tenants to choose from.
    pub tenants: BTreeSet<TenantId>,
    /// Why.
    pub reason: &'static str,
}

/// What becomes of the user's groups, in both tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GroupsTold {
    /// Whether the pool's own list stands.
    pub kept: bool,
    /// The groups that the tokens carry.
    pub groups: Vec<String>,
}

/// What became of an entry of the claim map in one token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryTold {
    /// Its key, such as `claims.map[2]`.
    pub path: String,
    /// The claim.
    pub claim: String,
    /// The token.
    pub token: &'static str,
    /// What became of it, in a word.
    pub outcome: &'static str,
    /// The value that it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The keys of the condition that do not hold, or the entry that came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What became of an entry of the scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopesTold {
    /// Its key, such as `claims.scopes[0]`.
    pub path: String,
    /// What became of it, in a word.
    pub outcome: &'static str,
    /// The keys of the condition that do not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One token, before and after the rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenTold {
    /// "id" or "access".
    pub token: &'static str,
    /// The claims in bytes of JSON, before.
    pub bytes_before: usize,
    /// And after.
    pub bytes_after: usize,
    /// The length of the token itself, before.
    pub characters_before: usize,
    /// And after.
    pub characters_after: usize,
    /// What the pool would sign. Ids, times and the issuer are placeholders.
    pub before: Map<String, Value>,
    /// What it signs.
    pub after: Map<String, Value>,
}

/// The IAM role that the identity pool gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleTold {
    /// The role as the rules name it; `None`: no credentials.
    pub role: Option<String>,
    /// Why.
    pub reason: &'static str,
    /// The rule that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl TenancyTold {
    pub(super) fn of(tenancy: &Tenancy) -> Self {
        Self {
            active: tenancy.active.clone(),
            roles: tenancy.roles.clone(),
            tenants: tenancy.tenants.clone(),
            reason: tenancy.reason.code(),
        }
    }
}

impl GroupsTold {
    pub(super) fn of(edit: &GroupEdit, own: &[String]) -> Self {
        match edit {
            GroupEdit::Keep => Self { kept: true, groups: own.to_vec() },
            GroupEdit::Replace { groups, .. } => Self { kept: false, groups: groups.clone() },
        }
    }
}

impl TokenTold {
    /// The claims that say something about the user: no placeholders.
    pub fn telling(claims: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
        claims.iter().filter(|(name, _)| !PLACEHOLDERS.contains(&name.as_str()))
    }
}

impl Explanation {
    /// Whether a request passes with one of the tokens.
    pub fn passes(&self, method: &str, path: &str) -> Option<bool> {
        let told = self.requests.iter().find(|told| told.method == method && told.path == path)?;
        Some(told.answers.iter().any(Passage::is_allowed))
    }
}

pub(super) fn entries(rules: &Rules, trace: &Trace) -> Vec<EntryTold> {
    let told = |(index, kind, traced): &(usize, crate::claims::TokenKind, crate::claims::EntryOutcome)| {
        let claim = rules.claims.map.get(*index).map(|entry| entry.name.clone()).unwrap_or_default();
        let (outcome, value, by) = outcome(traced);
        EntryTold { path: format!("claims.map[{index}]"), claim, token: kind.as_str(), outcome, value, by }
    };
    trace.entries.iter().map(told).collect()
}

pub(super) fn scopes(index: usize, traced: &ScopeOutcome) -> ScopesTold {
    let (outcome, by) = scope_outcome(traced);
    ScopesTold { path: format!("claims.scopes[{index}]"), outcome, by }
}
