//! Whether a newcomer's external account is linked to a user of the pool.
//!
//! A link lets whoever holds the external account sign in as that user, so it
//! rests on two proofs of the same address: the provider's word, where the rules
//! trust it, and the pool's own. Refusing is the default.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation-consolidate-users.html>

mod candidate;
mod refusal;
mod subject;
mod target;

pub use candidate::{Candidate, Found, Status};
pub use refusal::Refusal;
pub use target::check_link;

use crate::address::EmailAddress;
use crate::attributes::Attributes;
use crate::rules::{Links, Rules, provider};

/// The trigger source of the first sign-in through an external provider; no
/// other one makes a link.
const FIRST_FEDERATED_SIGN_IN: &str = "PreSignUp_ExternalProvider";

/// The longest address that can be looked up: a filter of `ListUsers` has at
/// most 256 characters, of which `email = ""` takes ten.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>
const LONGEST_ADDRESS: usize = 246;

/// A sign-up that is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The trigger source.
    pub source: &'a str,
    /// The name that the pool would give the user.
    pub user_name: Option<&'a str>,
    /// What the provider says of the user.
    pub attributes: &'a Attributes,
}

/// What must be known before the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsNeeded {
    /// Nothing: decide with [`Found::default`].
    Nothing,
    /// The users of the pool who have this address.
    UsersWith(EmailAddress),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The sign-up goes on as an account of its own.
    SeparateAccount,
    /// The external account is linked to this user.
    Link(Link),
    /// This user was left half-made by an earlier attempt: he gets his
    /// password, then the link.
    Finish(Link),
    /// A user is made first.
    Create(NewUser),
    /// The link is there already.
    Linked,
    /// The sign-up ends here.
    Refuse(Refusal),
}

/// A link to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The user's name in the pool.
    pub user_name: String,
    /// The provider's name in the pool, in its own spelling.
    pub provider: String,
    /// The exact subject at the provider.
    pub subject: String,
}

/// A user to be made so that the external account can be linked to him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// His address, which the provider has verified.
    pub address: EmailAddress,
    /// The attribute that holds the subject until he is finished, and after.
    pub subject_attribute: String,
    /// The provider's name in the pool, in its own spelling.
    pub provider: String,
    /// The exact subject at the provider.
    pub subject: String,
}

impl NewUser {
    /// The link that follows once the pool has given the user his name.
    pub fn link(self, user_name: String) -> Link {
        Link { user_name, provider: self.provider, subject: self.subject }
    }
}

/// What must be fetched for [`decide`]. A sign-up that is not linked, or is
/// refused anyway, needs nothing.
pub fn facts_needed(rules: &Rules, request: Request<'_>) -> FactsNeeded {
    match judge(rules, request) {
        Ok(Some(wish)) => FactsNeeded::UsersWith(wish.address),
        Ok(None) | Err(_) => FactsNeeded::Nothing,
    }
}

/// Decides whether the newcomer's account is linked, and to whom.
pub fn decide(rules: &Rules, request: Request<'_>, found: &Found) -> Decision {
    match judge(rules, request) {
        Ok(Some(wish)) => target::choose(wish, found),
        Ok(None) => Decision::SeparateAccount,
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// As far as a decision goes without facts: an account that is to be linked.
struct Wish<'a> {
    provider: &'a str,
    subject: &'a str,
    address: EmailAddress,
    /// Where a user may be made: the attribute that holds the subject.
    creates: Option<&'a str>,
}

fn judge<'a>(rules: &'a Rules, request: Request<'a>) -> Result<Option<Wish<'a>>, Refusal> {
    if request.source != FIRST_FEDERATED_SIGN_IN {
        return Ok(None);
    }
    let account = provider::account_of_newcomer(&rules.providers, request.user_name, request.attributes);
    let (provider, id) = account.ok_or(Refusal::ProviderUnknown)?;
    if provider.links == Links::Never {
        return Ok(None);
    }
    let address = request.attributes.verified_email().filter(|_| provider.trusts_email);
    let address = address.ok_or(Refusal::EmailUnverified)?;
    if address.as_str().len() > LONGEST_ADDRESS {
        return Err(Refusal::EmailTooLong);
    }
    let subject = subject::exact(provider, id, request.attributes)?;
    let creates = provider.subject_attribute.as_deref().filter(|_| provider.links == Links::Create);
    Ok(Some(Wish { provider: &provider.name, subject, address, creates }))
}

#[cfg(test)]
mod tests;
