//! What a rule asks of a caller, whatever it is a rule about.

use serde::Deserialize;

use super::{Caller, Refusal};
use crate::claims::TokenKind;
use crate::names::{IssuerName, RoleName};

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

/// Declares a rule of the rule file: its own members, and the conditions, which
/// are the same for all of them. Every condition that is not empty must hold.
macro_rules! rule_with_conditions {
    ($(#[$about:meta])* $name:ident { $($(#[$of_member:meta])* $member:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of_member])* pub $member: $kind,)*
            /// The kind of token: "access" or "id".
            #[serde(default = "crate::routes::default_token")]
            pub token: crate::claims::TokenKind,
            /// The issuers whose tokens are taken: "pool" for the user pools, or a
            /// name of `[[issuers]]`. None means the user pools alone.
            #[serde(default)]
            pub issuers: Vec<crate::names::IssuerName>,
            /// Cognito groups, one of which the caller must be in. None means that
            /// groups do not matter.
            #[serde(default)]
            pub groups: Vec<String>,
            /// Roles, one of which the caller must have in his tenant. None means that
            /// roles do not matter.
            #[serde(default)]
            pub roles: Vec<crate::names::RoleName>,
            /// Scopes, all of which the access token must have.
            #[serde(default)]
            pub scopes: Vec<String>,
            /// Whether the caller must have a tenant.
            #[serde(default = "crate::routes::default_tenant")]
            pub tenant: bool,
            /// Whether clients that call for themselves are let in.
            #[serde(default)]
            pub machines: crate::routes::Machines,
        }

        impl $name {
            /// What it asks of a caller.
            pub(crate) fn conditions(&self) -> crate::routes::Conditions<'_> {
                crate::routes::Conditions {
                    token: self.token,
                    issuers: &self.issuers,
                    groups: &self.groups,
                    roles: &self.roles,
                    scopes: &self.scopes,
                    tenant: self.tenant,
                    machines: self.machines,
                }
            }
        }
    };
}
pub(crate) use rule_with_conditions;

pub(crate) fn default_token() -> TokenKind {
    TokenKind::Access
}

pub(crate) fn default_tenant() -> bool {
    true
}

/// The conditions of one rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions<'a> {
    pub(crate) token: TokenKind,
    pub(crate) issuers: &'a [IssuerName],
    pub(crate) groups: &'a [String],
    pub(crate) roles: &'a [RoleName],
    pub(crate) scopes: &'a [String],
    pub(crate) tenant: bool,
    pub(crate) machines: Machines,
}

impl Conditions<'_> {
    /// Whether the caller has what is asked for.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        if !self.takes_issuer(caller.issuer.as_ref()) {
            return Err(Refusal::IssuerNotTaken);
        }
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

    /// A new issuer opens nothing until a rule names it.
    fn takes_issuer(&self, issuer: Option<&IssuerName>) -> bool {
        match issuer {
            None => self.takes_pools(),
            Some(name) => self.issuers.contains(name),
        }
    }

    /// Whether tokens of the user pools are taken.
    pub(crate) fn takes_pools(&self) -> bool {
        self.issuers.is_empty() || self.issuers.iter().any(|name| name.as_str() == IssuerName::POOL)
    }

    /// Conditions that nobody could meet, or that do not fit together.
    pub(crate) fn contradictions(&self, add: &mut impl FnMut(&str, String)) {
        if self.token == TokenKind::Id && !self.scopes.is_empty() {
            add("scopes", "cannot be asked for: an ID token has no scopes".to_owned());
        }
        if let Some(scope) = self.scopes.iter().find(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            add("scopes", format!("holds \"{scope}\", which is not a scope"));
        }
        if self.groups.iter().any(String::is_empty) {
            add("groups", "holds an empty name".to_owned());
        }
        if !self.groups.is_empty() && !self.takes_pools() {
            add("groups", "cannot be asked for: only user pools say who is in a group".to_owned());
        }
        if self.machines == Machines::No {
            return;
        }
        if !self.takes_pools() {
            add("machines", "must be \"no\": only the machines of user pools are told from users".to_owned());
        }
        if self.token == TokenKind::Id {
            add("machines", "must be \"no\": a machine never has an ID token".to_owned());
        }
        if self.tenant {
            add("machines", "must be \"no\" unless tenant = false: a machine has no tenant".to_owned());
        }
        if !self.groups.is_empty() || !self.roles.is_empty() {
            add("machines", "must be \"no\" where groups or roles are asked for: a machine has neither".to_owned());
        }
    }
}
