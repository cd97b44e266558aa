//! What is dangerous about the settings of a live pool and of what stands around
//! it.
//!
//! Judges documents as the services answer them; fetching them is somebody
//! else's work. What could not be fetched is a finding too, never silence.

mod api;
mod clients;
mod documents;
mod identity_pool;
mod permissions;
mod pool;
mod statements;
mod triggers;
mod trust;

pub use documents::{Documents, FunctionDocuments, Look, RoleDocuments};

use std::collections::BTreeSet;

use crate::claims::Source;
use crate::findings::{Finding, Findings};
use crate::rules::Rules;

/// Everything that is dangerous, the worst first. With the rule file more is
/// known: which attributes decide about rights, and what the pool should say.
pub fn findings(documents: &Documents, rules: Option<&Rules>) -> Vec<Finding> {
    let mut findings = Findings::default();
    pool::look(documents, rules, &mut findings);
    triggers::look(documents, &mut findings);
    clients::look(documents, rules, &mut findings);
    identity_pool::look(documents, rules, &mut findings);
    trust::look(documents, &mut findings);
    permissions::look(documents, &mut findings);
    api::look(documents, rules, &mut findings);
    documents.unseen(&mut findings);
    let mut findings = findings.into_vec();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// The attributes that decide about rights: those that the rules forbid clients
/// to set, and those that claims or IAM roles are taken from.
fn rights_attributes(rules: Option<&Rules>) -> BTreeSet<String> {
    let Some(rules) = rules else { return BTreeSet::new() };
    let forbidden = rules.sign_up.forbidden_attributes.iter();
    let subjects = rules.providers.iter().filter_map(|provider| provider.subject_attribute.as_ref());
    let mapped = rules.claims.map.iter().filter_map(|entry| match &entry.from {
        Source::Attribute(name) => Some(name),
        _ => None,
    });
    let matched = rules.roles.rules.iter().map(|rule| &rule.claim);
    let custom = mapped.chain(matched).filter(|name| name.starts_with("custom:"));
    forbidden.chain(subjects).chain(custom).cloned().collect()
}

/// Whether an attribute decides about rights. Without rules its name has to say
/// so.
fn decides_about_rights(name: &str, known: &BTreeSet<String>) -> bool {
    let words = ["admin", "entitle", "group", "legacy_id", "org", "permission", "plan", "provider_subject", "role"];
    let words = words.into_iter().chain(["scope", "tenant", "tier"]);
    let own = name.strip_prefix("custom:").map(str::to_ascii_lowercase);
    known.contains(name)
        || matches!(name, "email_verified" | "phone_number_verified")
        || own.is_some_and(|own| words.into_iter().any(|word| own.contains(word)))
}

#[cfg(test)]
mod tests;
