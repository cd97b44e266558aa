//! Why a sign-up is refused.

/// Why a sign-up is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The trigger source is not known; letting it pass would skip the checks.
    UnknownSource,
    /// Nobody may sign up.
    SignUpClosed,
    /// The client set an attribute that only a server may write.
    AttributeForbidden,
    /// A required attribute is missing.
    AttributeMissing,
    /// The chosen user name could be taken for that of a federated user.
    UserNameReserved,
    /// There is no e-mail address, and the rules cannot be applied without one.
    EmailMissing,
    /// The e-mail address can be read in more than one way, or in none.
    EmailMalformed,
    /// The telephone number is not written as E.164 has it.
    PhoneMalformed,
    /// The rules need an address that the provider has verified, and this
    /// provider has not, or is not trusted to.
    EmailUnverified,
    /// The address's domain is blocked.
    DomainBlocked,
    /// The address's domain is not among the allowed ones.
    DomainNotAllowed,
    /// Only invited people may sign up, and this address is not.
    NotInvited,
    /// The user comes from a provider that the rules do not name.
    UnknownProvider,
    /// The user name and the identities contradict each other.
    IdentitiesInconsistent,
    /// Nothing shows that a person signs up.
    ChallengeMissing,
    /// The challenge was not solved, or too long ago.
    ChallengeFailed,
    /// The solution has been sent before.
    ChallengeUsed,
    /// The challenge was solved on somebody else's page.
    ChallengeElsewhere,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "UnknownSource",
            Self::SignUpClosed => "SignUpClosed",
            Self::AttributeForbidden => "AttributeForbidden",
            Self::AttributeMissing => "AttributeMissing",
            Self::UserNameReserved => "UserNameReserved",
            Self::EmailMissing => "EmailMissing",
            Self::EmailMalformed => "EmailMalformed",
            Self::PhoneMalformed => "PhoneMalformed",
            Self::EmailUnverified => "EmailUnverified",
            Self::DomainBlocked => "DomainBlocked",
            Self::DomainNotAllowed => "DomainNotAllowed",
            Self::NotInvited => "NotInvited",
            Self::UnknownProvider => "UnknownProvider",
            Self::IdentitiesInconsistent => "IdentitiesInconsistent",
            Self::ChallengeMissing => "ChallengeMissing",
            Self::ChallengeFailed => "ChallengeFailed",
            Self::ChallengeUsed => "ChallengeUsed",
            Self::ChallengeElsewhere => "ChallengeElsewhere",
        }
    }
}
