//! Whether a sign-up may go on.
//!
//! Accepting is all it can do: there is no word here for confirming a user or
//! for calling an address verified. Verifying a self-asserted address would move
//! an existing user's alias to the newcomer.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

mod challenge;
mod refusal;
mod rules;

pub use challenge::{ChallengeOutcome, ChallengeRules, ChallengeToken};
pub use refusal::Refusal;
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
    /// What the client sent under the name that the rules give; `None` when that
    /// is missing or not a text.
    pub challenge: Option<&'a ChallengeToken>,
}

/// What must be known before the decision. With nothing needed, decide with
/// [`Facts::default`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactsNeeded<'a> {
    /// Whether this address holds an invitation that has not expired.
    pub invitation: Option<EmailAddress>,
    /// What becomes of this token when it is used.
    pub challenge: Option<&'a ChallengeToken>,
}

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the address holds an invitation that has not expired.
    pub invited: bool,
    /// What became of the token; `None` when nobody asked.
    pub challenge: Option<ChallengeOutcome>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The sign-up goes on as Cognito would have it.
    Accept,
    /// The sign-up ends here.
    Refuse(Refusal),
}

/// What must be fetched for [`decide`]. A sign-up that is refused anyway needs
/// nothing, so strangers cannot make the directory work or use up a token.
pub fn facts_needed<'a>(rules: &Rules, request: Request<'a>) -> FactsNeeded<'a> {
    judge(rules, request).map_or_else(|_| FactsNeeded::default(), |open| open.needed)
}

/// Decides whether a sign-up may go on.
///
/// Administrators are not bound by the rules of public sign-up. An unknown
/// source is refused: letting it pass would skip the checks. The challenge comes
/// before the invitation, so that a program cannot ask who is invited.
pub fn decide(rules: &Rules, request: Request<'_>, facts: &Facts) -> Decision {
    match judge(rules, request).and_then(|open| open.settle(facts)) {
        Ok(()) => Decision::Accept,
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// As far as a decision goes without facts: accepted, but for what is needed.
#[derive(Default)]
struct Open<'r, 'a> {
    needed: FactsNeeded<'a>,
    challenge: Option<&'r ChallengeRules>,
}

impl Open<'_, '_> {
    fn settle(self, facts: &Facts) -> Result<(), Refusal> {
        if let Some(rules) = self.challenge {
            rules.judge(facts.challenge.as_ref())?;
        }
        if self.needed.invitation.is_some() && !facts.invited { Err(Refusal::NotInvited) } else { Ok(()) }
    }
}

fn judge<'r, 'a>(rules: &'r Rules, request: Request<'a>) -> Result<Open<'r, 'a>, Refusal> {
    let invitation = match request.source {
        Source::Unknown => return Err(Refusal::UnknownSource),
        Source::Administrator => return Ok(Open::default()),
        Source::SelfService => self_service(rules, request)?,
        Source::Federated => federated(rules, request)?,
    };
    // An external provider has looked at its newcomer itself, and there is no
    // client here that could have sent a token.
    let rules = rules.sign_up.challenge.as_ref().filter(|_| request.source == Source::SelfService);
    let challenge = rules.map(|_| ChallengeToken::usable(request.challenge)).transpose()?;
    Ok(Open { needed: FactsNeeded { invitation, challenge }, challenge: rules })
}

fn self_service(rules: &Rules, request: Request<'_>) -> Result<Option<EmailAddress>, Refusal> {
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

fn federated(rules: &Rules, request: Request<'_>) -> Result<Option<EmailAddress>, Refusal> {
    let provider = match provider::of_newcomer(&rules.providers, request.user_name, request.attributes) {
        Origin::Provider(provider) => provider,
        Origin::Inconsistent => return Err(Refusal::IdentitiesInconsistent),
        Origin::Pool | Origin::UnknownProvider => return Err(Refusal::UnknownProvider),
    };
    let email = contacts(&rules.sign_up, request.attributes)?;
    if provider.admits == Admission::Always {
        return Ok(None);
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
/// be proved. Without one, only an open door without a list lets in. Gives back
/// the address that has to be invited, if one has to.
fn admit(rules: &SignUpRules, email: Result<EmailAddress, Refusal>) -> Result<Option<EmailAddress>, Refusal> {
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
        Mode::Invited => email.map(Some),
        Mode::Open | Mode::Closed => Ok(None),
    }
}

#[cfg(test)]
mod tests;
