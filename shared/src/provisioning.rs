//! What a user gets on confirmation, or later when that was missed.
//!
//! Only an address that somebody has proved counts, and only a provider that
//! the pool itself recorded.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::address::{DomainPattern, EmailAddress};
use crate::attributes::Attributes;
use crate::names::{RoleName, TenantId};
use crate::rules::Rules;
use crate::tenants::Membership;

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

/// What must be fetched for [`plan`].
pub fn facts_needed(_rules: &Rules, _request: Request<'_>) -> FactsNeeded {
    FactsNeeded::Nothing
}

/// Plans what the user gets.
pub fn plan(_rules: &Rules, _request: Request<'_>, _facts: Facts<'_>) -> Plan {
    Plan::default()
}
