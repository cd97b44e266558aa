//! What a user brings along: attributes and rights.

use std::collections::{BTreeMap, BTreeSet};

use super::{LegacyUser, MigrationRules, Refusal};
use crate::address::{EmailAddress, PhoneNumber};
use crate::attributes::{LEGACY_ID, LONGEST_VALUE};
use crate::names::{RoleName, TenantId, tenant_group};
use crate::provisioning::Arrival;

/// The attributes that the rules name, under the pool's names, and the old id.
///
/// The pool would refuse the whole user for one attribute that it cannot take,
/// so a value that is empty, too long or malformed is left out. The e-mail
/// address is written in lower case: a pool that tells cases apart would
/// otherwise take one user for two.
pub(super) fn attributes(rules: &MigrationRules, user: &LegacyUser) -> BTreeMap<String, String> {
    let mut attributes: BTreeMap<String, String> = rules
        .attributes
        .iter()
        .filter_map(|(name, from)| Some((name.clone(), usable(name, user.attributes.get(from)?)?)))
        .collect();
    if user.email_verified && attributes.contains_key("email") {
        attributes.insert("email_verified".to_owned(), "true".to_owned());
    }
    attributes.insert(LEGACY_ID.to_owned(), user.id.as_str().to_owned());
    attributes
}

fn usable(name: &str, value: &str) -> Option<String> {
    match name {
        "email" => EmailAddress::parse(value).map(|address| address.as_str().to_owned()),
        "phone_number" => PhoneNumber::parse(value).map(|number| number.as_str().to_owned()),
        _ => (!value.is_empty() && value.len() <= LONGEST_VALUE).then(|| value.to_owned()),
    }
}

/// The attributes without a contact that nobody has proved; `None` when no
/// proved one is left. The old system's word on telephone numbers is not asked.
pub(super) fn with_proved_contact_only(mut attributes: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    attributes.remove("phone_number");
    attributes.contains_key("email_verified").then_some(attributes)
}

/// Whether a user with these attributes may have been meant by this name.
///
/// A name that is an address must be the user's own: the pool signs him in by
/// it, and he must not come to hold the address of another.
pub(super) fn is_name_of(attributes: &BTreeMap<String, String>, user_name: &str) -> bool {
    let is = |name: &str, value: &str| attributes.get(name).is_some_and(|own| own == value);
    match (EmailAddress::parse(user_name), PhoneNumber::parse(user_name)) {
        (Some(address), _) => is("email", address.as_str()),
        (None, Some(number)) => is("phone_number", number.as_str()),
        (None, None) => true,
    }
}

/// The rights that wait for the user's first token. None are an arrival too: it
/// takes the place of an earlier one, whose rights the old system has withdrawn.
pub(super) fn arrival(rules: &MigrationRules, user: &LegacyUser, address: &str) -> Result<Arrival, Refusal> {
    let mut memberships: BTreeMap<TenantId, BTreeSet<RoleName>> = BTreeMap::new();
    let mut groups = BTreeSet::new();
    for old in &user.groups {
        if let Some((tenant, role)) = tenant_group(old).filter(|_| rules.tenant_groups) {
            memberships.entry(tenant).or_default().insert(role);
        }
        for carry in rules.groups.iter().filter(|carry| carry.from == *old) {
            groups.extend(carry.group.clone());
            if let Some(tenant) = &carry.tenant {
                memberships.entry(tenant.clone()).or_default().extend(carry.roles.iter().cloned());
            }
        }
    }
    // Half of somebody's rights would look like all of them.
    Arrival::new(user.id.clone(), address, memberships, groups).ok_or(Refusal::TooMuchToCarry)
}
