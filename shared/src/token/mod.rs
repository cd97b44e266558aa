//! Whether a token is genuine, and what it proves.
//!
//! A token comes as text ([`Unverified`]) and becomes a [`Verified`] only
//! through [`verify`], which checks everything: the key belongs to the token's
//! own issuer, the signature is that key's, the times, the use, the client. No
//! check can be left out, because no check is an option.
//!
//! That is for tokens of user pools, and of other issuers by the rules that name
//! them. Those of identity pools are read with the same means (`Compact`, [`KeySet`]) under another [`Profile`]; what they prove
//! is decided where guests are.
//!
//! Sign-out and revocation cannot be seen here: a token is good until it
//! expires. What it says of its session is handed on, for [`crate::revocation`]
//! to compare with what is known of it.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>

mod claims;
mod discovery;
mod external;
mod issuer;
mod json;
mod key;
mod key_set;
mod profile;
mod refusal;
mod roca;
mod session;
pub(crate) mod times;
mod unverified;

pub use discovery::{DiscoveryProblem, description_address, key_set_address};
pub use issuer::{Issuer, IssuerKind, UserPool};
pub use key_set::{KeySet, KeySetProblem, MAX_KEY_SET_BYTES};
pub use profile::Profile;
pub use refusal::Refusal;
pub use session::{Session, Sessions};
pub(crate) use unverified::Compact;
pub use unverified::{MAX_TOKEN_BYTES, Unverified};

use crate::claims::{ClaimRules, Membership, TokenKind};
use crate::routes::Caller;

/// Which tokens are believed.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// The issuers, each with what its tokens are held to.
    pub issuers: Vec<Issuer>,
    /// How many seconds past its end a token is still taken, for clocks that
    /// differ.
    pub leeway_seconds: u64,
    /// Whether a token has to say which session it belongs to.
    pub sessions: Sessions,
}

/// The claims that carry a user's rights, by the names the claim rules give
/// them. `None` means that tokens of this kind carry no such claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightsClaims {
    /// The claim with the tenant.
    pub tenant: Option<String>,
    /// The claim with the roles in that tenant.
    pub roles: Option<String>,
}

impl RightsClaims {
    /// The names that these rules give to the claims of one kind of token.
    pub fn of(rules: &ClaimRules, kind: TokenKind) -> Self {
        let name = |membership| rules.claim_name(membership, kind).map(str::to_owned);
        Self { tenant: name(Membership::Tenant), roles: name(Membership::Roles) }
    }
}

impl TokenRules {
    /// The trusted issuer that a token names; the keys to ask are its own.
    ///
    /// INVARIANT: what comes back is the configured text. Nothing that a token
    /// says ever becomes part of an address.
    pub fn issuer(&self, token: &Unverified<'_>) -> Result<&Issuer, Refusal> {
        let named = token.token().claims().get("iss").and_then(|iss| iss.as_str()).ok_or(Refusal::IssuerRefused)?;
        self.issuers.iter().find(|issuer| issuer.address == named).ok_or(Refusal::IssuerRefused)
    }
}

/// What a genuine token proves. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    caller: Caller,
    client_id: String,
    expires_at: u64,
    session: Option<Session>,
}

impl Verified {
    /// Who calls, with which rights.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The app client that the token was issued to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When the token ends, in seconds since 1970.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The session that the token belongs to; `None` where nobody asks for it.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}

/// Decides whether a token is genuine at `now` (seconds since 1970).
///
/// `keys` are those of one issuer; a token of another one is refused, so keys
/// of two issuers can never stand in for each other. The same issuer says which
/// types, clients and claims count.
pub fn verify(rules: &TokenRules, token: &Unverified<'_>, keys: &KeySet, now: u64) -> Result<Verified, Refusal> {
    let issuer = rules.issuer(token)?;
    if issuer.address != keys.issuer() {
        return Err(Refusal::IssuerRefused);
    }
    let token = token.token();
    issuer.check_type(token.typ())?;
    token.check_signature(keys)?;
    match &issuer.kind {
        IssuerKind::UserPool(pool) => claims::check(rules, pool, token.claims(), now),
        IssuerKind::External(rule) => external::check(rules, rule, token.claims(), now),
    }
}

/// Who would call with a token of such claims, had a pool signed it. It proves
/// nothing; it is for trying rules before anybody has a token.
pub fn caller_of(
    names: &RightsClaims,
    claims: &serde_json::Map<String, serde_json::Value>,
    kind: TokenKind,
    client_id: &str,
) -> Result<Caller, Refusal> {
    claims::caller(names, claims, kind, client_id)
}

#[cfg(test)]
mod tests;
