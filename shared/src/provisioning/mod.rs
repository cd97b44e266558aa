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
use crate::names::{RoleName, TenantId, tenant_group};
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

/// What must be known before the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsNeeded {
    /// Nothing: plan with [`Facts::default`] and the time.
    Nothing,
    /// The invitations of this address.
    Invitations(EmailAddress),
}

/// What is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The invitations of the address that [`facts_needed`] named.
    pub invitations: &'a [Invitation],
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
    /// The Cognito groups, in the order of the rules.
    pub groups: Vec<String>,
    /// The address, if somebody has proved it.
    pub email: Option<EmailAddress>,
}

/// What must be fetched for [`plan`]. Without a proved address no invitation
/// could count.
pub fn facts_needed(rules: &Rules, request: Request<'_>) -> FactsNeeded {
    proved_address(rules, request).map_or(FactsNeeded::Nothing, FactsNeeded::Invitations)
}

/// Plans what the user gets: from invitations and placements the union of the
/// roles, and the groups whose conditions hold.
pub fn plan(rules: &Rules, request: Request<'_>, facts: Facts<'_>) -> Plan {
    let email = proved_address(rules, request);
    let origin = provider::of_user(&rules.providers, request.user_name, request.attributes);
    let mut roles_by_tenant: BTreeMap<TenantId, BTreeSet<RoleName>> = BTreeMap::new();
    // First match per tenant: a later, wider placement adds nothing.
    for placement in &rules.tenants.placements {
        if applies(&placement.email_domains, &placement.providers, email.as_ref(), origin) {
            roles_by_tenant.entry(placement.tenant.clone()).or_insert_with(|| placement.roles.clone());
        }
    }
    let mut taken_invitations = BTreeSet::new();
    let in_force = facts.invitations.iter().filter(|invitation| facts.now < invitation.expires_at);
    for invitation in in_force.filter(|_| email.is_some()) {
        roles_by_tenant.entry(invitation.tenant.clone()).or_default().extend(invitation.roles.iter().cloned());
        taken_invitations.insert(invitation.tenant.clone());
    }
    let groups = rules
        .groups
        .iter()
        .filter(|grant| applies(&grant.email_domains, &grant.providers, email.as_ref(), origin))
        .map(|grant| grant.name.clone());
    Plan {
        groups: without_repeats(groups),
        memberships: roles_by_tenant
            .into_iter()
            .map(|(tenant, roles)| Membership { tenant, roles, status: Status::Active })
            .collect(),
        taken_invitations: taken_invitations.into_iter().collect(),
        email,
    }
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
    let identities = request.attributes.identities().ok()?;
    let is_trusted = |name: &str| provider::find(&rules.providers, name).is_some_and(|known| known.trusts_email);
    let trusted = identities.iter().all(|identity| is_trusted(&identity.provider));
    request.attributes.verified_email().filter(|_| trusted)
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

fn without_repeats(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
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
fn is_group_name(name: &str) -> bool {
    (1..=128).contains(&name.chars().count()) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
