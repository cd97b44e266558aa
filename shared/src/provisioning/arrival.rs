//! What a user who was moved in brings along.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{LegacyId, RoleName, TenantId};

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
    /// address or the user name. `None` when there is too much to carry over.
    pub fn new(
        id: LegacyId,
        address: &str,
        memberships: BTreeMap<TenantId, BTreeSet<RoleName>>,
        groups: BTreeSet<String>,
    ) -> Option<Self> {
        let fits = memberships.len() <= Self::MOST_MEMBERSHIPS && groups.len() <= Self::MOST_GROUPS;
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
