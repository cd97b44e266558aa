//! What becomes of one person under the rules, and why.
//!
//! Puts the decisions of all functions together, so that rules can be tried
//! before anybody signs in. It decides nothing: what it says is what [`tenants`],
//! [`claims`], [`roles`] and [`routes`](crate::routes) answer for the same person.

mod expectation;
mod newcomer;
mod passage;
mod situation;
mod tokens;
mod told;

pub use expectation::{ClaimsExpected, Expectation, Mismatch};
pub use newcomer::{Newcomer, newcomer};
pub use passage::{Answer, Passage, RequestTold, RouteTold};
pub use situation::{MembershipGiven, Situation, User};
pub use told::{EntryTold, Explanation, GroupsTold, RoleTold, ScopesTold, TenancyTold, TokenTold};

use serde_json::{Map, Value};

use crate::claims::{self, Decision, EntryOutcome, Request, ScopeOutcome, TokenKind};
use crate::provisioning;
use crate::roles::{self, Outcome, Reason};
use crate::rules::Rules;
use crate::tenants::{self, Membership, Tenancy};

type Claims = Map<String, Value>;

/// Explains what becomes of the person in this situation.
pub fn explain(rules: &Rules, situation: &Situation) -> Explanation {
    let user = &situation.user;
    let placed = placed(rules, user);
    let memberships = user.memberships_with(&placed.memberships);
    let tenancy = tenancy(rules, situation, &memberships);
    let (iam_roles, preferred) = user.iam_roles(&rules.roles);
    let request = Request {
        version: situation.event_version.unwrap_or(rules.claims.token_version),
        source: &situation.source,
        client_id: Some(&situation.client_id),
        attributes: &user.attributes,
        groups: &user.groups,
        joined: &placed.groups,
        iam_roles: &iam_roles,
        preferred_role: preferred.as_deref(),
        scopes: &situation.scopes,
        machine: situation.is_machine(),
        tenancy: &tenancy,
    };
    let before = tokens::issued(&request, user);
    let trace = claims::trace(&rules.claims, &rules.roles, request);
    let mut explanation = Explanation {
        tenancy: TenancyTold::of(&tenancy),
        refused: None,
        groups: GroupsTold::default(),
        claims: told::entries(rules, &trace),
        scopes: trace.scopes.iter().enumerate().map(|(index, outcome)| told::scopes(index, outcome)).collect(),
        tokens: Vec::new(),
        iam_role: None,
        routes: Vec::new(),
        requests: Vec::new(),
    };
    let overrides = match claims::decide(&rules.claims, &rules.roles, request) {
        Decision::Issue(overrides) => overrides,
        Decision::Refuse(refusal) => {
            explanation.refused = Some(refusal.code());
            return explanation;
        }
    };
    explanation.groups = GroupsTold::of(&overrides.groups, &user.groups);
    let after = tokens::changed(&before, &overrides);
    explanation.iam_role = after.get(&TokenKind::Id).map(|id| iam_role(rules, id, situation.custom_role.as_deref()));
    let callers = passage::callers(rules, &after, &situation.client_id);
    explanation.routes = passage::routes(rules, &callers);
    explanation.requests =
        situation.requests.iter().map(|(method, path)| passage::request(rules, &callers, method, path)).collect();
    explanation.tokens = tokens::told(before, after);
    explanation
}

/// What a user who has just signed up gets; nothing for everybody else.
fn placed(rules: &Rules, user: &User) -> provisioning::Plan {
    if !user.new {
        return provisioning::Plan::default();
    }
    let request = provisioning::Request { attributes: &user.attributes, user_name: user.user_name.as_deref() };
    let facts = provisioning::Facts { invitations: &[], arrival: None, now: 0 };
    provisioning::plan(rules, request, facts)
}

/// A machine belongs nowhere.
fn tenancy(rules: &Rules, situation: &Situation, memberships: &[Membership]) -> Tenancy {
    if situation.is_machine() {
        return Tenancy::none(tenants::Reason::NoMembership);
    }
    let user = &situation.user;
    let known = (!user.directory_unread).then_some(memberships);
    tenants::decide(&rules.tenants, &user.groups, known, user.active_tenant.as_ref())
}

/// The role that the identity pool gives for this ID token.
fn iam_role(rules: &Rules, id: &Claims, custom: Option<&str>) -> RoleTold {
    let selection = roles::select(&rules.roles, id, custom);
    let rule = match selection.reason {
        Reason::Rule(index) => Some(format!("roles.rules[{index}]")),
        _ => None,
    };
    let role = match &selection.outcome {
        Outcome::Deny => None,
        Outcome::Role(_) | Outcome::AuthenticatedRole => rules.roles.arn(&selection).map(str::to_owned),
    };
    RoleTold { role, reason: selection.reason.code(), rule }
}

/// Why an entry counts or not, in a word and its details.
fn outcome(entry: &EntryOutcome) -> (&'static str, Option<Value>, Option<String>) {
    match entry {
        EntryOutcome::Added(value) => ("Added", Some(value.clone()), None),
        EntryOutcome::Unmet(keys) => ("ConditionUnmet", None, Some(keys.join(", "))),
        EntryOutcome::NoValue => ("NoValue", None, None),
        EntryOutcome::Outvoted(by) => ("Outvoted", None, Some(format!("claims.map[{by}]"))),
        EntryOutcome::Suppressed => ("Suppressed", None, None),
        EntryOutcome::Dropped(reason) => (reason.code(), None, None),
        EntryOutcome::NoToken => ("NoToken", None, None),
    }
}

/// The same for an entry of the scopes.
fn scope_outcome(scope: &ScopeOutcome) -> (&'static str, Option<String>) {
    match scope {
        ScopeOutcome::Holds => ("Holds", None),
        ScopeOutcome::Unmet(keys) => ("ConditionUnmet", Some(keys.join(", "))),
        ScopeOutcome::MachineUnnamed => ("MachineUnnamed", None),
        ScopeOutcome::EventTooOld => ("EventTooOld", None),
    }
}

#[cfg(test)]
mod tests;
