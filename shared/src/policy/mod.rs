//! The IAM policy that answers an authorizer call.
//!
//! API Gateway keeps the policy and holds it against every later request with
//! the same token, so it must be right for each route of the caller, not only
//! for the one that was asked for.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html>
//!
//! In a policy `*` crosses slashes, so `GET/items/*` is wider than the route
//! `/items/{id}`. Denials make it as narrow again: `GET/items/*/*` for longer
//! paths, `GET/items/` for an empty place, and the resource of each more
//! specific route that the caller may not use. Where such a denial would hit a
//! route that he may use, the wide resource is left out, and only the very path
//! of the present request is allowed in its place.
//!
//! What is kept must not outlive the token, so everything is allowed under the
//! condition that the token has not ended yet.

mod arn;
mod date;
mod pattern;

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::{SerializeSeq as _, SerializeStruct as _, Serializer};

pub use arn::MethodArn;
use pattern::{Part, meets, parts, write};

use crate::routes::{Caller, Route, RouteTable};

/// The longest resource, in characters. A longer one is left out, never cut.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>
const MAX_RESOURCE_BYTES: usize = 512;

/// The largest document, in bytes. When all routes of a caller do not fit, it
/// speaks of the present request only. With the context it stays below the
/// 8 KB that API Gateway names as a limit for an authorizer's answer.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
const MAX_DOCUMENT_BYTES: usize = 7_000;

/// An IAM policy document for API Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    allow: BTreeSet<String>,
    deny: BTreeSet<String>,
    until: u64,
}

/// Writes the policy for everything that this caller may request before `until`
/// (seconds since 1970).
///
/// Whoever may request nothing gets an explicit denial, and so does everybody
/// when no rule fits: there is no empty policy.
pub fn document(table: &RouteTable, caller: &Caller, request: &MethodArn<'_>, until: u64) -> Policy {
    let present = table.route(caller, request.method, request.path).ok();
    let own: Vec<Own<'_>> = table.routes().iter().filter_map(|route| Own::of(route, caller)).collect();
    let mut policy = Policy { allow: BTreeSet::new(), deny: BTreeSet::new(), until };
    for route in &own {
        match route.resources(table, &own, caller, request) {
            Some((allow, deny)) => {
                policy.allow.insert(allow);
                policy.deny.extend(deny);
            }
            None if present == Some(route.route) => {
                policy.allow.extend(fitting(request.resource(request.method, request.path)));
            }
            None => {}
        }
    }
    if policy.bytes() > MAX_DOCUMENT_BYTES {
        let only = present.and_then(|_| fitting(request.resource(request.method, request.path)));
        policy = Policy { allow: only.into_iter().collect(), deny: BTreeSet::new(), until };
    }
    if policy.allow.is_empty() { denial(request) } else { policy }
}

/// The policy for whoever may open a connection to a WebSocket API before `until`;
/// messages are not asked about.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
pub fn connection(request: &MethodArn<'_>, until: u64) -> Policy {
    Policy { allow: BTreeSet::from([request.connection()]), deny: BTreeSet::new(), until }
}

/// The policy for whoever may request nothing at all.
pub fn denial(request: &MethodArn<'_>) -> Policy {
    Policy { allow: BTreeSet::new(), deny: BTreeSet::from([request.everything()]), until: 0 }
}

/// A route that the caller may use, with his tenant filled in.
struct Own<'a> {
    route: &'a Route,
    parts: Vec<Part<'a>>,
}

impl<'a> Own<'a> {
    fn of(route: &'a Route, caller: &'a Caller) -> Option<Self> {
        route.admits(caller).ok()?;
        Some(Self { route, parts: parts(route.template.segments(), caller.tenant.as_ref()) })
    }

    /// The resource to allow and those to deny with it; `None` when a denial
    /// would hit another route of the caller, or does not fit.
    fn resources(
        &self,
        table: &'a RouteTable,
        own: &[Self],
        caller: &Caller,
        request: &MethodArn<'_>,
    ) -> Option<(String, BTreeSet<String>)> {
        let method = self.route.rule.method.as_str();
        let resource = |parts: &[Part<'_>]| fitting(request.resource(method, &write(parts)));
        let mut deny = BTreeSet::new();
        for (index, _) in self.parts.iter().enumerate().filter(|(_, part)| **part == Part::Open) {
            let longer = with(&self.parts, index, &[Part::Open, Part::Open]);
            let others = own.iter().filter(|other| other.route.rule.method == self.route.rule.method);
            if others.into_iter().any(|other| meets(&longer, &other.parts)) {
                return None;
            }
            deny.insert(resource(&longer)?);
            deny.insert(resource(&with(&self.parts, index, &[Part::Empty]))?);
        }
        for closed in table.routes().iter().filter(|route| self.yields_to(route, caller)) {
            let parts = parts(closed.template.segments(), None);
            if own.iter().any(|other| other.is_hit(&parts, closed)) {
                return None;
            }
            deny.insert(resource(&parts)?);
        }
        Some((resource(&self.parts)?, deny))
    }

    /// Whether a more specific route has the say on some of this route's paths,
    /// and may refuse the caller there.
    fn yields_to(&self, other: &Route, caller: &Caller) -> bool {
        let any_tenant = parts(other.template.segments(), None);
        let always_allowed =
            other.admits(caller).is_ok() && any_tenant == parts(other.template.segments(), caller.tenant.as_ref());
        !always_allowed && other.beats(self.route) && meets(&any_tenant, &self.parts)
    }

    /// Whether a denial of `closed`'s resource would hit a path that this route
    /// decides about. Where `closed` beats it, this route has no say anyway.
    fn is_hit(&self, parts: &[Part<'_>], closed: &Route) -> bool {
        self.route.rule.method == closed.rule.method && !closed.beats(self.route) && meets(parts, &self.parts)
    }
}

/// The parts with one of them replaced.
fn with<'a>(parts: &[Part<'a>], index: usize, instead: &[Part<'a>]) -> Vec<Part<'a>> {
    let (before, after) = (parts.iter().take(index), parts.iter().skip(index + 1));
    before.chain(instead).chain(after).copied().collect()
}

fn fitting(resource: String) -> Option<String> {
    (resource.len() <= MAX_RESOURCE_BYTES).then_some(resource)
}

impl Policy {
    /// The resources that are allowed, sorted.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.allow.iter().map(String::as_str)
    }

    /// The resources that are denied, sorted. A denial wins.
    pub fn denied(&self) -> impl Iterator<Item = &str> {
        self.deny.iter().map(String::as_str)
    }

    /// What it takes when written: each resource with its quotes and comma, and
    /// the frame around them.
    fn bytes(&self) -> usize {
        let resources: usize = self.allow.iter().chain(&self.deny).map(|resource| resource.len() + 3).sum();
        resources + 280
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Policy", 2)?;
        document.serialize_field("Version", "2012-10-17")?;
        document.serialize_field("Statement", &Statements(self))?;
        document.end()
    }
}

struct Statements<'a>(&'a Policy);

impl Serialize for Statements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut statements = serializer.serialize_seq(None)?;
        // INVARIANT: the condition stands with what is allowed. Where a time were not
        // known, nothing would be allowed; a denial after the end would then not hold.
        let condition = Condition { date_less_than: CurrentTime { value: date::write(self.0.until) } };
        let allow = ("Allow", &self.0.allow, Some(&condition));
        for (effect, resources, condition) in [allow, ("Deny", &self.0.deny, None)] {
            if !resources.is_empty() {
                let action = "execute-api:Invoke";
                statements.serialize_element(&Statement { effect, action, resources, condition })?;
            }
        }
        statements.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    effect: &'static str,
    action: &'static str,
    #[serde(rename = "Resource")]
    resources: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'a Condition>,
}

/// API Gateway knows the time for every kind of authorization.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    date_less_than: CurrentTime,
}

#[derive(Serialize)]
struct CurrentTime {
    #[serde(rename = "aws:CurrentTime")]
    value: String,
}

#[cfg(test)]
mod tests;
