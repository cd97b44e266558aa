//! Provisions a confirmed user: profile, memberships and groups.
//!
//! Cognito confirms the user before it asks, and asks again when it hears
//! nothing. So every step may be taken twice; what is missed here is made up for
//! at the first token.

mod settings;
mod steps;
mod wire;

pub use settings::Settings;

use directory::{Directory, Groups, Newcomer, PoolUser, Provisioned, Subject};
use serde::de::IgnoredAny;
use shared::provisioning::Request;
use shared::rules::Rules;
use shell::{Answer, Event, Failure, Handler, Invocation, PublicText, Trigger};

use crate::steps::StepsFailed;
use crate::wire::Source;

/// The IAM actions that this function needs.
pub const ACTIONS: &[&str] = directory::actions::PROVISION;

/// The function.
#[derive(Debug)]
pub struct PostConfirmation<G> {
    rules: Rules,
    directory: Directory,
    groups: G,
}

impl<G: Groups> PostConfirmation<G> {
    /// A function that provisions by these rules.
    pub fn new(rules: Rules, directory: Directory, groups: G) -> Self {
        Self { rules, directory, groups }
    }
}

impl<G: Groups> Handler for PostConfirmation<G> {
    const NAME: &'static str = "post-confirmation";

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = Event::read(event)?;
        // The source first: what an unknown one carries is none of our business.
        let code = match Source::parse(&event.trigger::<IgnoredAny>()?.source) {
            Source::ConfirmSignUp => return self.confirmed(&event, invocation.now).await,
            Source::ConfirmForgotPassword => "NothingToProvision",
            Source::Unknown => "UnknownSource",
        };
        Ok(Answer::new(event.unchanged()?, code))
    }
}

impl<G: Groups> PostConfirmation<G> {
    async fn confirmed(&self, event: &Event<'_>, now: u64) -> Result<Answer, Failure> {
        let trigger = event.trigger::<wire::Request>()?;
        let attributes = &trigger.request.attributes;
        let subject = attributes.subject().and_then(Subject::parse).ok_or_else(|| incomplete("SubjectMissing"))?;
        let user = pool_user(&trigger)?;
        let request = Request { attributes, user_name: Some(user.name) };
        let newcomer = Newcomer { subject: &subject, user, request, now };
        let outcome = directory::provision(&self.directory, &self.groups, &self.rules, newcomer).await;
        let code = match StepsFailed::check(outcome) {
            Ok(Provisioned::Now(_)) => "Provisioned",
            Ok(Provisioned::Before) => "ProvisionedBefore",
            Err(failed) => return Err(Failure::new(failed.code(), PublicText::TryAgain).caused_by(failed)),
        };
        Ok(Answer { subject: Some(subject.to_string()), ..Answer::new(event.unchanged()?, code) })
    }
}

fn pool_user<R>(trigger: &Trigger<R>) -> Result<PoolUser<'_>, Failure> {
    let name = trigger.user_name.as_deref().ok_or_else(|| incomplete("UserNameMissing"))?;
    let pool_id = Some(trigger.user_pool_id.as_str()).filter(|id| !id.is_empty());
    Ok(PoolUser { pool_id: pool_id.ok_or_else(|| incomplete("UserPoolMissing"))?, name })
}

fn incomplete(code: &'static str) -> Failure {
    Failure::new(code, PublicText::RequestUnreadable)
}

#[cfg(test)]
mod tests;
