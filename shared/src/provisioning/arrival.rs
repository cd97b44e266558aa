//! What a user who was moved in brings along.

use std::collections::{BTreeMap, BTreeSet};

use super::{Request, is_address_trusted, is_group_name};
use crate::names::{LegacyId, RoleName, TenantId};
use crate::rules::{Origin, Rules, provider};

/// The rights that a user had in the old system, from the moment that the user
/// is made in the pool to the first profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    id: LegacyId,
    address: String,
    memberships: BTreeMap<TenantId, BTreeSet<RoleName>>,
    groups: BTreeSet<String>,
}

impl Arrival {
    /// More tenants than this are not carried over: all of an arrival has to fit
    /// into the transaction that writes the profile.
    pub const MOST_MEMBERSHIPS: usize = 50;

    /// More groups than this are not carried over: each takes a call of its own,
    /// and all of them have to be made while the first token waits.
    pub const MOST_GROUPS: usize = 20;

    /// An arrival of the user who will have this address in the pool: the e-mail
    /// address or the user name. `None` when there is no address, too much to
    /// carry over, or a group that no pool could have.
    pub fn new(
        id: LegacyId,
        address: &str,
        memberships: BTreeMap<TenantId, BTreeSet<RoleName>>,
        groups: BTreeSet<String>,
    ) -> Option<Self> {
        let fits = memberships.len() <= Self::MOST_MEMBERSHIPS && groups.len() <= Self::MOST_GROUPS;
        let fits = fits && !address.is_empty() && groups.iter().all(|group| is_group_name(group));
        fits.then(|| Self { id, address: address.to_ascii_lowercase(), memberships, groups })
    }

    /// The user's identifier in the old system.
    pub fn id(&self) -> &LegacyId {
        &self.id
    }

    /// The e-mail address or the user name in the pool, ASCII letters in lower case.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The roles in each tenant.
    pub fn memberships(&self) -> &BTreeMap<TenantId, BTreeSet<RoleName>> {
        &self.memberships
    }

    /// The Cognito groups.
    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }
}

/// Whose arrival counts for this user, if any: only users of the pool itself
/// were moved in, since a migration never asks about another provider's.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>
pub(super) fn awaited(rules: &Rules, request: Request<'_>) -> Option<LegacyId> {
    match provider::of_user(&rules.providers, request.user_name, request.attributes) {
        Origin::Pool => request.attributes.legacy_id(),
        Origin::Provider(_) | Origin::UnknownProvider | Origin::Inconsistent => None,
    }
}

/// Whether an arrival is the user's own: it names the user by the identifier of
/// old and by the address here.
///
/// The identifier alone is not enough. No client should be able to write it; if
/// one can, it still gives nothing without the other's address.
pub(super) fn is_own(arrival: &Arrival, rules: &Rules, request: Request<'_>) -> bool {
    let is_addressed = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(&arrival.address));
    awaited(rules, request).is_some_and(|id| id == arrival.id)
        && (is_addressed(request.user_name)
            || (is_addressed(request.attributes.get("email")) && is_address_trusted(rules, request)))
}
