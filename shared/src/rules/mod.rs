//! The rule file: what the operator configures, for all functions at once.
//!
//! Every section is a type of the module whose question it configures. This
//! module puts them together and refuses a file that contradicts itself.

mod problems;
pub(crate) mod provider;
#[cfg(feature = "schema")]
mod schema;

pub use problems::{Place, Problem, Problems, place_of};
pub use provider::{Admission, Links, Origin, Provider};
#[cfg(feature = "schema")]
pub use schema::schema;

use provider::ProviderIndex;
use serde::Deserialize;

use crate::claims::{ClaimRules, Membership, TokenKind};
use crate::guests::GuestRules;
use crate::migration::MigrationRules;
use crate::provisioning::{self, GroupGrant};
use crate::revocation::RevocationRules;
use crate::roles::RoleRules;
use crate::routes::{self, RouteRule, RouteTable};
use crate::sign_up::SignUpRules;
use crate::tenants::TenantRules;

/// The version of the rule file that this build reads.
const VERSION: u32 = 1;

/// The rules of all functions. Only a file without a contradiction becomes one.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may sign up.
    pub sign_up: SignUpRules,
    /// The external identity providers whose users may enter.
    pub providers: Vec<Provider>,
    /// Where a user's tenant and roles come from.
    pub tenants: TenantRules,
    /// How users of an old system are moved in; `None` when nobody is.
    pub migration: Option<MigrationRules>,
    /// What guests may keep; `None` when there are none.
    pub guests: Option<GuestRules>,
    /// The Cognito groups given on confirmation.
    pub groups: Vec<GroupGrant>,
    /// What tokens carry.
    pub claims: ClaimRules,
    /// Which IAM role a user gets.
    pub roles: RoleRules,
    /// Whether ended sessions and changed rights show before a token expires.
    pub revocation: RevocationRules,
    /// What each route of the API takes.
    pub routes: RouteTable,
}

/// The rule file as it is written.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Rules of Poolhouse"))]
#[serde(deny_unknown_fields)]
struct RuleFile {
    /// The version of this format: 1.
    version: u32,
    /// Who may sign up.
    sign_up: SignUpRules,
    /// The external identity providers whose users may enter; nobody else's may.
    #[serde(default)]
    providers: Vec<Provider>,
    /// Where a user's tenant and roles come from.
    tenants: TenantRules,
    /// How users of an old system are moved in. Without it nobody is.
    migration: Option<MigrationRules>,
    /// What guests may keep, and what becomes of it when one is promoted.
    guests: Option<GuestRules>,
    /// The Cognito groups given on confirmation.
    #[serde(default)]
    groups: Vec<GroupGrant>,
    /// What tokens carry.
    claims: ClaimRules,
    /// Which IAM role a user gets, as the identity pool chooses it.
    #[serde(default)]
    roles: RoleRules,
    /// Whether ended sessions and changed rights show before a token expires.
    /// Without it they do not.
    #[serde(default)]
    revocation: RevocationRules,
    /// What each route of the API takes. A call without a route is refused.
    #[serde(default)]
    routes: Vec<RouteRule>,
}

impl Rules {
    /// Reads a rule file and checks it whole; every problem is named at once.
    pub fn read(text: &str) -> Result<Self, Problems> {
        let file: RuleFile = toml::from_str(text).map_err(|error| Problems::unreadable(text, error))?;
        let mut problems = Problems::default();
        file.check(&mut problems);
        if !problems.is_empty() {
            return Err(problems.locate(text));
        }
        Ok(Self {
            sign_up: file.sign_up,
            providers: file.providers,
            tenants: file.tenants,
            migration: file.migration,
            guests: file.guests,
            groups: file.groups,
            claims: file.claims,
            roles: file.roles,
            revocation: file.revocation,
            routes: RouteTable::compile(file.routes),
        })
    }
}

impl RuleFile {
    fn check(&self, problems: &mut Problems) {
        if self.version != VERSION {
            problems.add("version", format!("this build reads version {VERSION} of the rule file"));
        }
        self.sign_up.check(problems);
        let providers = ProviderIndex::check(&self.providers, &self.sign_up.forbidden_attributes, problems);
        self.tenants.check(&providers, problems);
        provisioning::check(&self.groups, self.tenants.source, &providers, problems);
        if let Some(migration) = &self.migration {
            migration.check(self.tenants.source, &self.providers, problems);
        }
        if let Some(guests) = &self.guests {
            guests.check(problems);
        }
        self.claims.check(problems);
        self.roles.check(problems);
        self.revocation.check(problems);
        routes::check(&self.routes, problems);
        self.check_routes_have_claims(problems);
    }

    /// An authorizer reads tenant and roles from the claims that
    /// pre-token-generation wrote, so a route that asks for one that no claim
    /// carries would take nobody.
    fn check_routes_have_claims(&self, problems: &mut Problems) {
        for (kind, token) in [(TokenKind::Id, "id"), (TokenKind::Access, "access")] {
            let tenant_missing = self.claims.claim_name(Membership::Tenant, kind).is_none();
            let roles_missing = self.claims.claim_name(Membership::Roles, kind).is_none();
            for (index, route) in self.routes.iter().enumerate().filter(|(_, route)| route.token == kind) {
                let mut add = |key: &str, message: String| problems.add(format!("routes[{index}].{key}"), message);
                if route.tenant && tenant_missing {
                    add("tenant", format!("nobody could pass: {} {token} token", lacking("tenant")));
                }
                if !route.roles.is_empty() && roles_missing {
                    add("roles", format!("nobody could pass: {} {token} token", lacking("roles")));
                }
            }
        }
    }
}

fn lacking(membership: &str) -> String {
    format!("no [[claims.map]] with from = {{ membership = \"{membership}\" }} goes into the")
}

#[cfg(test)]
mod tests;
