//! What becomes of somebody who comes for the first time.

use serde::Serialize;

use crate::attributes::Attributes;
use crate::linking;
use crate::names::{RoleName, TenantId};
use crate::provisioning;
use crate::rules::Rules;
use crate::sign_up::{self, ChallengeOutcome, ChallengeToken, Decision, Facts, Source};

/// What becomes of a sign-up, as far as the rules alone tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Newcomer {
    /// "accept", or the code of the refusal, when everything that is asked for
    /// is there.
    pub sign_up: &'static str,
    /// What is asked for, and the code of the refusal without it.
    pub needs: Vec<(&'static str, &'static str)>,
    /// What becomes of an external account: "separate", "linked" to the user who
    /// has the address, or the code of the refusal.
    pub account: &'static str,
    /// The memberships that the rules give, each a tenant and its roles.
    pub memberships: Vec<(TenantId, Vec<RoleName>)>,
    /// The Cognito groups that the rules give.
    pub groups: Vec<String>,
}

/// Explains what becomes of a sign-up. `invited` and `challenge_solved` are taken
/// for granted where the rules ask for them; `needs` says what happens if not.
pub fn newcomer(rules: &Rules, source: &str, user_name: Option<&str>, attributes: &Attributes) -> Newcomer {
    let token = ChallengeToken::new("a-token".to_owned());
    let with = |challenge| sign_up::Request { source: Source::parse(source), attributes, user_name, challenge };
    let request = with(Some(&token));
    let needed = sign_up::facts_needed(rules, request);
    let host = rules.sign_up.challenge.as_ref().and_then(|challenge| challenge.hostnames.first().cloned());
    let solved = Some(ChallengeOutcome::Solved { hostname: host });
    let answer = |request, invited, challenge| match sign_up::decide(rules, request, &Facts { invited, challenge }) {
        Decision::Accept => "accept",
        Decision::Refuse(refusal) => refusal.code(),
    };
    let mut needs = Vec::new();
    if needed.invitation.is_some() {
        needs.push(("an invitation", answer(request, false, solved.clone())));
    }
    if needed.challenge.is_some() {
        needs.push(("a solved challenge", answer(with(None), true, None)));
    }
    let plan = provisioning::plan(
        rules,
        provisioning::Request { attributes, user_name },
        provisioning::Facts { invitations: &[], arrival: None, now: 0 },
    );
    let memberships = plan.memberships.into_iter();
    Newcomer {
        sign_up: answer(request, true, solved),
        needs,
        account: account(rules, source, user_name, attributes),
        memberships: memberships.map(|one| (one.tenant, one.roles.into_iter().collect())).collect(),
        groups: plan.groups,
    }
}

/// What the rules want of an external account. Whether a user of the pool has
/// the address is not known here.
fn account(rules: &Rules, source: &str, user_name: Option<&str>, attributes: &Attributes) -> &'static str {
    let request = linking::Request { source, user_name, attributes };
    match linking::facts_needed(rules, request) {
        linking::FactsNeeded::UsersWith(_) => "linked",
        linking::FactsNeeded::Nothing => match linking::decide(rules, request, &linking::Found::default()) {
            linking::Decision::Refuse(refusal) => refusal.code(),
            _ => "separate",
        },
    }
}
