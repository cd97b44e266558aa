//! One caller at work in his tenant.

use std::collections::BTreeSet;

use back_end::items::Items;
use back_end::{Caller, Problem, Refusal, Revocations};
use directory::{Directory, RevocationTable};
use serde::Deserialize;
use shared::administration::{self, Change, Decision, FactsNeeded};
use shared::names::{RoleName, TenantId};
use shell::aws::Client;

use crate::Settings;

/// The caller, his tenant, and what his session reaches of it.
pub(crate) struct Desk<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) caller: &'a Caller,
    pub(crate) directory: Directory,
    client: Client,
    settings: &'a Settings,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(settings: &'a Settings, caller: &'a Caller, tenant: &'a TenantId, client: Client) -> Self {
        let revocations = settings.back_end.revocations.clone();
        let table = revocations.map(|Revocations { table: name, refresh_days }| RevocationTable { name, refresh_days });
        let directory = Directory::new(client.clone(), &settings.back_end.directory_table).revoking(table);
        Self { tenant, caller, directory, client, settings }
    }

    pub(crate) fn items(&self) -> Items<'_> {
        Items { client: self.client.clone(), table: &self.settings.back_end.items_table, tenant: self.tenant }
    }

    /// Refuses a change that the caller may not make, whatever his token says.
    ///
    /// Two administrators who take the other's role in the same moment both
    /// succeed: the caller's membership is read before the write, not with it.
    pub(crate) async fn permit(&self, change: Change<'_>) -> Result<(), Problem> {
        let rules = &self.settings.tenants;
        let request = administration::Request { actor: self.caller.subject(), roles: self.caller.roles(), change };
        let own = match administration::facts_needed(rules, request) {
            FactsNeeded::Nothing => None,
            FactsNeeded::OwnMembership => {
                self.directory.member(self.tenant, self.caller.subject()).await.map_err(no_answer)?
            }
        };
        match administration::decide(rules, request, own.map(|member| member.membership).as_ref()) {
            Decision::Accept => Ok(()),
            Decision::Refuse(administration::Refusal::OwnRoles) => Err(Refusal::OwnRoles.into()),
            Decision::Refuse(administration::Refusal::RightsChanged) => Err(Refusal::RightsChanged.into()),
        }
    }
}

/// The roles in a body: at most 20, each named once.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<RoleName>")]
pub(crate) struct Roles(pub(crate) BTreeSet<RoleName>);

impl TryFrom<Vec<RoleName>> for Roles {
    type Error = &'static str;

    fn try_from(names: Vec<RoleName>) -> Result<Self, Self::Error> {
        let given = names.len();
        let roles: BTreeSet<_> = names.into_iter().collect();
        let fits = given <= 20 && roles.len() == given;
        fits.then_some(Self(roles)).ok_or("at most 20 roles, each named once")
    }
}

pub(crate) fn no_answer(error: directory::Error) -> Problem {
    Problem::unavailable(error.code(), error)
}
