//! Whether a sign-up may go on.
//!
//! Accepting is all it can do: there is no word here for confirming a user or
//! for calling an address verified. Verifying a self-asserted address would move
//! an existing user's alias to the newcomer.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use serde::Deserialize;

use crate::address::{DomainPattern, EmailAddress};
use crate::attributes::Attributes;
use crate::rules::{Problems, Rules};

/// Who may sign up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUpRules {
    /// Who may sign up at all.
    pub mode: Mode,
    /// The domains whose addresses may sign up; empty means every domain.
    #[serde(default)]
    pub allowed_domains: Vec<DomainPattern>,
    /// The domains whose addresses may not, also when `allowed_domains` has them.
    #[serde(default)]
    pub blocked_domains: Vec<DomainPattern>,
    /// The attributes that a sign-up must bring.
    #[serde(default)]
    pub required_attributes: Vec<String>,
    /// The attributes that a client may never set.
    #[serde(default)]
    pub forbidden_attributes: Vec<String>,
}

/// Who may sign up at all. Administrators may always create users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everyone.
    Open,
    /// Those who hold an invitation.
    Invited,
    /// Nobody.
    Closed,
}

/// How a user comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// By signing up.
    SelfService,
    /// By an administrator's hand.
    Administrator,
    /// By the first sign-in at an external provider.
    Federated,
    /// In a way that these rules do not know.
    Unknown,
}

impl Source {
    /// Reads a trigger source.
    pub fn parse(text: &str) -> Self {
        match text {
            "PreSignUp_SignUp" => Self::SelfService,
            "PreSignUp_AdminCreateUser" => Self::Administrator,
            "PreSignUp_ExternalProvider" => Self::Federated,
            _ => Self::Unknown,
        }
    }
}

/// A sign-up, as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How the user comes in.
    pub source: Source,
    /// What the user, or the provider, says of the user.
    pub attributes: &'a Attributes,
    /// The name that the pool would give the user.
    pub user_name: Option<&'a str>,
}

/// What must be known before the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsNeeded {
    /// Nothing: decide with [`Facts::default`].
    Nothing,
    /// Whether this address holds an invitation that has not expired.
    Invitation(EmailAddress),
}

/// What is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the address holds an invitation that has not expired.
    pub invited: bool,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The sign-up goes on as Cognito would have it.
    Accept,
    /// The sign-up ends here.
    Refuse(Refusal),
}

/// Why a sign-up is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The trigger source is not known; letting it pass would skip the checks.
    UnknownSource,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "UnknownSource",
        }
    }
}

impl SignUpRules {
    pub(crate) fn check(&self, _problems: &mut Problems) {}
}

/// What must be fetched for [`decide`].
pub fn facts_needed(_rules: &Rules, _request: Request<'_>) -> FactsNeeded {
    FactsNeeded::Nothing
}

/// Decides whether a sign-up may go on.
pub fn decide(_rules: &Rules, _request: Request<'_>, _facts: Facts) -> Decision {
    Decision::Refuse(Refusal::UnknownSource)
}
