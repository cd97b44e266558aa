//! Whether a sign-up may go on.
//!
//! Accepting is all it can do: there is no word here for confirming a user or
//! for calling an address verified. Verifying a self-asserted address would move
//! an existing user's alias to the newcomer.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

mod rules;

pub use rules::{Mode, SignUpRules};

use crate::address::{EmailAddress, PhoneNumber};
use crate::attributes::Attributes;
use crate::rules::{Admission, Origin, Rules, provider};

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
        }
    }
}

/// What must be fetched for [`decide`]. A sign-up that is refused anyway needs
/// nothing, so strangers cannot make the directory work.
pub fn facts_needed(rules: &Rules, request: Request<'_>) -> FactsNeeded {
    match judge(rules, request) {
        Ok(Verdict::IfInvited(address)) => FactsNeeded::Invitation(address),
        Ok(Verdict::Accept) | Err(_) => FactsNeeded::Nothing,
    }
}

/// Decides whether a sign-up may go on.
///
/// Administrators are not bound by the rules of public sign-up. An unknown
/// source is refused: letting it pass would skip the checks.
pub fn decide(rules: &Rules, request: Request<'_>, facts: Facts) -> Decision {
    match judge(rules, request) {
        Ok(Verdict::Accept) => Decision::Accept,
        Ok(Verdict::IfInvited(_)) if facts.invited => Decision::Accept,
        Ok(Verdict::IfInvited(_)) => Decision::Refuse(Refusal::NotInvited),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// As far as a decision goes without facts.
enum Verdict {
    Accept,
    IfInvited(EmailAddress),
}

fn judge(rules: &Rules, request: Request<'_>) -> Result<Verdict, Refusal> {
    match request.source {
        Source::Unknown => Err(Refusal::UnknownSource),
        Source::Administrator => Ok(Verdict::Accept),
        Source::SelfService => self_service(rules, request),
        Source::Federated => federated(rules, request),
    }
}

fn self_service(rules: &Rules, request: Request<'_>) -> Result<Verdict, Refusal> {
    if request.attributes.names().any(|name| is_forbidden(&rules.sign_up, request.attributes, name)) {
        return Err(Refusal::AttributeForbidden);
    }
    if request.user_name.is_some_and(|name| provider::is_reserved(&rules.providers, name)) {
        return Err(Refusal::UserNameReserved);
    }
    // The pool has this address proved by a code before it confirms the user.
    let email = contacts(&rules.sign_up, request.attributes)?;
    admit(&rules.sign_up, email.ok_or(Refusal::EmailMissing))
}

fn federated(rules: &Rules, request: Request<'_>) -> Result<Verdict, Refusal> {
    let provider = match provider::of_newcomer(&rules.providers, request.user_name, request.attributes) {
        Origin::Provider(provider) => provider,
        Origin::Inconsistent => return Err(Refusal::IdentitiesInconsistent),
        Origin::Pool | Origin::UnknownProvider => return Err(Refusal::UnknownProvider),
    };
    let email = contacts(&rules.sign_up, request.attributes)?;
    if provider.admits == Admission::Always {
        return Ok(Verdict::Accept);
    }
    // No code is sent to this address: only a trusted provider's word proves it.
    let verified = email.is_some() && provider.trusts_email && request.attributes.is_true("email_verified");
    let missing = if email.is_some() { Refusal::EmailUnverified } else { Refusal::EmailMissing };
    admit(&rules.sign_up, email.filter(|_| verified).ok_or(missing))
}

/// Whether only a server may write this attribute.
///
/// The pool itself adds the two alias attributes; all else that begins with
/// `cognito:`, as well as a verification, would be the client's own word.
fn is_forbidden(rules: &SignUpRules, attributes: &Attributes, name: &str) -> bool {
    match name {
        "cognito:email_alias" | "cognito:phone_number_alias" => false,
        "email_verified" | "phone_number_verified" => attributes.is_true(name),
        "identities" => true,
        _ => name.starts_with("cognito:") || rules.forbidden_attributes.iter().any(|forbidden| forbidden == name),
    }
}

/// Checks what identifies the user, and gives back the address.
fn contacts(rules: &SignUpRules, attributes: &Attributes) -> Result<Option<EmailAddress>, Refusal> {
    if rules.required_attributes.iter().any(|name| attributes.get(name).is_none()) {
        return Err(Refusal::AttributeMissing);
    }
    if attributes.get("phone_number").is_some_and(|number| PhoneNumber::parse(number).is_none()) {
        return Err(Refusal::PhoneMalformed);
    }
    let Some(text) = attributes.get("email") else { return Ok(None) };
    let address = EmailAddress::parse(text).ok_or(Refusal::EmailMalformed)?;
    if rules.blocked_domains.iter().any(|domain| domain.matches(&address)) {
        return Err(Refusal::DomainBlocked);
    }
    Ok(Some(address))
}

/// Applies the mode and the allowed domains, both to an address that is or will
/// be proved. Without one, only an open door without a list lets in.
fn admit(rules: &SignUpRules, email: Result<EmailAddress, Refusal>) -> Result<Verdict, Refusal> {
    if rules.mode == Mode::Closed {
        return Err(Refusal::SignUpClosed);
    }
    if !rules.allowed_domains.is_empty() {
        let address = email.as_ref().map_err(|refusal| *refusal)?;
        if !rules.allowed_domains.iter().any(|domain| domain.matches(address)) {
            return Err(Refusal::DomainNotAllowed);
        }
    }
    match rules.mode {
        Mode::Invited => email.map(Verdict::IfInvited),
        Mode::Open | Mode::Closed => Ok(Verdict::Accept),
    }
}

#[cfg(test)]
mod tests;
