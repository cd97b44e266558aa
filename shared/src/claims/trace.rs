//! Which entries of the claim map count for a token, and why the others do not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Facts;
use super::token::{refusal, suppressed, value};
use super::{ClaimRules, Decision, DropReason, EventVersion, GroupEdit, Request, TokenKind, decide, groups};
use crate::roles::RoleRules;

/// What became of each entry, in the order of the rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// By place in `claims.map`, once for each token that the entry is for.
    pub entries: Vec<(usize, TokenKind, EntryOutcome)>,
    /// By place in `claims.scopes`.
    pub scopes: Vec<ScopeOutcome>,
}

/// What became of an entry of the claim map.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryOutcome {
    /// It gives the claim this value.
    Added(Value),
    /// Its condition does not hold; these keys of it do not.
    Unmet(Vec<&'static str>),
    /// Its source has no value for this user.
    NoValue,
    /// The entry at this place gives the claim already.
    Outvoted(usize),
    /// The rules take the claim out, which always wins.
    Suppressed,
    /// The token will not carry it.
    Dropped(DropReason),
    /// There is no such token: a machine has no ID token.
    NoToken,
}

/// What became of an entry of the scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeOutcome {
    /// It counts.
    Holds,
    /// These keys of it do not hold.
    Unmet(Vec<&'static str>),
    /// It does not say that it is for this machine client.
    MachineUnnamed,
    /// v1 does not reach the access token.
    EventTooOld,
}

/// Follows [`decide`] entry by entry.
pub fn trace(claims: &ClaimRules, roles: &RoleRules, request: Request<'_>) -> Trace {
    let groups: GroupEdit = groups::edit(claims.groups, &roles.groups, &request);
    let facts = Facts::of(&request, &groups);
    let over_budget = match decide(claims, roles, request) {
        Decision::Issue(overrides) => overrides.dropped,
        Decision::Refuse(_) => Vec::new(),
    };
    let mut entries = Vec::new();
    for kind in [TokenKind::Id, TokenKind::Access] {
        for (index, outcome) in of_token(claims, &facts, kind) {
            let name = claims.map.get(index).map(|entry| &entry.name);
            let is_over = |dropped: &super::Dropped| {
                dropped.token == kind && dropped.reason == DropReason::OverBudget && Some(&dropped.claim) == name
            };
            let outcome = match outcome {
                EntryOutcome::Added(_) if over_budget.iter().any(is_over) => {
                    EntryOutcome::Dropped(DropReason::OverBudget)
                }
                outcome => outcome,
            };
            entries.push((index, kind, outcome));
        }
    }
    entries.sort_by_key(|(index, kind, _)| (*index, *kind));
    Trace { entries, scopes: claims.scopes.iter().map(|entry| of_scopes(entry, &facts)).collect() }
}

fn of_token(claims: &ClaimRules, facts: &Facts<'_>, kind: TokenKind) -> Vec<(usize, EntryOutcome)> {
    let taken_out = suppressed(claims, facts, kind);
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (index, entry) in claims.map.iter().enumerate().filter(|(_, entry)| entry.token.include(kind)) {
        let unmet: Vec<&'static str> =
            entry.when.as_ref().map(|condition| facts.unmet(condition).collect()).unwrap_or_default();
        let outcome = if facts.request.machine && kind == TokenKind::Id {
            EntryOutcome::NoToken
        } else if let Some(earlier) = found.get(entry.name.as_str()) {
            EntryOutcome::Outvoted(*earlier)
        } else if !unmet.is_empty() {
            EntryOutcome::Unmet(unmet)
        } else if let Some(value) = value(entry, facts) {
            found.insert(&entry.name, index);
            match refusal(entry, &value, facts, kind) {
                _ if taken_out.contains(&entry.name) => EntryOutcome::Suppressed,
                Some(reason) => EntryOutcome::Dropped(reason),
                None => EntryOutcome::Added(value),
            }
        } else {
            EntryOutcome::NoValue
        };
        outcomes.push((index, outcome));
    }
    outcomes
}

fn of_scopes(entry: &super::ScopeEntry, facts: &Facts<'_>) -> ScopeOutcome {
    let unmet: Vec<&'static str> = facts.unmet_scopes(entry).collect();
    match unmet.is_empty() {
        _ if facts.request.version == EventVersion::V1 => ScopeOutcome::EventTooOld,
        false => ScopeOutcome::Unmet(unmet),
        true if facts.request.machine && entry.client.is_none() && !entry.add.is_empty() => {
            ScopeOutcome::MachineUnnamed
        }
        true => ScopeOutcome::Holds,
    }
}
