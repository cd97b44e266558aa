//! What one token gains and loses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::budget::{Candidate, fit, size};
use super::facts::Facts;
use super::reserved::{is_attribute_name, may_add, may_hold, may_suppress};
use super::{
    ClaimEntry, ClaimRules, DropReason, Dropped, EventVersion, Format, Membership, Refusal, Source, TokenEdit,
    TokenKind,
};

/// The claims to add to a token and to take out of it.
pub(super) fn edit(
    rules: &ClaimRules,
    facts: &Facts<'_>,
    kind: TokenKind,
    dropped: &mut Vec<Dropped>,
) -> Result<TokenEdit, Refusal> {
    if facts.request.machine && kind == TokenKind::Id {
        return Ok(TokenEdit::default());
    }
    let mut suppress: BTreeSet<String> = suppressed(rules, facts, kind);
    let mut candidates = BTreeMap::new();
    let mut drop = |claim: &str, reason| dropped.push(Dropped { token: kind, claim: claim.to_owned(), reason });
    for (entry, value) in wanted(rules, facts, kind) {
        // INVARIANT: Cognito lets suppression win; so do we, before it costs budget.
        // <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#cognito-user-pools-lambda-trigger-syntax-pre-token-generation-response>
        if suppress.contains(&entry.name) {
            continue;
        }
        match refusal(entry, &value, facts, kind) {
            Some(reason) => drop(&entry.name, reason),
            None => {
                let membership = matches!(entry.from, Source::Membership(_));
                candidates.insert(entry.name.clone(), Candidate { value, priority: entry.priority, membership });
            }
        }
    }
    let fitted = fit(candidates, rules.budget_bytes.of(kind)).map_err(|_| Refusal::MembershipOverBudget(kind))?;
    for claim in &fitted.dropped {
        drop(claim, DropReason::OverBudget);
    }
    if kind == TokenKind::Id {
        suppress.extend(masked(rules).filter(|name| !fitted.claims.contains_key(*name)).map(str::to_owned));
    }
    Ok(TokenEdit { add: fitted.claims, suppress: suppress.into_iter().collect(), ..TokenEdit::default() })
}

/// What the rules take out of a token, as far as the event can say it.
pub(super) fn suppressed(rules: &ClaimRules, facts: &Facts<'_>, kind: TokenKind) -> BTreeSet<String> {
    if facts.request.version == EventVersion::V1 && kind == TokenKind::Access {
        return BTreeSet::new();
    }
    rules.suppress.of(kind).iter().filter(|name| may_suppress(name).is_ok()).cloned().collect()
}

/// For each claim of this token, the first entry that holds and has a value.
fn wanted<'r>(rules: &'r ClaimRules, facts: &Facts<'_>, kind: TokenKind) -> Vec<(&'r ClaimEntry, Value)> {
    let mut found: Vec<(&ClaimEntry, Value)> = Vec::new();
    for entry in rules.map.iter().filter(|entry| entry.token.include(kind)) {
        if found.iter().any(|(known, _)| known.name == entry.name) {
            continue;
        }
        if entry.when.as_ref().is_none_or(|condition| facts.meet(condition))
            && let Some(value) = value(entry, facts)
        {
            found.push((entry, value));
        }
    }
    found
}

/// The value of an entry; `None` when the source has none to give.
pub(super) fn value(entry: &ClaimEntry, facts: &Facts<'_>) -> Option<Value> {
    let list = |parts: Vec<&str>| written(&parts, entry.format.unwrap_or_default());
    match &entry.from {
        Source::Constant(constant) => constant.value(),
        Source::List(parts) => list(parts.iter().map(String::as_str).collect()),
        // A machine has no attributes, whatever the event says.
        Source::Attribute(_) if facts.request.machine => None,
        Source::Attribute(name) => facts.request.attributes.get(name).map(Value::from),
        Source::Groups(_) => list(facts.groups.clone()),
        Source::Membership(membership) => {
            let tenancy = facts.tenancy?;
            match membership {
                Membership::Tenant => tenancy.active.as_ref().map(|tenant| Value::from(tenant.as_str())),
                // Roles without a tenant would be read as roles in another one.
                Membership::Roles => tenancy.active.as_ref().and_then(|_| list(texts(&tenancy.roles))),
                Membership::Tenants => list(texts(&tenancy.tenants)),
            }
        }
    }
}

fn texts<T: AsRef<str>>(names: &BTreeSet<T>) -> Vec<&str> {
    names.iter().map(AsRef::as_ref).collect()
}

/// A list in its written form; an empty one is not written.
fn written(parts: &[&str], format: Format) -> Option<Value> {
    match format {
        _ if parts.is_empty() => None,
        Format::List => Some(Value::from(parts.to_vec())),
        Format::Text => Some(Value::from(parts.join(" "))),
    }
}

/// Why this value cannot be given in this token, if it cannot.
pub(super) fn refusal(entry: &ClaimEntry, value: &Value, facts: &Facts<'_>, kind: TokenKind) -> Option<DropReason> {
    let for_this_client = || value.as_str().is_some() && value.as_str() == facts.request.client_id;
    if may_add(&entry.name, kind).is_err() || !may_hold(&entry.name, kind, value) {
        return Some(DropReason::NotSettable);
    }
    // The page of `reserved` again: an audience must be the app client's id.
    if entry.name == "aud" && !for_this_client() {
        return Some(DropReason::NotSettable);
    }
    // v1 reaches the ID token only, and its values are texts.
    // <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#user-pool-lambda-pre-token-generation-event-versions>
    let carried = facts.request.version > EventVersion::V1 || (kind == TokenKind::Id && value.is_string());
    (!carried).then_some(DropReason::EventTooOld)
}

/// What the constants that go into every such token take.
pub(crate) fn constant_size(rules: &ClaimRules, kind: TokenKind) -> usize {
    let always = rules.map.iter().filter(|entry| entry.token.include(kind) && entry.when.is_none());
    let value = |entry: &ClaimEntry| match &entry.from {
        Source::Constant(constant) => constant.value(),
        Source::List(parts) => {
            written(&parts.iter().map(String::as_str).collect::<Vec<_>>(), entry.format.unwrap_or_default())
        }
        _ => None,
    };
    always.filter_map(|entry| Some(size(&entry.name, &value(entry)?))).sum()
}

/// The claims that must not show a user attribute of the same name.
///
/// The pool puts attributes into the ID token by itself. Where the rules speak
/// for such a name and have nothing to say about this user, the attribute,
/// which the user may have written, must not speak instead.
fn masked(rules: &ClaimRules) -> impl Iterator<Item = &str> {
    let speaks = |entry: &&ClaimEntry| match &entry.from {
        Source::Membership(_) => is_attribute_name(&entry.name),
        Source::Attribute(name) if *name == entry.name => false,
        _ => entry.token.include(TokenKind::Id) && entry.name.starts_with("custom:"),
    };
    rules.map.iter().filter(speaks).map(|entry| entry.name.as_str())
}
