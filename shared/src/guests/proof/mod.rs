//! Whether somebody speaks for a guest.
//!
//! A guest's credentials prove him, and there are two ways to show that one has
//! them: an OpenID token of the identity pool ([`prove`]), or a record in the
//! guest's own partition, where IAM lets nobody else write ([`check_grant`],
//! [`check_claim`]). The second works with every pool; the first needs one that
//! allows the basic flow.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html>
//!
//! Whichever it was, a [`VerifiedGuest`] comes of it.

mod open_id;
mod refusal;
mod written;

pub use open_id::{ISSUER, KEY_SET_URL, ProofRules, UnverifiedProof, prove};
pub use refusal::ProofRefusal;
pub use written::{Written, check_claim, check_grant};

use super::{IdentityId, IdentityPoolId};

/// A guest that somebody has proved to be. Only the checks here make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedGuest(IdentityId);

impl VerifiedGuest {
    /// Who it is.
    pub fn identity(&self) -> &IdentityId {
        &self.0
    }
}

/// A guest that somebody says he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedIdentity(IdentityId);

impl UnverifiedIdentity {
    /// Reads an id that a caller sent. One that cannot be of this pool is refused
    /// before anything is looked up.
    pub fn parse(pool: &IdentityPoolId, text: &str) -> Result<Self, ProofRefusal> {
        let identity = IdentityId::parse(text).ok_or(ProofRefusal::IdentityRefused)?;
        if pool.could_hold(&identity) { Ok(Self(identity)) } else { Err(ProofRefusal::IdentityRefused) }
    }

    /// The id, to look up what is kept under it. Nobody may be told what was
    /// found unless he has been proved in some other way, as the user that the
    /// guest became.
    pub fn to_look_up(&self) -> &IdentityId {
        &self.0
    }
}

#[cfg(test)]
mod tests;
