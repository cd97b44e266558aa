//! What is wrong with the issuers of a rule file.

use super::IssuerRule;
use crate::address::web::is_safe_for_secrets;
use crate::names::{IssuerName, TenantId};
use crate::rules::Problems;

/// The most issuers. Each is fetched at start, and again every hour.
const MAX_ISSUERS: usize = 20;

/// Checks each issuer by itself, and that no two are alike.
pub(crate) fn check(rules: &[IssuerRule], problems: &mut Problems) {
    if rules.len() > MAX_ISSUERS {
        problems.add("issuers", format!("has more than {MAX_ISSUERS} issuers"));
    }
    for (index, rule) in rules.iter().enumerate() {
        let mut add = |member: &str, message: &str| problems.add(format!("issuers[{index}].{member}"), message);
        let earlier = || rules.iter().take(index);
        if rule.name.as_str() == IssuerName::POOL {
            add("name", "is \"pool\", which means the user pools");
        }
        if earlier().any(|other| other.name == rule.name) {
            add("name", "names two issuers");
        }
        if earlier().any(|other| other.issuer == rule.issuer) {
            add("issuer", "is there twice");
        }
        addresses(rule, &mut add);
        token(rule, &mut add);
        rights(rule, &mut add);
    }
}

/// Whether keys can come from there: over TLS, or from this very machine.
fn addresses(rule: &IssuerRule, add: &mut impl FnMut(&str, &str)) {
    let good = |address: &str| is_safe_for_secrets(address) && !address.contains('?');
    if !good(&rule.issuer) {
        add("issuer", "must be an https address without user, query or fragment");
    }
    if rule.key_set.as_ref().is_some_and(|address| !good(address)) {
        add("key_set", "must be an https address without user, query or fragment");
    }
}

fn token(rule: &IssuerRule, add: &mut impl FnMut(&str, &str)) {
    if rule.audiences.is_empty() || rule.audiences.iter().any(String::is_empty) {
        add("audiences", "must name the audiences that mean this API: a token for another one is good elsewhere");
    }
    if rule.types.is_empty() {
        add("types", "must name a type, or \"\" for tokens without one");
    }
    both(rule.client_claim.is_some(), "client_claim", !rule.clients.is_empty(), "clients", add);
}

fn rights(rule: &IssuerRule, add: &mut impl FnMut(&str, &str)) {
    if rule.tenant.is_some() && rule.tenant_claim.is_some() {
        add("tenant", "and tenant_claim contradict each other: the tenant is fixed, or a claim names it");
    }
    both(rule.tenant_claim.is_some(), "tenant_claim", !rule.tenants.is_empty(), "tenants", add);
    both(rule.roles_claim.is_some(), "roles_claim", !rule.roles.is_empty(), "roles", add);
    if !rule.tenants.iter().all(|entry| is_tenants(entry)) {
        add("tenants", "must hold tenants' names, or beginnings that end in \"-*\": \"acme*\" would take acme2 too");
    }
    if rule.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
        add("scopes", "holds what is not a scope");
    }
}

/// A claim and what it may hold go together: one that could hold anything would
/// let the issuer give every right.
fn both(one: bool, named: &str, other: bool, allowed: &str, add: &mut impl FnMut(&str, &str)) {
    if one && !other {
        add(named, &format!("needs {allowed}: what the claim may hold"));
    }
    if other && !one {
        add(allowed, &format!("needs {named}: the claim that holds it"));
    }
}

fn is_tenants(entry: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(beginning) => beginning.ends_with('-') && TenantId::parse(beginning).is_some(),
        None => TenantId::parse(entry).is_some(),
    }
}
