//! Records that a guest writes into his own partition to prove himself.

use super::{ProofRefusal, UnverifiedIdentity, VerifiedGuest};
use crate::guests::claim::{ClaimHash, ClaimSecret};
use crate::names::Subject;

/// A record as it stands in the guest's partition.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Its `data`; `None` when that is not a text.
    pub data: Option<&'a str>,
    /// When it ends, in seconds since 1970; `None` while nobody has said. DynamoDB
    /// deletes it some time later, so the end is looked at here.
    pub ends_at: Option<u64>,
}

impl<'a> Written<'a> {
    fn at(self, now: u64) -> Option<&'a str> {
        self.data.filter(|_| self.ends_at.is_none_or(|end| now < end))
    }
}

/// Decides whether a guest gives himself to this user. `record` is the guest's
/// grant, whose `data` is the user's `sub`; `None` when there is none.
pub fn check_grant(
    identity: &UnverifiedIdentity,
    record: Option<Written<'_>>,
    caller: &Subject,
    now: u64,
) -> Result<VerifiedGuest, ProofRefusal> {
    match record.and_then(|record| record.at(now)) {
        None => Err(ProofRefusal::NotWritten),
        Some(named) if named == caller.as_str() => Ok(VerifiedGuest(identity.0.clone())),
        Some(_) => Err(ProofRefusal::NamesAnotherUser),
    }
}

/// Decides whether it is the guest who registers this secret. `record` is the
/// guest's claim, whose `data` is the secret's hash; `None` when there is none.
pub fn check_claim(
    identity: &UnverifiedIdentity,
    record: Option<Written<'_>>,
    secret: &ClaimSecret,
    now: u64,
) -> Result<VerifiedGuest, ProofRefusal> {
    match record.and_then(|record| record.at(now)) {
        None => Err(ProofRefusal::NotWritten),
        Some(text) if ClaimHash::parse(text).is_some_and(|hash| hash.is_of(secret)) => {
            Ok(VerifiedGuest(identity.0.clone()))
        }
        Some(_) => Err(ProofRefusal::NamesAnotherSecret),
    }
}
