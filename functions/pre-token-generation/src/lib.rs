//! Puts tenant, roles and mapped claims into tokens.
//!
//! Runs at each sign-in and each refresh, perhaps twice for one: the same facts
//! give the same answer, from one read of the directory. The only write is for
//! a user whose provisioning was missed.

mod aws;
mod people;
mod settings;
mod wire;

pub use aws::{ACTIONS, connect};
pub use people::People;
pub use settings::Settings;

use serde_json::value::RawValue;
use shared::claims::{self, Decision, Dropped, EventVersion, Overrides};
use shared::names::Subject;
use shared::provisioning;
use shared::rules::Rules;
use shared::tenants::{Reason, Tenancy};
use shell::{Answer, Event, Failure, Handler, Invocation, PublicText, Trigger, Version};

use crate::people::{Found, User};

/// The function.
#[derive(Debug)]
pub struct PreTokenGeneration<P> {
    rules: Rules,
    people: Option<P>,
}

impl<P: People> PreTokenGeneration<P> {
    /// A function that decides by these rules. `people` is `None` when tenants
    /// come from groups alone.
    pub fn new(rules: Rules, people: Option<P>) -> Self {
        Self { rules, people }
    }

    /// A machine belongs nowhere.
    async fn find(&self, trigger: &Trigger<wire::Request>, now: u64) -> Found {
        if is_machine(&trigger.source) {
            return Found { tenancy: Tenancy::none(Reason::NoMembership), healed: false, doubt: None };
        }
        let request =
            provisioning::Request { attributes: &trigger.request.attributes, user_name: trigger.user_name.as_deref() };
        let user = User { request, groups: trigger.request.groups(), now };
        people::find(self.people.as_ref(), &self.rules, user).await
    }

    fn decide(&self, trigger: &Trigger<wire::Request>, tenancy: &Tenancy) -> Decision {
        let request = claims::Request {
            version: event_version(trigger.version),
            source: &trigger.source,
            client_id: trigger.client_id.as_deref(),
            attributes: &trigger.request.attributes,
            groups: trigger.request.groups(),
            iam_roles: trigger.request.iam_roles(),
            scopes: trigger.request.scopes(),
            machine: is_machine(&trigger.source),
            tenancy,
        };
        claims::decide(&self.rules.claims, &self.rules.roles, request)
    }
}

impl<P: People> Handler for PreTokenGeneration<P> {
    const NAME: &'static str = "pre-token-generation";

    async fn handle(&self, event: &RawValue, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = Event::read(event)?;
        let trigger = event.trigger::<wire::Request>()?;
        // Sources are added over time, and each still asks about one token. The
        // event of another trigger gets no token out of this one.
        if !trigger.source.starts_with("TokenGeneration_") {
            return Err(Failure::new("UnknownSource", PublicText::RequestUnreadable));
        }
        let found = self.find(&trigger, invocation.now).await;
        let overrides = match self.decide(&trigger, &found.tenancy) {
            Decision::Issue(overrides) => overrides,
            Decision::Refuse(refusal) => {
                let failure = Failure::new(refusal.code(), PublicText::TryAgain);
                return Err(match found.doubt {
                    None => failure,
                    Some(doubt) => failure.caused_by(doubt.to_string()),
                });
            }
        };
        let code = code(&found, &overrides, &trigger.source);
        let subject = trigger.request.attributes.subject().and_then(Subject::parse).map(|subject| subject.to_string());
        let body = reply(&event, trigger.version, &overrides)?;
        Ok(Answer { body, code, subject, cause: cause(&found, &overrides) })
    }
}

fn is_machine(source: &str) -> bool {
    source == "TokenGeneration_ClientCredentials"
}

fn event_version(version: Version) -> EventVersion {
    match version {
        Version::V1 => EventVersion::V1,
        Version::V2 => EventVersion::V2,
        Version::V3 => EventVersion::V3,
    }
}

/// An answer that changes nothing is the event itself.
fn reply(event: &Event<'_>, version: Version, overrides: &Overrides) -> Result<Box<RawValue>, Failure> {
    match version {
        _ if wire::is_empty(overrides) => event.unchanged(),
        Version::V1 => event.with_response(&wire::V1::of(overrides)),
        Version::V2 | Version::V3 => event.with_response(&wire::V2::of(overrides)),
    }
}

/// What the log says of a token that was issued: the most alarming thing.
fn code(found: &Found, overrides: &Overrides, source: &str) -> &'static str {
    if found.doubt.is_some() {
        Reason::DirectoryUnread.code()
    } else if !overrides.dropped.is_empty() {
        "ClaimsDropped"
    } else if found.healed {
        "Healed"
    } else if is_machine(source) {
        "Machine"
    } else {
        found.tenancy.reason.code()
    }
}

/// What an operator must know beyond the code: such a token is issued, so there
/// is no failure that would say it.
fn cause(found: &Found, overrides: &Overrides) -> Option<String> {
    if let Some(doubt) = &found.doubt {
        return Some(format!("issued without tenant and roles: {doubt}"));
    }
    let one = |dropped: &Dropped| format!("{} {} {}", dropped.token.as_str(), dropped.claim, dropped.reason.code());
    let claims = overrides.dropped.iter().map(one).collect::<Vec<_>>().join(", ");
    (!claims.is_empty()).then(|| format!("issued without {claims}"))
}

#[cfg(test)]
mod tests;
