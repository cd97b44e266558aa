//! The issuers whose tokens are believed, each with its own clients and claims.

use super::{Refusal, RightsClaims};
use crate::issuers::IssuerRule;

/// An issuer that is trusted. Everything by which its tokens are judged is its
/// own: a client, an audience or a claim of one issuer means nothing to another.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its address, byte for byte as it stands in `iss`.
    pub address: String,
    /// What its tokens are held to.
    pub kind: IssuerKind,
}

/// What the tokens of an issuer are held to.
#[derive(Clone, Debug)]
pub enum IssuerKind {
    /// A user pool, whose claims our own functions wrote.
    UserPool(UserPool),
    /// Any other issuer, by what the rule file says of it.
    External(Box<IssuerRule>),
}

/// A user pool, as far as its tokens are concerned.
#[derive(Clone, Debug)]
pub struct UserPool {
    /// The app clients whose tokens are taken.
    pub client_ids: Vec<String>,
    /// Where an ID token carries rights.
    pub id: RightsClaims,
    /// Where an access token carries rights.
    pub access: RightsClaims,
}

impl Issuer {
    /// Checks the `typ` of a header. User pools write none.
    pub(super) fn check_type(&self, typ: Option<&str>) -> Result<(), Refusal> {
        let taken = match (&self.kind, typ) {
            (IssuerKind::UserPool(_), typ) => typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")),
            (IssuerKind::External(rule), typ) => rule.takes_type(typ.unwrap_or_default()),
        };
        if taken { Ok(()) } else { Err(Refusal::HeaderRefused) }
    }
}
