//! Which tenant a user acts in, and with which roles.
//!
//! Only what a server wrote counts: Cognito groups and membership items. A
//! user's attributes and a client's metadata are not even arguments here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::address::DomainPattern;
use crate::names::{RoleName, TenantId, tenant_group};
use crate::rules::Problems;
use crate::rules::provider::ProviderIndex;

/// Where a user's tenant and roles come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TenantRules {
    /// What says who belongs to a tenant.
    pub source: TenantSource,
    /// Which new users are placed where; the first match of each tenant counts.
    #[serde(default)]
    pub placements: Vec<Placement>,
}

/// What says who belongs to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TenantSource {
    /// Cognito groups named `<tenant>:<role>`.
    Groups,
    /// The membership items of the directory table.
    Directory,
    /// Both together; a suspension in the directory wins.
    Both,
}

/// Places a new user in a tenant. Every kind of condition that is not empty
/// must hold; there must be one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// The tenant.
    pub tenant: TenantId,
    /// The roles that the user gets there.
    #[serde(default)]
    pub roles: BTreeSet<RoleName>,
    /// The domains whose verified addresses are placed.
    #[serde(default)]
    pub email_domains: Vec<DomainPattern>,
    /// The identity providers whose users are placed.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// Whether a membership is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Active,
    /// It is not: the user is kept out of the tenant, also if a group says
    /// otherwise.
    Suspended,
}

/// A user's place in one tenant, as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub tenant: TenantId,
    /// The user's roles there.
    pub roles: BTreeSet<RoleName>,
    /// Whether it is in force.
    pub status: Status,
}

/// The tenant a user acts in, and what led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenancy {
    /// The tenant; `None` when the user acts in none.
    pub active: Option<TenantId>,
    /// The user's roles in the active tenant.
    pub roles: BTreeSet<RoleName>,
    /// All tenants that the user may choose from.
    pub tenants: BTreeSet<TenantId>,
    /// Why it is this tenant, or none.
    pub reason: Reason,
}

/// Why a user acts in a tenant, or in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user chose it and is a member.
    Chosen,
    /// It is the only one.
    OnlyMembership,
    /// None: there are several and the user has chosen none of them.
    ChoiceMissing,
    /// None: the user belongs to no tenant.
    NoMembership,
    /// None: every membership is suspended.
    Suspended,
    /// None: the directory could not be read, and without it a suspension
    /// would go unseen.
    DirectoryUnread,
}

impl Reason {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chosen => "Chosen",
            Self::OnlyMembership => "OnlyMembership",
            Self::ChoiceMissing => "ChoiceMissing",
            Self::NoMembership => "NoMembership",
            Self::Suspended => "Suspended",
            Self::DirectoryUnread => "DirectoryUnread",
        }
    }
}

impl TenantRules {
    pub(crate) fn check(&self, providers: &ProviderIndex<'_>, problems: &mut Problems) {
        if self.source == TenantSource::Groups && !self.placements.is_empty() {
            let instead = "name the group \"<tenant>:<role>\" under [[groups]] instead, or read the directory";
            problems.add("tenants.placements", format!("source = \"groups\" reads no placements; {instead}"));
        }
        for (index, placement) in self.placements.iter().enumerate() {
            let path = format!("tenants.placements[{index}]");
            if placement.email_domains.is_empty() && placement.providers.is_empty() {
                let message = format!(
                    "everyone who signs up would enter \"{}\"; name email_domains or providers",
                    placement.tenant
                );
                problems.add(path.as_str(), message);
            }
            providers.check_conditions(&path, &placement.providers, &placement.email_domains, problems);
        }
    }
}

impl Tenancy {
    /// No tenant, for this reason.
    pub fn none(reason: Reason) -> Self {
        Self { active: None, roles: BTreeSet::new(), tenants: BTreeSet::new(), reason }
    }
}

/// Decides which tenant a user acts in.
///
/// `memberships` is `None` when the directory could not be read. `chosen` is the
/// tenant that the user asked for; it counts only if the user is a member.
pub fn decide(
    rules: &TenantRules,
    groups: &[String],
    memberships: Option<&[Membership]>,
    chosen: Option<&TenantId>,
) -> Tenancy {
    let from_directory = match (rules.source, memberships) {
        (TenantSource::Groups, _) => &[],
        (_, Some(memberships)) => memberships,
        (_, None) => return Tenancy::none(Reason::DirectoryUnread),
    };
    let from_groups = if rules.source == TenantSource::Directory { &[] } else { groups };

    let mut roles_by_tenant: BTreeMap<TenantId, BTreeSet<RoleName>> = BTreeMap::new();
    for (tenant, role) in from_groups.iter().filter_map(|group| tenant_group(group)) {
        roles_by_tenant.entry(tenant).or_default().insert(role);
    }
    for membership in from_directory {
        roles_by_tenant.entry(membership.tenant.clone()).or_default().extend(membership.roles.iter().cloned());
    }
    // INVARIANT: last, so that a suspension outweighs whatever grants access.
    let mut suspended = false;
    for membership in from_directory.iter().filter(|membership| membership.status == Status::Suspended) {
        suspended = true;
        roles_by_tenant.remove(&membership.tenant);
    }
    choose(roles_by_tenant, suspended, chosen)
}

fn choose(
    mut roles_by_tenant: BTreeMap<TenantId, BTreeSet<RoleName>>,
    suspended: bool,
    chosen: Option<&TenantId>,
) -> Tenancy {
    let tenants: BTreeSet<TenantId> = roles_by_tenant.keys().cloned().collect();
    let chosen = chosen.filter(|tenant| tenants.contains(*tenant));
    let (active, reason) = match (chosen, tenants.first()) {
        (Some(tenant), _) => (Some(tenant.clone()), Reason::Chosen),
        (None, Some(only)) if tenants.len() == 1 => (Some(only.clone()), Reason::OnlyMembership),
        (None, Some(_)) => (None, Reason::ChoiceMissing),
        (None, None) if suspended => (None, Reason::Suspended),
        (None, None) => (None, Reason::NoMembership),
    };
    let roles = active.as_ref().and_then(|tenant| roles_by_tenant.remove(tenant)).unwrap_or_default();
    Tenancy { active, roles, tenants, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(source: TenantSource) -> TenantRules {
        TenantRules { source, placements: Vec::new() }
    }

    fn names<T: Ord>(text: &str, parse: impl Fn(&str) -> Option<T>) -> BTreeSet<T> {
        text.split_whitespace().map(|name| parse(name).unwrap()).collect()
    }

    /// `acme:member,admin` is active; `!acme:member` is suspended.
    fn memberships(text: &str) -> Vec<Membership> {
        let membership = |entry: &str| {
            let status = if entry.starts_with('!') { Status::Suspended } else { Status::Active };
            let (tenant, roles) = entry.trim_start_matches('!').split_once(':').unwrap();
            let roles = names(&roles.replace(',', " "), RoleName::parse);
            Membership { tenant: TenantId::parse(tenant).unwrap(), roles, status }
        };
        text.split_whitespace().map(membership).collect()
    }

    #[test]
    fn the_tenant_comes_from_what_a_server_wrote_or_is_none() {
        use Reason::{ChoiceMissing, Chosen, DirectoryUnread, NoMembership, OnlyMembership, Suspended};
        use TenantSource::{Both, Directory, Groups};
        // source, groups, memberships (`?`: could not be read), choice; then
        // active tenant, roles, all tenants, reason.
        let table = [
            // One membership.
            (Directory, "", "acme:member", "", "acme", "member", "acme", OnlyMembership),
            (Directory, "", "acme:", "", "acme", "", "acme", OnlyMembership),
            (Directory, "", "acme:admin,member", "acme", "acme", "admin member", "acme", Chosen),
            // None.
            (Directory, "", "", "", "", "", "", NoMembership),
            (Directory, "", "", "acme", "", "", "", NoMembership),
            (Groups, "", "acme:admin", "", "", "", "", NoMembership),
            (Both, "", "", "", "", "", "", NoMembership),
            // Several: only a choice decides, and only one that is among them.
            (Directory, "", "acme:admin globex:member", "", "", "", "acme globex", ChoiceMissing),
            (Directory, "", "acme:admin globex:member", "globex", "globex", "member", "acme globex", Chosen),
            (Directory, "", "acme:admin globex:member", "initech", "", "", "acme globex", ChoiceMissing),
            (Directory, "", "acme:admin", "globex", "acme", "admin", "acme", OnlyMembership),
            (Groups, "acme:admin globex:member", "", "", "", "", "acme globex", ChoiceMissing),
            (Groups, "acme:admin globex:member", "", "globex", "globex", "member", "acme globex", Chosen),
            // Suspended.
            (Directory, "", "!acme:admin", "", "", "", "", Suspended),
            (Directory, "", "!acme:admin", "acme", "", "", "", Suspended),
            (Directory, "", "!acme:admin globex:member", "acme", "globex", "member", "globex", OnlyMembership),
            (Both, "acme:admin", "!acme:admin", "acme", "", "", "", Suspended),
            (Both, "acme:admin", "acme:member !acme:member", "", "", "", "", Suspended),
            // Groups.
            (Groups, "users acme:member acme:admin", "", "", "acme", "admin member", "acme", OnlyMembership),
            (Groups, "acme acme: :admin Acme:admin a:b:c tenant#x:admin", "", "", "", "", "", NoMembership),
            (Groups, "acme:admin", "!acme:admin", "", "acme", "admin", "acme", OnlyMembership),
            (Directory, "acme:admin", "", "", "", "", "", NoMembership),
            (Directory, "acme:admin", "acme:member", "", "acme", "member", "acme", OnlyMembership),
            // Both together.
            (Both, "acme:admin", "acme:member", "", "acme", "admin member", "acme", OnlyMembership),
            (Both, "acme:admin", "globex:member", "globex", "globex", "member", "acme globex", Chosen),
            (Both, "acme:admin", "globex:member", "", "", "", "acme globex", ChoiceMissing),
            // The directory could not be read.
            (Directory, "", "?", "", "", "", "", DirectoryUnread),
            (Directory, "acme:admin", "?", "acme", "", "", "", DirectoryUnread),
            (Both, "acme:admin", "?", "acme", "", "", "", DirectoryUnread),
            (Groups, "acme:admin", "?", "", "acme", "admin", "acme", OnlyMembership),
        ];
        for (source, groups, items, choice, active, roles, tenants, reason) in table {
            let group_list: Vec<String> = groups.split_whitespace().map(str::to_owned).collect();
            let read = (items != "?").then(|| memberships(items));
            let chosen = TenantId::parse(choice);
            let tenancy = decide(&rules(source), &group_list, read.as_deref(), chosen.as_ref());
            let expected = Tenancy {
                active: TenantId::parse(active),
                roles: names(roles, RoleName::parse),
                tenants: names(tenants, TenantId::parse),
                reason,
            };
            assert_eq!(tenancy, expected, "{source:?} {groups:?} {items:?} {choice:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_no_tenant_is_active_without_an_active_grant(
            source in prop_oneof![Just(TenantSource::Groups), Just(TenantSource::Directory), Just(TenantSource::Both)],
            groups in proptest::collection::vec("[ab]:[xy]", 0..4),
            items in proptest::option::of(proptest::collection::vec("!?[ab]:[xy]", 0..4)),
            chosen in proptest::option::of("[abc]"),
        ) {
            let items = items.map(|items| memberships(&items.join(" ")));
            let chosen = chosen.and_then(|tenant| TenantId::parse(&tenant));
            let tenancy = decide(&rules(source), &groups, items.as_deref(), chosen.as_ref());

            let Some(active) = &tenancy.active else {
                prop_assert!(tenancy.roles.is_empty());
                return Ok(());
            };
            prop_assert!(tenancy.tenants.contains(active));
            prop_assert!(tenancy.tenants.len() == 1 || chosen.as_ref() == Some(active));
            let of_items: Vec<&Membership> = items.iter().flatten().filter(|item| item.tenant == *active).collect();
            let by_item = source != TenantSource::Groups && !of_items.is_empty();
            let by_group = source != TenantSource::Directory
                && groups.iter().filter_map(|group| tenant_group(group)).any(|(tenant, _)| tenant == *active);
            prop_assert!(by_item || by_group);
            if source != TenantSource::Groups {
                prop_assert!(of_items.iter().all(|item| item.status == Status::Active));
            }
        }
    }
}
