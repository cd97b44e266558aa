//! The `[migration]` section of the rule file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::lockout::LockoutRules;
use crate::attributes::{self, LEGACY_ID};
use crate::names::{RoleName, TenantId};
use crate::password::HashRules;
use crate::provisioning::is_group_name;
use crate::rules::{Problems, Provider};
use crate::tenants::TenantSource;

/// How users of an old system are moved in at their first sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MigrationRules {
    /// Where the old system's users are.
    pub store: Store,
    /// What becomes of the password that the old system took.
    pub final_status: FinalStatus,
    /// Which attributes are carried over: the pool's name, and the old system's
    /// name of the same. What is not named here stays behind.
    pub attributes: BTreeMap<String, String>,
    /// Whether an old group `<tenant>:<role>` becomes a membership.
    #[serde(default)]
    pub tenant_groups: bool,
    /// What other old groups become.
    #[serde(default)]
    pub groups: Vec<GroupCarry>,
    /// Which hashes the passwords in a table may have; only for a table.
    pub hashes: Option<HashRules>,
    /// How many passwords may be tried.
    pub lockout: LockoutRules,
}

/// Where the old system's users are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Nobody is moved in.
    None,
    /// A table of exported users with the hashes of their passwords.
    Table,
    /// Another user pool, asked with an app client of its own.
    Pool,
    /// An HTTPS endpoint of the old system.
    Endpoint,
}

/// The status of a user who was moved in with the right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FinalStatus {
    /// He keeps the password, which the pool's policy for passwords does not bind.
    Confirmed,
    /// He has to choose a new one, by a code that the pool sends.
    ResetRequired,
}

/// What an old group becomes: a group of the pool, a membership, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupCarry {
    /// The group's name in the old system, byte for byte.
    pub from: String,
    /// The group of the pool, which must have it.
    #[serde(default)]
    pub group: Option<String>,
    /// The tenant of the membership.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// The roles in that tenant.
    #[serde(default)]
    pub roles: BTreeSet<RoleName>,
}

impl MigrationRules {
    pub(crate) fn check(&self, tenants: TenantSource, providers: &[Provider], problems: &mut Problems) {
        self.check_attributes(providers, problems);
        self.check_groups(tenants, problems);
        match (&self.hashes, self.store) {
            (Some(hashes), Store::Table) => hashes.check("migration.hashes", problems),
            (None, Store::Table) => {
                problems.add("migration.hashes", "a table's passwords are hashes; say of which kinds")
            }
            (Some(_), Store::Pool | Store::Endpoint) => {
                problems.add("migration.hashes", "the old system checks passwords itself; remove this section");
            }
            (_, Store::None) | (None, Store::Pool | Store::Endpoint) => {}
        }
        self.lockout.check(problems);
    }

    fn check_attributes(&self, providers: &[Provider], problems: &mut Problems) {
        let subjects: BTreeSet<&str> =
            providers.iter().filter_map(|provider| provider.subject_attribute.as_deref()).collect();
        for (name, from) in &self.attributes {
            let mut add = |message: String| problems.add(format!("migration.attributes.{name}"), message);
            if name == LEGACY_ID {
                add(format!("\"{name}\" always carries the user's id in the old system"));
            } else if subjects.contains(name.as_str()) {
                add(format!("\"{name}\" is for what a provider says, not for the old system"));
            } else if !attributes::is_writable_name(name) {
                add(format!("\"{name}\" cannot be set; name a standard attribute or one that begins with \"custom:\""));
            }
            if from.is_empty() {
                add("name the old system's attribute".to_owned());
            }
        }
    }

    fn check_groups(&self, tenants: TenantSource, problems: &mut Problems) {
        let unread = "memberships are not read while [tenants] has source = \"groups\"";
        let without_directory = tenants == TenantSource::Groups;
        if self.tenant_groups && without_directory {
            problems.add("migration.tenant_groups", unread);
        }
        for (index, carry) in self.groups.iter().enumerate() {
            let mut add = |key: &str, message: &str| problems.add(format!("migration.groups[{index}]{key}"), message);
            if carry.from.is_empty() {
                add(".from", "name the group of the old system");
            }
            if carry.group.as_deref().is_some_and(|name| !is_group_name(name)) {
                add(".group", "a group's name has 1 to 128 characters and no blanks");
            }
            match (&carry.group, &carry.tenant) {
                (None, None) => add("", "name the group or the tenant that it becomes"),
                (_, None) if !carry.roles.is_empty() => add(".roles", "roles are roles in a tenant; name it"),
                (_, Some(_)) if without_directory => add(".tenant", unread),
                (_, _) => {}
            }
        }
    }
}
