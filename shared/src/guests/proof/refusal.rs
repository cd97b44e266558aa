//! Why a proof is not taken.

use crate::token;

/// Why a proof is not taken.
///
/// The codes are for logs and alarms. All but [`Self::Registered`] look alike to
/// a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRefusal {
    /// The token is not a genuine one of identity pools, or not good now.
    Token(token::Refusal),
    /// The token is for another identity pool.
    OtherPool,
    /// Not an id that an identity of this pool can have: malformed, of another
    /// region, or the pool's own.
    IdentityRefused,
    /// The token's `amr` is not that of a guest, and not that of a user either.
    MethodsRefused,
    /// The token is good, but older than the rules allow.
    TooOld,
    /// The identity has a login: it is no guest any more.
    Registered,
    /// The guest has written no such record, or it has ended.
    NotWritten,
    /// The guest's record names another user.
    NamesAnotherUser,
    /// The guest's record names another secret.
    NamesAnotherSecret,
}

impl ProofRefusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::Token(refusal) => refusal.code(),
            Self::OtherPool => "ProofOfOtherPool",
            Self::IdentityRefused => "IdentityRefused",
            Self::MethodsRefused => "ProofMethodsRefused",
            Self::TooOld => "ProofTooOld",
            Self::Registered => "GuestRegistered",
            Self::NotWritten => "ProofNotWritten",
            Self::NamesAnotherUser => "GrantOfAnotherUser",
            Self::NamesAnotherSecret => "ClaimOfAnotherSecret",
        }
    }
}

impl From<token::Refusal> for ProofRefusal {
    fn from(refusal: token::Refusal) -> Self {
        Self::Token(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_code() {
        let table = [
            (ProofRefusal::Token(token::Refusal::Expired), token::Refusal::Expired.code()),
            (ProofRefusal::OtherPool, "ProofOfOtherPool"),
            (ProofRefusal::IdentityRefused, "IdentityRefused"),
            (ProofRefusal::MethodsRefused, "ProofMethodsRefused"),
            (ProofRefusal::TooOld, "ProofTooOld"),
            (ProofRefusal::Registered, "GuestRegistered"),
            (ProofRefusal::NotWritten, "ProofNotWritten"),
            (ProofRefusal::NamesAnotherUser, "GrantOfAnotherUser"),
            (ProofRefusal::NamesAnotherSecret, "ClaimOfAnotherSecret"),
        ];
        for (refusal, code) in table {
            assert_eq!(refusal.code(), code);
        }
    }
}
