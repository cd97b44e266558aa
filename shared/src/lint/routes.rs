//! Routes that nobody can pass, or more callers than was probably meant.

use crate::findings::Findings;
use crate::names::TenantId;
use crate::routes::{Machines, Route, Segment};
use crate::rules::Rules;

use super::claims::suppressed_for_all;

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    let routes = rules.routes.routes();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("routes[{index}]");
        shadowing(routes, route, &path, findings);
        machines(route, &path, findings);
        for (at, scope) in route.rule.scopes.iter().enumerate() {
            if let Some(by) = suppressed_for_all(rules, scope) {
                let message = format!("nobody can pass: claims.scopes[{by}] takes \"{scope}\" out of every token");
                let why = "a route's scopes must all be in the access token";
                let fix = "ask for another scope, or stop taking this one out";
                findings.warning("DeadRoute", &format!("{path}.scopes[{at}]"), [&message, why, fix]);
            }
        }
    }
}

/// Something else in the place of `{tenant}`: the narrower route decides, and it
/// does not compare the tenant.
fn shadowing(routes: &[Route], route: &Route, path: &str, findings: &mut Findings) {
    let stands_in = |other: &&Route| {
        let places = other.template.segments().iter().zip(route.template.segments());
        let opens = places.into_iter().any(|pair| match pair {
            (Segment::Tenant, Segment::Literal(text)) => TenantId::parse(text).is_some(),
            (Segment::Tenant, Segment::Any) => true,
            _ => false,
        });
        opens && route.beats(other)
    };
    if let Some(other) = routes.iter().find(stands_in) {
        let message = format!("shadows {} {}, and lets callers of every tenant in", other.rule.method, other.rule.path);
        let why = "the most specific route decides alone, and only {tenant} compares the path with the caller's tenant";
        let fix = "remove it, or rename the path so that it cannot be a tenant's name";
        findings.error("RouteShadowsTenant", &format!("{path}.path"), [&message, why, fix]);
    }
}

fn machines(route: &Route, path: &str, findings: &mut Findings) {
    if route.rule.machines != Machines::No && route.rule.scopes.is_empty() {
        let message = format!("{} {} takes every machine client of the pool", route.rule.method, route.rule.path);
        let why = "a machine has neither groups nor roles, so only scopes tell one from another";
        findings.warning("MachineRouteOpen", &format!("{path}.machines"), [&message, why, "ask for a scope"]);
    }
}
