//! How large the added claims can grow.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::attributes::LONGEST_VALUE;
use crate::claims::{ClaimEntry, Format, Membership, Source, TokenKind, constant_size, size};
use crate::findings::Findings;
use crate::names::RoleName;
use crate::rules::Rules;
use crate::token::MAX_TOKEN_BYTES;

/// How many tenants and groups the largest user is taken to have.
const MANY: usize = 10;

/// The longest names, in bytes.
const LONGEST_TENANT: usize = 63;
const LONGEST_ROLE: usize = 32;
const LONGEST_GROUP: usize = 128;

/// What Cognito's own claims take in a token: ids, times and addresses, and in
/// the ID token the usual attributes.
const OWN_CLAIMS: usize = 900;

/// How large the claims that are added to one token can grow.
///
/// The largest user is taken to be in ten tenants and ten groups, all with the
/// longest names, to have every role that the rules name, and attributes as long
/// as a pool stores them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// The token.
    #[serde(serialize_with = "name")]
    pub token: TokenKind,
    /// What the rules allow, in bytes of JSON.
    pub budget: usize,
    /// What every such token gets.
    pub always: usize,
    /// What the largest user's would get.
    pub largest: usize,
    /// The part of that which is never dropped.
    pub memberships: usize,
    /// What is dropped for the largest user, in this order.
    pub dropped: Vec<String>,
}

fn name<S: serde::Serializer>(kind: &TokenKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// The capacity of the ID token and of the access token.
pub fn capacities(rules: &Rules) -> [Capacity; 2] {
    [TokenKind::Id, TokenKind::Access].map(|kind| capacity(rules, kind))
}

fn capacity(rules: &Rules, kind: TokenKind) -> Capacity {
    // Of several entries for one claim, the one that takes most.
    let mut claims: Vec<(&ClaimEntry, usize)> = Vec::new();
    for entry in rules.claims.map.iter().filter(|entry| entry.token.include(kind)) {
        let bytes = largest(rules, entry);
        match claims.iter_mut().find(|(known, _)| known.name == entry.name) {
            Some(known) if known.1 < bytes => *known = (entry, bytes),
            Some(_) => {}
            None => claims.push((entry, bytes)),
        }
    }
    let total = |claims: &[(&ClaimEntry, usize)]| claims.iter().map(|(_, bytes)| bytes).sum::<usize>();
    let (budget, all) = (rules.claims.budget_bytes.of(kind), total(&claims));
    let (fixed, mut loose): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|(entry, _)| matches!(entry.from, Source::Membership(_)));
    // The order in which a decision drops them, last first.
    loose.sort_by(|(one, _), (two, _)| two.priority.cmp(&one.priority).then(one.name.cmp(&two.name)));
    let (mut left, mut dropped) = (all, Vec::new());
    for (entry, bytes) in loose {
        if left > budget {
            left -= bytes;
            dropped.push(entry.name.clone());
        }
    }
    let always = constant_size(&rules.claims, kind);
    Capacity { token: kind, budget, always, largest: all, memberships: total(&fixed), dropped }
}

/// The most bytes that an entry can add.
fn largest(rules: &Rules, entry: &ClaimEntry) -> usize {
    let text = |bytes: usize| Value::from("x".repeat(bytes));
    let list = |parts: Vec<usize>| match entry.format.unwrap_or_default() {
        Format::List => Value::from(parts.into_iter().map(text).collect::<Vec<_>>()),
        Format::Text => text(parts.iter().map(|part| part + 1).sum()),
    };
    let value = match &entry.from {
        Source::Constant(constant) => constant.value().unwrap_or_default(),
        Source::List(parts) => list(parts.iter().map(String::len).collect()),
        Source::Attribute(_) => text(LONGEST_VALUE),
        Source::Groups(_) => list(vec![LONGEST_GROUP; MANY]),
        Source::Membership(Membership::Tenant) => text(LONGEST_TENANT),
        Source::Membership(Membership::Tenants) => list(vec![LONGEST_TENANT; MANY]),
        Source::Membership(Membership::Roles) => {
            let named: Vec<usize> = roles_named(rules).iter().map(|role| role.as_str().len()).collect();
            list(if named.is_empty() { vec![LONGEST_ROLE] } else { named })
        }
    };
    size(&entry.name, &value)
}

/// Every role that the rules name anywhere.
fn roles_named(rules: &Rules) -> BTreeSet<&RoleName> {
    let placed = rules.tenants.placements.iter().flat_map(|placement| &placement.roles);
    let moved = rules.migration.iter().flat_map(|migration| &migration.groups).flat_map(|carry| &carry.roles);
    let asked = rules.claims.map.iter().filter_map(|entry| entry.when.as_ref()?.role.as_ref());
    let scoped = rules.claims.scopes.iter().filter_map(|entry| entry.role.as_ref());
    let routed = rules.routes.rules().flat_map(|route| &route.roles);
    placed.chain(moved).chain(asked).chain(scoped).chain(routed).collect()
}

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    for capacity in capacities(rules) {
        let Capacity { token, budget, largest, memberships, dropped, .. } = &capacity;
        let path = format!("claims.budget_bytes.{}", token.as_str());
        if memberships > budget {
            let message = format!("is {budget}, and memberships alone can take {memberships} bytes");
            let why = "a membership is never dropped: such a user gets no token at all";
            findings.warning("TokenRefused", &path, [&message, why, "raise it, or map fewer memberships"]);
        } else if largest > budget {
            let message = format!("is {budget}, and all claims together can take {largest} bytes");
            let why = format!("then these are dropped, in this order: {}", dropped.join(", "));
            let fix = "raise it, give the claims that matter least the highest priority, or shorten the attributes";
            findings.note("TokenOverBudget", &path, [&message, &why, fix]);
        }
        too_long(rules, &capacity, &path, findings);
    }
}

/// The authorizer refuses what proxies would not let through either.
fn too_long(rules: &Rules, capacity: &Capacity, path: &str, findings: &mut Findings) {
    let is_shown = rules.routes.rules().any(|route| route.token == capacity.token);
    // base64url makes four characters of three bytes; header and signature take 450.
    let length = (OWN_CLAIMS + capacity.largest.min(capacity.budget)) * 4 / 3 + 450;
    if is_shown && length > MAX_TOKEN_BYTES {
        let message = format!("lets the {} token grow to about {length} characters", capacity.token.as_str());
        let why = format!("the authorizer, as proxies do with headers, takes {MAX_TOKEN_BYTES} at most");
        findings.warning("TokenTooLong", path, [&message, &why, "lower it, or map less into this token"]);
    }
}
