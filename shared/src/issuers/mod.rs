//! Issuers of tokens other than user pools, as the rule file names them.
//!
//! An issuer's rule says everything by which its tokens are judged, and what it
//! may say of a caller: which tenants, roles and scopes. What it claims beyond
//! that opens nothing. No route takes its tokens before it names the issuer.

mod check;

pub(crate) use check::check;

use serde::Deserialize;

use crate::claims::TokenKind;
use crate::names::{IssuerName, RoleName, TenantId};

/// An issuer of OpenID Connect whose tokens the authorizer takes. They are signed
/// with RS256; other algorithms are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuerRule {
    /// The name by which routes take its tokens. It begins every subject that
    /// comes from there, so it never changes.
    pub name: IssuerName,
    /// The issuer, byte for byte as it stands in `iss`.
    pub issuer: String,
    /// Where its key set is. Without it the issuer's own description, at
    /// `/.well-known/openid-configuration`, says so.
    pub key_set: Option<String>,
    /// The audiences that mean this API. A token that names another is refused.
    pub audiences: Vec<String>,
    /// The `typ` that a header may have, in any case of letters; "" for none at
    /// all.
    #[serde(default = "types")]
    pub types: Vec<String>,
    /// What its tokens count as: "access" or "id".
    #[serde(default = "access")]
    pub token: TokenKind,
    /// The claim that names the client, such as "azp" or "client_id".
    pub client_claim: Option<String>,
    /// The clients whose tokens are taken.
    #[serde(default)]
    pub clients: Vec<String>,
    /// The tenant of everybody who comes from there.
    pub tenant: Option<TenantId>,
    /// Or the claim that names the tenant.
    pub tenant_claim: Option<String>,
    /// The tenants that it may name: whole names, or beginnings such as "corp-*".
    #[serde(default)]
    pub tenants: Vec<String>,
    /// The claim with the roles: a list, or one text with single spaces.
    pub roles_claim: Option<String>,
    /// The roles that it may give. Others in the claim count for nothing.
    #[serde(default)]
    pub roles: Vec<RoleName>,
    /// The scopes that it may give. Others in `scope` count for nothing.
    #[serde(default)]
    pub scopes: Vec<String>,
}

fn types() -> Vec<String> {
    vec!["JWT".to_owned(), "at+jwt".to_owned()]
}

fn access() -> TokenKind {
    TokenKind::Access
}

impl IssuerRule {
    /// Whether a header may say this `typ`.
    pub(crate) fn takes_type(&self, typ: &str) -> bool {
        self.types.iter().any(|taken| taken.eq_ignore_ascii_case(typ))
    }

    /// Whether the issuer may say that somebody acts in this tenant.
    pub(crate) fn may_name(&self, tenant: &TenantId) -> bool {
        self.tenants.iter().any(|entry| match entry.strip_suffix('*') {
            Some(beginning) => tenant.as_str().len() > beginning.len() && tenant.as_str().starts_with(beginning),
            None => entry == tenant.as_str(),
        })
    }
}

#[cfg(test)]
mod tests;
