//! What one route takes, as it is written in the rule file.

use serde::Deserialize;

use super::{Caller, Method, Refusal};
use crate::claims::TokenKind;
use crate::names::RoleName;

/// What one route takes. Every condition that is not empty must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// The method, in capitals. There is no entry for all methods at once.
    pub method: Method,
    /// The path, with `{name}` for a segment that varies. `{tenant}` takes only
    /// callers whose tenant it equals.
    pub path: String,
    /// The kind of token: "access" or "id".
    #[serde(default = "access")]
    pub token: TokenKind,
    /// Cognito groups, one of which the caller must be in. None means that
    /// groups do not matter.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Roles, one of which the caller must have in his tenant. None means that
    /// roles do not matter.
    #[serde(default)]
    pub roles: Vec<RoleName>,
    /// Scopes, all of which the access token must have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether the caller must have a tenant.
    #[serde(default = "yes")]
    pub tenant: bool,
    /// Whether clients that call for themselves are let in.
    #[serde(default)]
    pub machines: Machines,
}

/// Whether clients that call for themselves (client credentials) are let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Machines {
    /// Only users.
    #[default]
    No,
    /// Users and machines.
    Yes,
    /// Only machines.
    Only,
}

fn access() -> TokenKind {
    TokenKind::Access
}

fn yes() -> bool {
    true
}

impl RouteRule {
    /// Whether the caller has what the route asks for, whatever the path holds.
    pub(super) fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        if caller.kind != self.token {
            return Err(Refusal::TokenKindRefused);
        }
        let kind_of_caller = match self.machines {
            Machines::No => !caller.machine,
            Machines::Yes => true,
            Machines::Only => caller.machine,
        };
        if !kind_of_caller {
            return Err(Refusal::MachineRefused);
        }
        if self.tenant && caller.tenant.is_none() {
            return Err(Refusal::TenantMissing);
        }
        if !self.groups.is_empty() && !self.groups.iter().any(|group| caller.groups.contains(group)) {
            return Err(Refusal::GroupMissing);
        }
        if !self.roles.is_empty() && !self.roles.iter().any(|role| caller.roles.contains(role)) {
            return Err(Refusal::RoleMissing);
        }
        if !self.scopes.iter().all(|scope| caller.scopes.contains(scope)) {
            return Err(Refusal::ScopeMissing);
        }
        Ok(())
    }
}
