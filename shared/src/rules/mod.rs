//! The rule file: what the operator configures, for all functions at once.
//!
//! Every section is a type of the module whose question it configures. This
//! module puts them together and refuses a file that contradicts itself.

mod problems;
mod provider;

pub use problems::{Problem, Problems};
pub use provider::{Admission, Origin, Provider};

use serde::Deserialize;

use crate::claims::ClaimRules;
use crate::provisioning::GroupGrant;
use crate::roles::RoleRules;
use crate::routes::{RouteRule, RouteTable};
use crate::sign_up::SignUpRules;
use crate::tenants::TenantRules;

/// The rules of all functions. Only a file without a contradiction becomes one.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may sign up.
    pub sign_up: SignUpRules,
    /// The external identity providers whose users may enter.
    pub providers: Vec<Provider>,
    /// Where a user's tenant and roles come from.
    pub tenants: TenantRules,
    /// The Cognito groups given on confirmation.
    pub groups: Vec<GroupGrant>,
    /// What tokens carry.
    pub claims: ClaimRules,
    /// Which IAM role a user gets.
    pub roles: RoleRules,
    /// What each route of the API takes.
    pub routes: RouteTable,
}

/// The rule file as it is written.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RuleFile {
    version: u32,
    sign_up: SignUpRules,
    #[serde(default)]
    providers: Vec<Provider>,
    tenants: TenantRules,
    #[serde(default)]
    groups: Vec<GroupGrant>,
    claims: ClaimRules,
    #[serde(default)]
    roles: RoleRules,
    #[serde(default)]
    routes: Vec<RouteRule>,
}

impl Rules {
    /// Reads a rule file and checks it whole; every problem is named at once.
    pub fn read(text: &str) -> Result<Self, Problems> {
        let file: RuleFile = toml::from_str(text).map_err(|error| Problems::unreadable(text, &error))?;
        let mut problems = Problems::default();
        file.check(&mut problems);
        if !problems.is_empty() {
            return Err(problems.locate(text));
        }
        Ok(Self {
            sign_up: file.sign_up,
            providers: file.providers,
            tenants: file.tenants,
            groups: file.groups,
            claims: file.claims,
            roles: file.roles,
            routes: RouteTable::compile(file.routes),
        })
    }
}

impl RuleFile {
    fn check(&self, problems: &mut Problems) {
        self.sign_up.check(problems);
        self.tenants.check(problems);
        self.claims.check(problems);
        self.roles.check(problems);
        crate::routes::check(&self.routes, problems);
    }
}
