//! IAM roles that nothing selects, and such as are selected by the wrong word.

use crate::claims::{ClaimEntry, Constant, Source, comes_from_pool};
use crate::findings::Findings;
use crate::roles::{Ambiguous, Match, RoleKind, RoleRule};
use crate::rules::Rules;

use super::claims::entries_of;

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    let roles = &rules.roles;
    for (index, rule) in roles.rules.iter().enumerate() {
        let path = format!("roles.rules[{index}]");
        if let Some(earlier) = roles.rules.iter().take(index).position(|earlier| covers(earlier, rule)) {
            let message = format!("\"{}\" is never selected here: roles.rules[{earlier}] matches first", rule.role);
            let why = "the identity pool takes the first rule that matches";
            findings.warning("RoleRuleShadowed", &path, [&message, why, "put the narrower rule first, or remove it"]);
        } else {
            dead(rules, rule, &path, findings);
        }
        open(rules, rule, &path, findings);
        loose(rule, &path, findings);
    }
    unused(rules, findings);
    ties(rules, findings);
}

/// Whether `wide` matches every claim that `narrow` matches.
fn covers(wide: &RoleRule, narrow: &RoleRule) -> bool {
    use Match::{Contains, Equals, NotEqual, StartsWith};
    let (value, other) = (&wide.value, &narrow.value);
    wide.claim == narrow.claim
        && match (wide.matching, narrow.matching) {
            (Equals, Equals) | (NotEqual, NotEqual) => value == other,
            (StartsWith, Equals | StartsWith) => other.starts_with(value.as_str()),
            (Contains, Equals | StartsWith | Contains) => other.contains(value.as_str()),
            (NotEqual, Equals) => value != other,
            _ => false,
        }
}

/// A rule on a claim that no ID token has, or never with such a value.
fn dead(rules: &Rules, rule: &RoleRule, path: &str, findings: &mut Findings) {
    let entries: Vec<&ClaimEntry> = entries_of(rules, &rule.claim).collect();
    let message = format!("\"{}\" is never selected here", rule.role);
    if entries.is_empty() && !comes_from_pool(&rule.claim) {
        let why = format!("no ID token has the claim \"{}\"", rule.claim);
        let fix = "add it to [[claims.map]] with token = \"id\" or \"both\"";
        findings.warning("RoleNeverSelected", path, [&message, &why, fix]);
        return;
    }
    let could_be = |entry: &&ClaimEntry| match &entry.from {
        Source::Constant(Constant::Text(text)) => matches(rule, text),
        Source::Constant(constant) => constant.value().is_some_and(|value| matches(rule, &value.to_string())),
        _ => true,
    };
    if !entries.is_empty() && !comes_from_pool(&rule.claim) && !entries.iter().any(could_be) {
        let why = format!("[[claims.map]] gives \"{}\" other values only", rule.claim);
        findings.warning("RoleNeverSelected", path, [&message, &why, "correct the value, or remove the rule"]);
    }
}

fn matches(rule: &RoleRule, text: &str) -> bool {
    match rule.matching {
        Match::Equals => text == rule.value,
        Match::NotEqual => text != rule.value,
        Match::StartsWith => text.starts_with(&rule.value),
        Match::Contains => text.contains(&rule.value),
    }
}

/// A role by a claim that the user may have written.
fn open(rules: &Rules, rule: &RoleRule, path: &str, findings: &mut Findings) {
    let mapped: Vec<&ClaimEntry> = entries_of(rules, &rule.claim).collect();
    let attribute = match mapped.as_slice() {
        [] => Some(rule.claim.as_str()),
        entries => entries.iter().find_map(|entry| match &entry.from {
            Source::Attribute(name) if super::is_users_own(rules, name) => Some(name.as_str()),
            _ => None,
        }),
    };
    let is_open = |name: &&str| crate::attributes::is_writable_name(name) && super::is_users_own(rules, name);
    if let Some(name) = attribute.filter(is_open) {
        let message =
            format!("\"{}\" goes to whoever writes \"{}\" into his attribute \"{name}\"", rule.role, rule.value);
        let why = "users may write their own attributes unless the rules and the client say otherwise";
        let fix = "match a claim that [[claims.map]] gives as a constant, under a condition on role or group";
        findings.error("RoleByOpenAttribute", &format!("{path}.claim"), [&message, why, fix]);
    }
}

fn loose(rule: &RoleRule, path: &str, findings: &mut Findings) {
    let (word, why) = match rule.matching {
        Match::NotEqual => ("not-equal", "every other value gives the role, also one that nobody thought of"),
        Match::Contains => ("contains", "\"admin\" is contained in \"not-an-admin\" too"),
        Match::Equals | Match::StartsWith => return,
    };
    let message = format!("match = \"{word}\" gives \"{}\" by what a claim is not meant to say", rule.role);
    findings.warning("RoleRuleLoose", &format!("{path}.match"), [&message, why, "use \"equals\" on a constant claim"]);
}

/// What is written down for the other way of choosing a role.
fn unused(rules: &Rules, findings: &mut Findings) {
    let roles = &rules.roles;
    if roles.kind == RoleKind::Rules {
        for (index, group) in roles.groups.iter().enumerate() {
            if let Some(role) = &group.role {
                let message = format!("nothing selects \"{role}\"");
                let why = "type = \"rules\" does not look at the roles of groups";
                let fix = "add a rule for it, or choose type = \"token\"";
                findings.warning("RoleNeverSelected", &format!("roles.groups[{index}].role"), [&message, why, fix]);
            }
        }
    }
    let (Some(role), Ambiguous::Deny) = (&roles.authenticated_role, roles.ambiguous) else { return };
    if !roles.rules.iter().any(|rule| rule.role == *role) {
        let message = format!("nothing selects \"{role}\"");
        let why = "ambiguous = \"deny\" gives no credentials where no single role is found";
        let fix = "set ambiguous = \"authenticated\", or remove the role";
        findings.warning("RoleNeverSelected", "roles.authenticated_role", [&message, why, fix]);
    }
}

/// Two groups of one precedence and different roles prefer none.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html#assigning-precedence-values-to-groups>
fn ties(rules: &Rules, findings: &mut Findings) {
    let groups = &rules.roles.groups;
    for (index, group) in groups.iter().enumerate().filter(|(_, group)| group.role.is_some()) {
        let tie = groups
            .iter()
            .take(index)
            .find(|other| other.role.is_some() && other.role != group.role && other.precedence == group.precedence);
        if let Some(other) = tie {
            let message = format!("\"{}\" and \"{}\" have different roles and one precedence", other.name, group.name);
            let why = "whoever is in both has no preferred role, and gets what `ambiguous` says";
            findings.warning(
                "PrecedenceTie",
                &format!("roles.groups[{index}]"),
                [&message, why, "give each its own number; the lowest has the say"],
            );
        }
    }
}
