//! Why a newcomer's account is not linked, and may not be one of its own.

/// Why a newcomer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The user comes from a provider that the rules do not name.
    ProviderUnknown,
    /// The provider does not say that the address is verified. A claim that is
    /// not mapped looks the same.
    EmailUnverified,
    /// The address is too long to be looked up.
    EmailTooLong,
    /// The exact subject is not known: nothing is mapped to the attribute, or
    /// there is no such attribute and the user name's letters have lost their case.
    SubjectUnknown,
    /// The mapped subject is not that of the user name.
    SubjectInconsistent,
    /// Several users have the address.
    Ambiguous,
    /// The list and the user himself contradict each other; the list lags
    /// behind, so a later attempt may go through.
    LookupsDisagree,
    /// The user is disabled.
    TargetDisabled,
    /// The pool does not call the user's address verified, so it may be
    /// somebody else's who waits for its owner.
    TargetUnverified,
    /// The user is not confirmed, or must change his password first.
    TargetUnconfirmed,
    /// The user has as many external accounts as he may.
    TargetFull,
    /// The user's external accounts cannot be read.
    TargetUnreadable,
    /// The pool refuses the link: the external account has a user of its own or
    /// is linked to another one.
    PoolRefused,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::ProviderUnknown => "LinkProviderUnknown",
            Self::EmailUnverified => "LinkEmailUnverified",
            Self::EmailTooLong => "LinkEmailTooLong",
            Self::SubjectUnknown => "LinkSubjectUnknown",
            Self::SubjectInconsistent => "LinkSubjectInconsistent",
            Self::Ambiguous => "LinkAmbiguous",
            Self::LookupsDisagree => "LinkLookupsDisagree",
            Self::TargetDisabled => "LinkTargetDisabled",
            Self::TargetUnverified => "LinkTargetUnverified",
            Self::TargetUnconfirmed => "LinkTargetUnconfirmed",
            Self::TargetFull => "LinkTargetFull",
            Self::TargetUnreadable => "LinkTargetUnreadable",
            Self::PoolRefused => "LinkRefused",
        }
    }

    /// Whether a later attempt may go through with nothing changed by hand.
    pub fn may_pass_later(self) -> bool {
        self == Self::LookupsDisagree
    }
}
