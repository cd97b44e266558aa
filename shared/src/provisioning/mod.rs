//! What a user gets on confirmation, or later when that was missed.
//!
//! Only an address that somebody has proved counts, and only a provider that
//! the pool itself recorded.

mod arrival;

pub use arrival::Arrival;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::address::{DomainPattern, EmailAddress};
use crate::attributes::Attributes;
use crate::names::{LegacyId, RoleName, TenantId, tenant_group};
use crate::rules::provider::{self, ProviderIndex};
use crate::rules::{Origin, Problems, Rules};
use crate::tenants::{Membership, Status, TenantSource};

/// A Cognito group that a new user gets. Every kind of condition that is not
/// empty must hold; without one everyone gets the group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupGrant {
    /// The group's name in the pool.
    pub name: String,
    /// The domains whose verified addresses get it.
    #[serde(default)]
    pub email_domains: Vec<DomainPattern>,
    /// The identity providers whose users get it.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// The user to be provisioned, as the pool's event has it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The user's attributes.
    pub attributes: &'a Attributes,
    /// The pool's own name of the user (`userName` of the event).
    pub user_name: Option<&'a str>,
}

/// What must be known before the plan; where nothing is named, nothing could count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactsNeeded {
    /// The invitations of this address.
    pub invitations: Option<EmailAddress>,
    /// What this user brought along from the old system.
    pub arrival: Option<LegacyId>,
}

/// What is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The invitations of the address that [`facts_needed`] named.
    pub invitations: &'a [Invitation],
    /// What the user brought along whom [`facts_needed`] named; `None` when
    /// there is nothing, or no longer.
    pub arrival: Option<&'a Arrival>,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// An administrator's promise of a place in a tenant to whoever proves the
/// address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The tenant.
    pub tenant: TenantId,
    /// The roles that the user gets there.
    pub roles: BTreeSet<RoleName>,
    /// The first second, since 1970, in which it no longer counts.
    pub expires_at: u64,
}

/// What is to be written. Writing it twice must do no harm: an existing
/// membership stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The memberships, at most one for each tenant, ordered by tenant.
    pub memberships: Vec<Membership>,
    /// The tenants whose invitations are used up by this.
    pub taken_invitations: Vec<TenantId>,
    /// Whether what the user brought along is used up by this.
    pub takes_arrival: bool,
    /// The Cognito groups: those of the rules in their order, then those that
    /// the user brought along.
    pub groups: Vec<String>,
    /// The address, if somebody has proved it.
    pub email: Option<EmailAddress>,
}

/// What DynamoDB takes in one transaction, and so the most that a plan may say
/// for it: the profile, each membership, and each thing that is used up.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_WRITES: usize = 100;

/// What must be fetched for [`plan`]. Without a proved address no invitation
/// could count, and nobody but the pool's own user was moved in.
pub fn facts_needed(rules: &Rules, request: Request<'_>) -> FactsNeeded {
    FactsNeeded { invitations: proved_address(rules, request), arrival: arrival::awaited(rules, request) }
}

/// Whether the directory is to be asked about a user at a token.
///
/// Where groups alone say who belongs where, it is asked only about those who
/// may have brought something along that has not become groups yet.
pub fn concerns_directory(rules: &Rules, request: Request<'_>) -> bool {
    rules.tenants.source != TenantSource::Groups || arrival::awaited(rules, request).is_some()
}

/// Plans what the user gets: from invitations, placements and what was brought
/// along the union of the roles, and the groups whose conditions hold.
///
/// Invitations that one transaction cannot hold beside the rest are left; all
/// else is taken whole.
pub fn plan(rules: &Rules, request: Request<'_>, facts: Facts<'_>) -> Plan {
    let email = proved_address(rules, request);
    let origin = provider::of_user(&rules.providers, request.user_name, request.attributes);
    let arrival = facts.arrival.filter(|arrival| arrival::is_own(arrival, rules, request));
    let mut granted = Granted::new();
    // First match per tenant: a later, wider placement adds nothing.
    for placement in &rules.tenants.placements {
        if applies(&placement.email_domains, &placement.providers, email.as_ref(), origin) {
            granted.entry(placement.tenant.clone()).or_insert_with(|| placement.roles.clone());
        }
    }
    for (tenant, roles) in arrival.into_iter().flat_map(Arrival::memberships) {
        granted.entry(tenant.clone()).or_default().extend(roles.iter().cloned());
    }
    let others = 1 + usize::from(arrival.is_some());
    let in_force = facts.invitations.iter().filter(|invitation| email.is_some() && facts.now < invitation.expires_at);
    let taken_invitations = take(in_force, &mut granted, MOST_WRITES.saturating_sub(others));
    let by_rule = rules
        .groups
        .iter()
        .filter(|grant| applies(&grant.email_domains, &grant.providers, email.as_ref(), origin))
        .map(|grant| &grant.name);
    Plan {
        groups: without_repeats(by_rule.chain(arrival.into_iter().flat_map(Arrival::groups))),
        memberships: granted
            .into_iter()
            .map(|(tenant, roles)| Membership { tenant, roles, status: Status::Active })
            .collect(),
        taken_invitations,
        takes_arrival: arrival.is_some(),
        email,
    }
}

/// The roles in each tenant.
type Granted = BTreeMap<TenantId, BTreeSet<RoleName>>;

/// Takes invitations, in order of tenant, while they and the memberships are at
/// most `most` together.
fn take<'a>(invitations: impl Iterator<Item = &'a Invitation>, granted: &mut Granted, most: usize) -> Vec<TenantId> {
    let mut waiting: Vec<&Invitation> = invitations.collect();
    waiting.sort_by_key(|invitation| &invitation.tenant);
    let mut taken = Vec::new();
    for invitation in waiting {
        let new = usize::from(!granted.contains_key(&invitation.tenant));
        if granted.len() + taken.len() + 1 + new <= most {
            granted.entry(invitation.tenant.clone()).or_default().extend(invitation.roles.iter().cloned());
            taken.push(invitation.tenant.clone());
        }
    }
    taken
}

/// The user's address, if somebody whom the rules trust has proved it.
///
/// At each sign-in a provider may overwrite the attributes of a user who is
/// linked with it, so every linked provider must be trusted, not only the first.
fn proved_address(rules: &Rules, request: Request<'_>) -> Option<EmailAddress> {
    match provider::of_user(&rules.providers, request.user_name, request.attributes) {
        Origin::Pool | Origin::Provider(_) => {}
        Origin::UnknownProvider | Origin::Inconsistent => return None,
    }
    request.attributes.verified_email().filter(|_| is_address_trusted(rules, request))
}

/// Whether nobody wrote the user's address whose word on addresses is not
/// trusted.
fn is_address_trusted(rules: &Rules, request: Request<'_>) -> bool {
    let is_trusted = |name: &str| provider::find(&rules.providers, name).is_some_and(|known| known.trusts_email);
    let identities = request.attributes.identities();
    identities.is_ok_and(|identities| identities.iter().all(|identity| is_trusted(&identity.provider)))
}

/// Whether every kind of condition that is not empty holds.
fn applies(domains: &[DomainPattern], providers: &[String], email: Option<&EmailAddress>, origin: Origin<'_>) -> bool {
    let by_domain = || email.is_some_and(|address| domains.iter().any(|domain| domain.matches(address)));
    let by_provider = || match origin {
        Origin::Provider(provider) => providers.iter().any(|name| name.eq_ignore_ascii_case(&provider.name)),
        Origin::Pool | Origin::UnknownProvider | Origin::Inconsistent => false,
    };
    (domains.is_empty() || by_domain()) && (providers.is_empty() || by_provider())
}

fn without_repeats<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).cloned().collect()
}

/// Checks the group grants. `source` says whether a group can give a tenant.
pub(crate) fn check(
    grants: &[GroupGrant],
    source: TenantSource,
    providers: &ProviderIndex<'_>,
    problems: &mut Problems,
) {
    for (index, grant) in grants.iter().enumerate() {
        let path = format!("groups[{index}]");
        if !is_group_name(&grant.name) {
            problems.add(format!("{path}.name"), "a group's name has 1 to 128 characters and no blanks");
        }
        let everyone = grant.email_domains.is_empty() && grant.providers.is_empty();
        if everyone && source != TenantSource::Directory && tenant_group(&grant.name).is_some() {
            let message =
                format!("everyone who signs up would get \"{}\"; name email_domains or providers", grant.name);
            problems.add(format!("{path}.name"), message);
        }
        providers.check_conditions(&path, &grant.providers, &grant.email_domains, problems);
    }
}

/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html>
pub(crate) fn is_group_name(name: &str) -> bool {
    (1..=128).contains(&name.chars().count()) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
