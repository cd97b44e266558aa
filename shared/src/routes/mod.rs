//! Which calls may pass: the route table.
//!
//! Each request has at most one route, the most specific one, and only that one
//! decides. A route that lets everybody in never opens a path that a more
//! specific route closes.

mod caller;
mod check;
mod conditions;
mod rule;
mod template;

pub use caller::Caller;
pub(crate) use check::check;
pub use conditions::Machines;
pub(crate) use conditions::{Conditions, default_tenant, default_token, rule_with_conditions};
pub use rule::RouteRule;
pub(crate) use template::{RequestPath, Segment, Template};

use std::fmt;

use serde::Deserialize;

/// The methods that a route can have. They are compared exactly: `get` is not
/// a method, and a header that asks for another one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// DELETE.
    Delete,
    /// GET. It does not include HEAD.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
    /// PATCH.
    Patch,
    /// POST.
    Post,
    /// PUT.
    Put,
}

impl Method {
    /// Reads a method, in capitals; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        use Method::{Delete, Get, Head, Options, Patch, Post, Put};
        [Delete, Get, Head, Options, Patch, Post, Put].into_iter().find(|method| method.as_str() == text)
    }

    /// The method as it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a call may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It may, by this route.
    Allow {
        /// The route's path template.
        route: &'a str,
    },
    /// It may not.
    Refuse(Refusal),
}

impl Decision<'_> {
    /// Whether it may.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// Why a call may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The path is not a plain one.
    PathRefused,
    /// There is no such route.
    RouteUnknown,
    /// Tokens of this issuer are not taken here.
    IssuerNotTaken,
    /// The route takes the other kind of token.
    TokenKindRefused,
    /// The route is not for machines, or for nobody else.
    MachineRefused,
    /// The caller has no tenant.
    TenantMissing,
    /// The path names another tenant.
    TenantDiffers,
    /// The caller is in none of the groups.
    GroupMissing,
    /// The caller has none of the roles.
    RoleMissing,
    /// The token lacks a scope.
    ScopeMissing,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::PathRefused => "PathRefused",
            Self::RouteUnknown => "RouteUnknown",
            Self::IssuerNotTaken => "IssuerNotTaken",
            Self::TokenKindRefused => "TokenKindRefused",
            Self::MachineRefused => "MachineRefused",
            Self::TenantMissing => "TenantMissing",
            Self::TenantDiffers => "TenantDiffers",
            Self::GroupMissing => "GroupMissing",
            Self::RoleMissing => "RoleMissing",
            Self::ScopeMissing => "ScopeMissing",
        }
    }
}

/// One route, prepared for look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Where it stands in the table.
    pub(crate) place: usize,
    pub(crate) rule: RouteRule,
    pub(crate) template: Template,
}

impl Route {
    /// Whether the caller may use this route, whatever tenant the path names.
    pub(crate) fn admits(&self, caller: &Caller) -> Result<(), Refusal> {
        self.rule.conditions().check(caller)
    }

    /// Whether this route, and not `other`, has the say where both match.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        self.rule.method == other.rule.method
            && self.template.overlaps(&other.template)
            && self.template.specificity(&other.template) == Some(std::cmp::Ordering::Less)
    }
}

/// The routes, prepared for look-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable(Vec<Route>);

impl RouteTable {
    /// Prepares routes that have been checked. A malformed one, which the check
    /// refuses, would be left out: what is not in the table is not allowed.
    pub fn compile(rules: Vec<RouteRule>) -> Self {
        let read = |rule: RouteRule| Template::parse(&rule.path).ok().map(|template| (rule, template));
        let routes = rules.into_iter().filter_map(read).enumerate();
        Self(routes.map(|(place, (rule, template))| Route { place, rule, template }).collect())
    }

    /// The rules of the routes, in the order of the rule file.
    pub fn rules(&self) -> impl Iterator<Item = &RouteRule> {
        self.0.iter().map(|route| &route.rule)
    }

    /// Decides whether a caller may make a request.
    pub fn decide(&self, caller: &Caller, method: &str, path: &str) -> Decision<'_> {
        match self.route(caller, method, path) {
            Ok(route) => Decision::Allow { route: &route.rule.path },
            Err(refusal) => Decision::Refuse(refusal),
        }
    }

    pub(crate) fn routes(&self) -> &[Route] {
        &self.0
    }

    /// The route by which the request may pass.
    pub(crate) fn route(&self, caller: &Caller, method: &str, path: &str) -> Result<&Route, Refusal> {
        let method = Method::parse(method).ok_or(Refusal::RouteUnknown)?;
        let path = RequestPath::parse(path).ok_or(Refusal::PathRefused)?;
        let candidates = self.0.iter().filter(|route| route.rule.method == method && route.template.matches(&path));
        // The check lets no two of them be equally specific.
        let route = candidates.reduce(|best, next| if next.beats(best) { next } else { best });
        let route = route.ok_or(Refusal::RouteUnknown)?;
        route.admits(caller)?;
        match (route.template.tenant_in(&path), &caller.tenant) {
            (None, _) => Ok(route),
            (Some(named), Some(own)) if named == own.as_str() => Ok(route),
            (Some(_), _) => Err(Refusal::TenantDiffers),
        }
    }
}

#[cfg(test)]
mod tests;
