//! Routes that nobody can pass, or more callers than was probably meant.

use crate::findings::Findings;
use crate::names::TenantId;
use crate::routes::{Machines, Route, Segment};
use crate::rules::Rules;

use super::claims::suppressed_for_all;

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    issuers(rules, findings);
    if let Some(graphql) = rules.graphql.as_ref().filter(|graphql| graphql.cache_seconds > 0) {
        let message = format!("lets AppSync keep an answer for {} s", graphql.cache_seconds);
        let why = "a kept answer lets fields of Query, Mutation and Subscription pass that have no rule";
        let fix = "see that each of them has a rule, or set it to 0";
        findings.note("KeptAnswerOpensUnknownFields", "graphql.cache_seconds", [&message, why, fix]);
    }
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

/// An issuer that is fetched and believed for nothing.
fn issuers(rules: &Rules, findings: &mut Findings) {
    let routes = rules.routes.rules().map(|rule| &rule.issuers);
    let fields = rules.graphql.iter().flat_map(|graphql| &graphql.fields).map(|rule| &rule.issuers);
    let named: Vec<_> = routes.chain(fields).chain(rules.connect.iter().map(|rule| &rule.issuers)).flatten().collect();
    for (index, issuer) in rules.issuers.iter().enumerate().filter(|(_, issuer)| !named.contains(&&issuer.name)) {
        let message = format!("no route takes the tokens of \"{}\"", issuer.name);
        let why = "an issuer opens only what names it";
        let fix = "add it to the issuers of a route, or remove it";
        findings.warning("IssuerUnused", &format!("issuers[{index}].name"), [&message, why, fix]);
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
