//! Why a token is not believed.

/// Why a token is not believed.
///
/// The codes are for logs and alarms. A caller is told one of them never: which
/// check failed is exactly what somebody who forges tokens wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Longer than any token that a pool issues.
    TooLarge,
    /// Not three canonical base64url segments, or not the JSON they must hold.
    Malformed,
    /// The header asks for something that is never done: a key of its own, an
    /// extension, a nested or compressed token, another type.
    HeaderRefused,
    /// Signed in another way than the issuer's kind does: for a user pool anything
    /// but RS256.
    AlgorithmRefused,
    /// No `kid`.
    KeyIdMissing,
    /// Not issued by a pool that is trusted here.
    IssuerRefused,
    /// The issuer has no key of this name.
    KeyUnknown,
    /// The signature is not the issuer's.
    SignatureBad,
    /// `exp` or `iat` is missing, a time is not a whole number, or the token
    /// lives longer than a pool lets it.
    TimesRefused,
    /// `exp` has come.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `token_use` is neither `access` nor `id`.
    TokenUseRefused,
    /// Issued to a client that is not trusted here.
    ClientRefused,
    /// An access token for another resource.
    AudienceRefused,
    /// `sub` is missing or cannot be a user's name in a table.
    SubjectRefused,
    /// The tenant's claim is there, but does not hold a tenant's name.
    TenantRefused,
    /// Roles, groups or scopes are not of the form they are issued in.
    RightsRefused,
    /// Sessions can be ended here, and the token does not say which one is its
    /// own or when it began.
    SessionMissing,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "TokenTooLarge",
            Self::Malformed => "TokenMalformed",
            Self::HeaderRefused => "HeaderRefused",
            Self::AlgorithmRefused => "AlgorithmRefused",
            Self::KeyIdMissing => "KeyIdMissing",
            Self::IssuerRefused => "IssuerRefused",
            Self::KeyUnknown => "KeyUnknown",
            Self::SignatureBad => "SignatureBad",
            Self::TimesRefused => "TimesRefused",
            Self::Expired => "TokenExpired",
            Self::NotYetValid => "TokenNotYetValid",
            Self::TokenUseRefused => "TokenUseRefused",
            Self::ClientRefused => "ClientRefused",
            Self::AudienceRefused => "AudienceRefused",
            Self::SubjectRefused => "SubjectRefused",
            Self::TenantRefused => "TenantRefused",
            Self::RightsRefused => "RightsRefused",
            Self::SessionMissing => "SessionMissing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn each_reason_keeps_its_name() {
        let table = [
            (Refusal::TooLarge, "TokenTooLarge"),
            (Refusal::Malformed, "TokenMalformed"),
            (Refusal::HeaderRefused, "HeaderRefused"),
            (Refusal::AlgorithmRefused, "AlgorithmRefused"),
            (Refusal::KeyIdMissing, "KeyIdMissing"),
            (Refusal::IssuerRefused, "IssuerRefused"),
            (Refusal::KeyUnknown, "KeyUnknown"),
            (Refusal::SignatureBad, "SignatureBad"),
            (Refusal::TimesRefused, "TimesRefused"),
            (Refusal::Expired, "TokenExpired"),
            (Refusal::NotYetValid, "TokenNotYetValid"),
            (Refusal::TokenUseRefused, "TokenUseRefused"),
            (Refusal::ClientRefused, "ClientRefused"),
            (Refusal::AudienceRefused, "AudienceRefused"),
            (Refusal::SubjectRefused, "SubjectRefused"),
            (Refusal::TenantRefused, "TenantRefused"),
            (Refusal::RightsRefused, "RightsRefused"),
            (Refusal::SessionMissing, "SessionMissing"),
        ];
        for (refusal, code) in table {
            assert_eq!(refusal.code(), code);
        }
    }
}
