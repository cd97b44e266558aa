//! Claims and scopes that can never count, or that say what the user wants.

use crate::claims::{ClaimEntry, Condition, EventVersion, Source, TokenKind, Tokens};
use crate::findings::Findings;
use crate::names::tenant_group;
use crate::rules::Rules;

/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#user-pool-lambda-pre-token-generation-trigger-source>
const SOURCES: [&str; 6] = [
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_Authentication",
    "TokenGeneration_ClientCredentials",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_RefreshTokens",
];

const MACHINES: &str = "TokenGeneration_ClientCredentials";

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    for (index, entry) in rules.claims.map.iter().enumerate() {
        let path = format!("claims.map[{index}]");
        shadowed(rules, index, entry, &path, findings);
        users_own(rules, entry, &path, findings);
        if let Some(condition) = &entry.when {
            never_holds(rules, entry, condition, &format!("{path}.when"), findings);
        }
    }
    for (index, entry) in rules.claims.scopes.iter().enumerate() {
        scopes(rules, index, &entry.add, findings);
    }
}

/// An entry behind one of the same name that always has a value where it holds.
fn shadowed(rules: &Rules, index: usize, entry: &ClaimEntry, path: &str, findings: &mut Findings) {
    let covers = |tokens: Tokens| tokens == Tokens::Both || tokens == entry.token;
    let earlier = rules.claims.map.iter().take(index).position(|earlier| {
        earlier.name == entry.name
            && covers(earlier.token)
            && matches!(earlier.from, Source::Constant(_) | Source::List(_))
            && is_implied(earlier.when.as_ref(), entry.when.as_ref())
    });
    if let Some(earlier) = earlier {
        let message =
            format!("\"{}\" never comes from here: claims.map[{earlier}] holds whenever this does", entry.name);
        let why = "of several entries for one claim, the first whose condition holds and that has a value counts";
        findings.warning("ClaimShadowed", path, [&message, why, "put the narrower one first, or remove it"]);
    }
}

/// Whether `wide` holds wherever `narrow` does.
fn is_implied(wide: Option<&Condition>, narrow: Option<&Condition>) -> bool {
    let (Some(wide), Some(narrow)) = (wide, narrow) else { return wide.is_none() };
    fn asks<T: PartialEq>(wide: &Option<T>, narrow: &Option<T>) -> bool {
        wide.is_none() || wide == narrow
    }
    asks(&wide.group, &narrow.group)
        && asks(&wide.client, &narrow.client)
        && asks(&wide.tenant, &narrow.tenant)
        && asks(&wide.role, &narrow.role)
        && asks(&wide.source, &narrow.source)
}

fn users_own(rules: &Rules, entry: &ClaimEntry, path: &str, findings: &mut Findings) {
    let Source::Attribute(name) = &entry.from else { return };
    if name.starts_with("custom:") && super::is_users_own(rules, name) {
        let message = format!("the claim \"{}\" says what the user wrote into \"{name}\"", entry.name);
        let why = "a sign-up may bring the attribute, and whoever reads the claim may take it for the server's word";
        let fix = format!("add \"{name}\" to sign_up.forbidden_attributes, and let no client write it");
        findings.warning("ClaimFromOpenAttribute", &format!("{path}.from"), [&message, why, &fix]);
    }
}

/// A condition that no event meets.
fn never_holds(rules: &Rules, entry: &ClaimEntry, condition: &Condition, path: &str, findings: &mut Findings) {
    let mut dead = |key: &str, why: &str| {
        let path = if key.is_empty() { path.to_owned() } else { format!("{path}.{key}") };
        let message = format!("never holds, so \"{}\" never comes from here", entry.name);
        findings.warning("ConditionNeverHolds", &path, [&message, why, "correct the condition, or remove the entry"]);
    };
    if let (Some(group), Some(tenant)) = (&condition.group, &condition.tenant)
        && tenant_group(group).is_some_and(|(of_group, _)| of_group != *tenant)
    {
        dead("group", "the group of one tenant counts only while the user acts in that tenant");
    }
    let Some(source) = condition.source.as_deref() else { return };
    if !SOURCES.contains(&source) {
        dead("source", "Cognito has no trigger source of this name");
        return;
    }
    if source != MACHINES {
        return;
    }
    if rules.claims.token_version < EventVersion::V3 {
        dead("source", "only token_version = \"v3\" asks about the tokens of machine clients");
    } else if entry.token == Tokens::Id {
        dead("source", "a machine client gets no ID token");
    } else if condition.group.is_some() || condition.tenant.is_some() || condition.role.is_some() {
        dead("", "a machine client has no group, no tenant and no role");
    } else if !matches!(entry.from, Source::Constant(_) | Source::List(_)) {
        dead("source", "a machine client has no attributes, no groups and no membership to take a value from");
    }
}

/// Scopes that are taken out whoever asks.
fn scopes(rules: &Rules, index: usize, add: &[String], findings: &mut Findings) {
    for (at, scope) in add.iter().enumerate() {
        if let Some(by) = suppressed_for_all(rules, scope) {
            let message = format!("\"{scope}\" is never added: claims.scopes[{by}] takes it out for everyone");
            let path = format!("claims.scopes[{index}].add[{at}]");
            let why = "taking a scope out wins over every entry that adds it";
            findings.warning("ScopeNeverAdded", &path, [&message, why, "keep one of the two"]);
        }
    }
}

/// The entry that takes a scope out of every access token.
pub(super) fn suppressed_for_all(rules: &Rules, scope: &str) -> Option<usize> {
    rules.claims.scopes.iter().position(|entry| {
        let for_all = entry.group.is_none() && entry.client.is_none() && entry.role.is_none();
        for_all && entry.suppress.iter().any(|suppressed| suppressed == scope)
    })
}

/// The entries that put a claim into the ID token.
pub(super) fn entries_of<'a>(rules: &'a Rules, claim: &'a str) -> impl Iterator<Item = &'a ClaimEntry> {
    let in_id = |entry: &&ClaimEntry| entry.token.include(TokenKind::Id);
    rules.claims.map.iter().filter(in_id).filter(move |entry| entry.name == claim)
}
