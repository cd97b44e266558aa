//! The OpenID token of an identity pool.
//!
//! Its form is not documented in one place: `sub` is the identity, `aud` the
//! pool, `amr` says `unauthenticated` for a guest and otherwise `authenticated`
//! with the providers, and it lives for ten minutes.
//! <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdToken.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html>

use serde_json::{Map, Value};

use super::{ProofRefusal, UnverifiedIdentity, VerifiedGuest};
use crate::guests::IdentityPoolId;
use crate::token::{Compact, KeySet, Profile, Refusal, times};

/// Who issues the tokens of all identity pools.
pub const ISSUER: &str = "https://cognito-identity.amazonaws.com";

/// Where that issuer publishes its keys.
pub const KEY_SET_URL: &str = "https://cognito-identity.amazonaws.com/.well-known/jwks_uri";

/// The claim with the pool's ARN, in newer tokens.
const POOL_ARN: &str = "https://cognito-identity.amazonaws.com/identity-pool-arn";

/// Which tokens prove a guest.
#[derive(Clone, Debug)]
pub struct ProofRules {
    /// The pool whose guests are meant.
    pub pool: IdentityPoolId,
    /// The age in seconds from which a token proves nothing any more
    /// ([`crate::guests::GuestRules::most_proof_age_s`]).
    pub most_age_s: u64,
}

/// An OpenID token as it came: read, and not yet believed.
pub struct UnverifiedProof<'a>(Compact<'a>);

impl<'a> UnverifiedProof<'a> {
    /// Reads a token in compact form.
    pub fn parse(token: &'a str) -> Result<Self, ProofRefusal> {
        Ok(Self(Compact::parse(Profile::IdentityPool, token)?))
    }

    /// The name of the key that is said to have signed it.
    pub fn key_id(&self) -> &str {
        self.0.key_id()
    }

    /// Whose token it says it is, however old it is. A promotion that is asked
    /// for again is found by this, when the token has long ended.
    pub fn identity(&self, pool: &IdentityPoolId) -> Result<UnverifiedIdentity, ProofRefusal> {
        let sub = text(self.0.claims(), "sub").ok_or(ProofRefusal::IdentityRefused)?;
        UnverifiedIdentity::parse(pool, sub)
    }
}

/// Decides whether a token proves a guest of this pool at `now` (seconds since
/// 1970). `keys` are those of [`ISSUER`], read as [`Profile::IdentityPool`].
pub fn prove(
    rules: &ProofRules,
    proof: &UnverifiedProof<'_>,
    keys: &KeySet,
    now: u64,
) -> Result<VerifiedGuest, ProofRefusal> {
    let claims = proof.0.claims();
    if text(claims, "iss") != Some(ISSUER) || keys.issuer() != ISSUER {
        return Err(Refusal::IssuerRefused.into());
    }
    proof.0.check_signature(keys)?;
    check_pool(&rules.pool, claims)?;
    let UnverifiedIdentity(identity) = proof.identity(&rules.pool)?;
    let issued_at = times::check(claims, now, 0)?.issued_at;
    if now.saturating_sub(issued_at) >= rules.most_age_s {
        return Err(ProofRefusal::TooOld);
    }
    check_methods(claims.get("amr"))?;
    Ok(VerifiedGuest(identity))
}

/// One issuer signs for the pools of everybody, so this is what keeps the
/// identities of others out.
fn check_pool(pool: &IdentityPoolId, claims: &Map<String, Value>) -> Result<(), ProofRefusal> {
    let audience = text(claims, "aud") == Some(pool.as_str());
    let named = claims.get(POOL_ARN).is_none_or(|arn| arn.as_str().is_some_and(|arn| pool.is_named_by(arn)));
    if audience && named { Ok(()) } else { Err(ProofRefusal::OtherPool) }
}

/// A guest's token says `unauthenticated` and nothing else.
fn check_methods(amr: Option<&Value>) -> Result<(), ProofRefusal> {
    let methods = amr.and_then(Value::as_array).ok_or(ProofRefusal::MethodsRefused)?;
    if methods.iter().any(|method| method == "authenticated") {
        return Err(ProofRefusal::Registered);
    }
    match methods.as_slice() {
        [only] if only == "unauthenticated" => Ok(()),
        _ => Err(ProofRefusal::MethodsRefused),
    }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}
