//! Whether a token is genuine, and what it proves.
//!
//! A token comes as text ([`Unverified`]) and becomes a [`Verified`] only
//! through [`verify`], which checks everything: the key belongs to the token's
//! own issuer, the signature is that key's, the times, the use, the client. No
//! check can be left out, because no check is an option.
//!
//! That is for tokens of user pools. Those of identity pools are read with the
//! same means (`Compact`, [`KeySet`]) under another [`Profile`]; what they prove
//! is decided where guests are.
//!
//! Sign-out and revocation cannot be seen here: a token is good until it
//! expires. <https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>

mod claims;
mod json;
mod key;
mod key_set;
mod profile;
mod refusal;
mod roca;
pub(crate) mod times;
mod unverified;

pub use key_set::{KeySet, KeySetProblem, MAX_KEY_SET_BYTES};
pub use profile::Profile;
pub use refusal::Refusal;
pub(crate) use unverified::Compact;
pub use unverified::{MAX_TOKEN_BYTES, Unverified};

use crate::claims::{ClaimRules, Membership, TokenKind};
use crate::routes::Caller;

/// Which tokens are believed.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// The issuers, byte for byte as they stand in `iss`.
    pub issuers: Vec<String>,
    /// The app clients whose tokens are taken.
    pub client_ids: Vec<String>,
    /// How many seconds past its end a token is still taken, for clocks that
    /// differ.
    pub leeway_seconds: u64,
    /// Where an ID token carries rights.
    pub id: RightsClaims,
    /// Where an access token carries rights.
    pub access: RightsClaims,
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
    pub fn issuer(&self, token: &Unverified<'_>) -> Result<&str, Refusal> {
        let named = token.token().claims().get("iss").and_then(|iss| iss.as_str()).ok_or(Refusal::IssuerRefused)?;
        self.issuers.iter().find(|issuer| *issuer == named).map(String::as_str).ok_or(Refusal::IssuerRefused)
    }
}

/// What a genuine token proves. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    caller: Caller,
    client_id: String,
    expires_at: u64,
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
}

/// Decides whether a token is genuine at `now` (seconds since 1970).
///
/// `keys` are those of one issuer; a token of another one is refused, so keys
/// of two issuers can never stand in for each other.
pub fn verify(rules: &TokenRules, token: &Unverified<'_>, keys: &KeySet, now: u64) -> Result<Verified, Refusal> {
    if rules.issuer(token)? != keys.issuer() {
        return Err(Refusal::IssuerRefused);
    }
    token.token().check_signature(keys)?;
    claims::check(rules, token.token().claims(), now)
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
