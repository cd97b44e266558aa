//! What a caller may request, whatever he requests just now.

use std::collections::BTreeSet;

use super::pattern::{Part, meets, parts, write};
use super::{FRAME_BYTES, MAX_DOCUMENT_BYTES, MethodArn};
use crate::routes::{Caller, Route, RouteTable};

/// The longest resource, in characters. A longer one is left out, never cut.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>
const MAX_RESOURCE_BYTES: usize = 512;

/// The resources of one API and stage that a caller may request.
///
/// It depends on neither the request nor who exactly the caller is, so whoever
/// answers many calls can keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub(super) allow: BTreeSet<String>,
    pub(super) deny: BTreeSet<String>,
    /// What both take when written. Beyond what a document may hold it only says so.
    pub(super) bytes: usize,
    /// The routes, by place in the table, whose resource would be too wide.
    left_out: Vec<usize>,
}

impl Reach {
    /// What a caller like this one may request of the API and stage of `request`.
    pub fn of(table: &RouteTable, caller: &Caller, request: &MethodArn<'_>) -> Self {
        let own: Vec<Own<'_>> = table.routes().iter().filter_map(|route| Own::of(route, caller)).collect();
        let mut reach = Self::default();
        for route in &own {
            match route.resources(table, &own, caller, request) {
                Some((allow, deny)) => {
                    add(&mut reach.allow, &mut reach.bytes, allow);
                    deny.into_iter().for_each(|resource| add(&mut reach.deny, &mut reach.bytes, resource));
                }
                None => reach.left_out.push(route.route.place),
            }
            // More only makes it longer, and too long it is of no use.
            if FRAME_BYTES + reach.bytes > MAX_DOCUMENT_BYTES {
                break;
            }
        }
        reach
    }

    /// Nothing, and this resource denied.
    pub(super) fn denying(resource: String) -> Self {
        let mut reach = Self::default();
        add(&mut reach.deny, &mut reach.bytes, resource);
        reach
    }

    pub(super) fn leaves_out(&self, route: &Route) -> bool {
        self.left_out.contains(&route.place)
    }
}

fn add(to: &mut BTreeSet<String>, bytes: &mut usize, resource: String) {
    let more = written(&resource);
    if to.insert(resource) {
        *bytes += more;
    }
}

/// What a resource takes, with its quotes and comma.
pub(super) fn written(resource: &str) -> usize {
    resource.len() + 3
}

pub(super) fn fitting(resource: String) -> Option<String> {
    (resource.len() <= MAX_RESOURCE_BYTES).then_some(resource)
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
            let mut others = own.iter().filter(|other| other.route.rule.method == self.route.rule.method);
            if others.clone().any(|other| meets(&longer, &other.parts)) {
                return None;
            }
            deny.insert(resource(&longer)?);
            let empty = with(&self.parts, index, &[Part::Empty]);
            // By itself an empty place is the root, which may be a route of the caller.
            if empty != [Part::Empty] || !others.any(|other| other.parts.is_empty()) {
                deny.insert(resource(&empty)?);
            }
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
        // First what is rarely true: a caller is compared with every route.
        if !other.beats(self.route) {
            return false;
        }
        let any_tenant = parts(other.template.segments(), None);
        let always_allowed =
            other.admits(caller).is_ok() && any_tenant == parts(other.template.segments(), caller.tenant.as_ref());
        !always_allowed && meets(&any_tenant, &self.parts)
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
