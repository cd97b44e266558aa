//! What is wrong with a route table.

use std::cmp::Ordering;

use super::{Machines, RouteRule, Segment, Template};
use crate::claims::TokenKind;
use crate::rules::Problems;

/// The most routes. An authorizer looks through them on every call.
const MAX_ROUTES: usize = 2_000;

/// Checks the routes by themselves: each alone, then each against those before.
pub(crate) fn check(rules: &[RouteRule], problems: &mut Problems) {
    if rules.len() > MAX_ROUTES {
        problems.add("routes", format!("has more than {MAX_ROUTES} routes"));
        return;
    }
    let mut earlier: Vec<(&RouteRule, Template)> = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut add = |member: &str, message: String| problems.add(format!("routes[{index}].{member}"), message);
        contradictions(rule, &mut add);
        let template = match Template::parse(&rule.path) {
            Ok(template) => template,
            Err(message) => {
                add("path", message);
                continue;
            }
        };
        if template.segments().contains(&Segment::Tenant) && !rule.tenant {
            add("tenant", "is false, but the path holds {tenant}".to_owned());
        }
        for (other, known) in earlier.iter().filter(|(other, _)| other.method == rule.method) {
            if !template.overlaps(known) {
                continue;
            }
            match template.specificity(known) {
                Some(Ordering::Equal) => add("path", format!("is the route {} {} again", other.method, other.path)),
                Some(_) => {}
                None => {
                    add("path", format!("meets the same paths as {}, and neither is the more specific one", other.path))
                }
            }
        }
        earlier.push((rule, template));
    }
}

/// Conditions that nobody could meet, or that do not fit together.
fn contradictions(rule: &RouteRule, add: &mut impl FnMut(&str, String)) {
    if rule.token == TokenKind::Id && !rule.scopes.is_empty() {
        add("scopes", "cannot be asked for: an ID token has no scopes".to_owned());
    }
    if let Some(scope) = rule.scopes.iter().find(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
        add("scopes", format!("holds \"{scope}\", which is not a scope"));
    }
    if rule.groups.iter().any(String::is_empty) {
        add("groups", "holds an empty name".to_owned());
    }
    if rule.machines == Machines::No {
        return;
    }
    if rule.token == TokenKind::Id {
        add("machines", "must be \"no\": a machine never has an ID token".to_owned());
    }
    if rule.tenant {
        add("machines", "must be \"no\" unless tenant = false: a machine has no tenant".to_owned());
    }
    if !rule.groups.is_empty() || !rule.roles.is_empty() {
        add("machines", "must be \"no\" where groups or roles are asked for: a machine has neither".to_owned());
    }
}
