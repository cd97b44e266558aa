//! Provisions a confirmed user: profile, memberships and groups.
//!
//! Cognito confirms the user before it asks, and asks again when it hears
//! nothing. So every step may be taken twice and no step waits for another;
//! a profile that is missed here is made up for at the first token.

mod aws;
mod settings;
mod steps;
mod wire;

pub use aws::{ACTIONS, AddError, PoolGroups};
pub use settings::Settings;

use directory::{Directory, Newcomer, Provisioned, Subject};
use futures_util::future::join_all;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shared::provisioning::{self, Facts, Request};
use shared::rules::Rules;
use shell::{Answer, Event, Failure, Handler, Invocation, PublicText, Trigger};

use crate::steps::StepsFailed;
use crate::wire::Source;

/// A user as the pool names him.
#[derive(Clone, Copy, Debug)]
pub struct PoolUser<'a> {
    /// The pool.
    pub pool_id: &'a str,
    /// The user's name in it, not the `sub`.
    pub name: &'a str,
}

/// The groups of a user pool.
pub trait Groups {
    /// Adds a user to a group; a user who is in it already stays there.
    fn add(&self, user: PoolUser<'_>, group: &str) -> impl Future<Output = Result<(), AddError>> + Send;
}

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

    /// Takes all steps side by side, and every one of them to its end: the
    /// failure of one must not cost the user another.
    async fn provision(&self, newcomer: Newcomer<'_>, user: PoolUser<'_>) -> Result<Provisioned, StepsFailed> {
        // The groups do not depend on invitations.
        let facts = Facts { invitations: &[], now: newcomer.now };
        let plan = provisioning::plan(&self.rules, newcomer.request, facts);
        let profile = directory::provision(&self.directory, &self.rules, newcomer);
        let groups = join_all(plan.groups.iter().map(|group| self.groups.add(user, group)));
        let (profile, groups) = tokio::join!(profile, groups);
        StepsFailed::check(profile, groups)
    }
}

impl<G: Groups> Handler for PostConfirmation<G> {
    const NAME: &'static str = "post-confirmation";

    async fn handle(&self, event: &RawValue, invocation: &Invocation) -> Result<Answer, Failure> {
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
        let code = match self.provision(Newcomer { subject: &subject, request, now }, user).await {
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
