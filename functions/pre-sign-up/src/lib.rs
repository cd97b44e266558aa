//! Decides whether a sign-up may go on, and links a federated newcomer's account
//! to the user who has it coming.
//!
//! Answers `PreSignUp_SignUp`, `PreSignUp_AdminCreateUser` and
//! `PreSignUp_ExternalProvider`; any other source is refused.

mod accounts;
pub mod actions;
mod aws;
mod challenge;
mod link;
mod settings;
mod wire;

pub use accounts::{Accounts, AccountsError, LinkAnswer, PoolAccounts, PoolId};
pub use actions::ALL as ACTIONS;
pub use aws::{InvitationTable, connect};
pub use challenge::{ChallengeCheck, ChallengeError, Challenges};
pub use settings::Settings;

use shared::address::EmailAddress;
use shared::linking;
use shared::rules::Rules;
use shared::sign_up::{self, ChallengeOutcome, ChallengeToken, Decision, Facts, Refusal, Request, Source};
use shell::{Answer, Event, Failure, Handler, Invocation, PublicText};

/// What sign-up asks of the directory.
pub trait Invitations {
    /// Whether this address holds an invitation that has not expired.
    fn is_invited(
        &self,
        address: &EmailAddress,
        now: u64,
    ) -> impl Future<Output = Result<bool, directory::Error>> + Send;
}

/// The function.
#[derive(Debug)]
pub struct PreSignUp<I, A, C> {
    rules: Rules,
    invitations: I,
    accounts: A,
    challenges: C,
}

impl<I: Invitations, A: Accounts, C: Challenges> PreSignUp<I, A, C> {
    /// A function that decides by these rules.
    pub fn new(rules: Rules, invitations: I, accounts: A, challenges: C) -> Self {
        Self { rules, invitations, accounts, challenges }
    }

    /// The token of a challenge, where the rules ask for one.
    fn token(&self, request: &wire::Request) -> Option<ChallengeToken> {
        let rules = self.rules.sign_up.challenge.as_ref()?;
        request.validation.text(&rules.parameter).map(ChallengeToken::new)
    }

    /// Asks for all at once: together they have four seconds.
    async fn facts(&self, request: Request<'_>, now: u64) -> Result<Facts, Failure> {
        let needed = sign_up::facts_needed(&self.rules, request);
        let invited = self.is_invited(needed.invitation.as_ref(), now);
        let challenge = self.outcome(needed.challenge, now);
        let (invited, challenge) = tokio::join!(invited, challenge);
        Ok(Facts { challenge: challenge?, invited: invited? })
    }

    async fn is_invited(&self, address: Option<&EmailAddress>, now: u64) -> Result<bool, Failure> {
        let Some(address) = address else { return Ok(false) };
        let invited = self.invitations.is_invited(address, now).await;
        invited.map_err(|error| Failure::new(error.code(), PublicText::TryAgain).caused_by(error))
    }

    async fn outcome(&self, token: Option<&ChallengeToken>, now: u64) -> Result<Option<ChallengeOutcome>, Failure> {
        let Some(token) = token else { return Ok(None) };
        Ok(Some(self.challenges.spend(token, now).await?))
    }
}

impl<I: Invitations, A: Accounts, C: Challenges> Handler for PreSignUp<I, A, C> {
    const NAME: &'static str = "pre-sign-up";

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = Event::read(event)?;
        let trigger = event.trigger::<wire::Request>()?;
        let token = self.token(&trigger.request);
        let request = Request {
            source: Source::parse(&trigger.source),
            attributes: &trigger.request.attributes,
            user_name: trigger.user_name.as_deref(),
            challenge: token.as_ref(),
        };
        let facts = self.facts(request, invocation.now).await?;
        match sign_up::decide(&self.rules, request, &facts) {
            Decision::Accept => {
                let (source, user_name) = (trigger.source.as_str(), request.user_name);
                let request = linking::Request { source, user_name, attributes: request.attributes };
                self.link(PoolId(&trigger.user_pool_id), request).await?;
                let body = event.with_response(&wire::GoOn::REPLY)?;
                // The pool gives a `sub` only later.
                Ok(Answer::new(body, "Accepted"))
            }
            Decision::Refuse(refusal) => Err(Failure::new(refusal.code(), public_text(refusal))),
        }
    }
}

/// What the person who signs up is told. Several refusals share a sentence, so
/// that it does not say what is known of an address.
fn public_text(refusal: Refusal) -> PublicText {
    match refusal {
        Refusal::UnknownSource => PublicText::RequestUnreadable,
        Refusal::SignUpClosed | Refusal::NotInvited | Refusal::UnknownProvider | Refusal::IdentitiesInconsistent => {
            PublicText::SignUpRefused
        }
        Refusal::EmailMalformed | Refusal::EmailUnverified | Refusal::DomainBlocked | Refusal::DomainNotAllowed => {
            PublicText::AddressRefused
        }
        Refusal::AttributeForbidden
        | Refusal::AttributeMissing
        | Refusal::UserNameReserved
        | Refusal::EmailMissing
        | Refusal::PhoneMalformed
        | Refusal::ChallengeMissing
        | Refusal::ChallengeFailed
        | Refusal::ChallengeUsed
        | Refusal::ChallengeElsewhere => PublicText::DetailsRefused,
    }
}

#[cfg(test)]
mod tests;
