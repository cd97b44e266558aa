//! What is wrong with a route table.

use std::cmp::Ordering;

use super::{RouteRule, Segment, Template};
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
        rule.conditions().contradictions(&mut add);
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
