//! Who calls.

use std::collections::BTreeSet;

use crate::claims::TokenKind;
use crate::names::{IssuerName, RoleName, TenantId};

/// Who calls, as far as the routes ask.
///
/// In a function it comes out of [`crate::token::Verified`] and from nowhere
/// else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's `sub`, or the client's id for a machine. Of another issuer than
    /// a user pool it begins with the issuer's name, so that no two are alike.
    pub subject: String,
    /// The issuer that the rules name; `None` for a user pool.
    pub issuer: Option<IssuerName>,
    /// The kind of token that was shown.
    pub kind: TokenKind,
    /// Whether a client calls for itself, without a user.
    pub machine: bool,
    /// The tenant that the token was issued for.
    pub tenant: Option<TenantId>,
    /// The roles in that tenant.
    pub roles: BTreeSet<RoleName>,
    /// The user's Cognito groups.
    pub groups: BTreeSet<String>,
    /// The scopes of an access token.
    pub scopes: BTreeSet<String>,
}

impl Caller {
    /// Whether the routes make no difference between the two.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { subject: _, issuer, kind, machine, tenant, roles, groups, scopes } = self;
        *issuer == other.issuer
            && *kind == other.kind
            && *machine == other.machine
            && *tenant == other.tenant
            && *roles == other.roles
            && *groups == other.groups
            && *scopes == other.scopes
    }
}
