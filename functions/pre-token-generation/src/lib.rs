//! Puts tenant, roles and mapped claims into tokens.
//!
//! Runs at each sign-in and each refresh, perhaps twice for one: the same facts
//! give the same answer, from one read of the directory. The only write is for
//! a user whose provisioning was missed.

mod aws;
mod people;
mod settings;
mod wire;

pub use aws::{ACTIONS, Register, connect};
pub use people::People;
pub use settings::Settings;

use directory::PoolUser;
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
            return Found::unasked(Tenancy::none(Reason::NoMembership));
        }
        let user_name = trigger.user_name.as_deref();
        let request = provisioning::Request { attributes: &trigger.request.attributes, user_name };
        // The pool itself refuses to add a user whom the event does not name.
        let in_pool = PoolUser { pool_id: &trigger.user_pool_id, name: user_name.unwrap_or_default() };
        let user = User { request, in_pool, groups: trigger.request.groups(), now };
        people::find(self.people.as_ref(), &self.rules, user).await
    }

    fn decide(&self, trigger: &Trigger<wire::Request>, found: &Found) -> Decision {
        let request = claims::Request {
            version: event_version(trigger.version),
            source: &trigger.source,
            client_id: trigger.client_id.as_deref(),
            attributes: &trigger.request.attributes,
            groups: trigger.request.groups(),
            joined: &found.joined,
            iam_roles: trigger.request.iam_roles(),
            preferred_role: trigger.request.preferred_role(),
            scopes: trigger.request.scopes(),
            machine: is_machine(&trigger.source),
            tenancy: &found.tenancy,
        };
        claims::decide(&self.rules.claims, &self.rules.roles, request)
    }
}

impl<P: People> Handler for PreTokenGeneration<P> {
    const NAME: &'static str = "pre-token-generation";

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = Event::read(event)?;
        let trigger = event.trigger::<wire::Request>()?;
        // Sources are added over time, and each still asks about one token. The
        // event of another trigger gets no token out of this one.
        if !trigger.source.starts_with("TokenGeneration_") {
            return Err(Failure::new("UnknownSource", PublicText::RequestUnreadable));
        }
        let found = self.find(&trigger, invocation.now).await;
        let overrides = match self.decide(&trigger, &found) {
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
fn reply(event: &Event<'_>, version: Version, overrides: &Overrides) -> Result<String, Failure> {
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
    } else if let Some(missing) = found.missing.first() {
        missing.code()
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
        let without = match found.tenancy.reason {
            Reason::DirectoryUnread => "tenant and roles",
            _ => "what the user may have brought along",
        };
        return Some(format!("issued without {without}: {doubt}"));
    }
    let one = |dropped: &Dropped| format!("{} {} {}", dropped.token.as_str(), dropped.claim, dropped.reason.code());
    let claims = overrides.dropped.iter().map(one).collect::<Vec<_>>().join(", ");
    let without = (!claims.is_empty()).then(|| format!("issued without {claims}"));
    let missing = (!found.missing.is_empty()).then(|| people::listed(&found.missing));
    let causes: Vec<String> = without.into_iter().chain(missing).collect();
    (!causes.is_empty()).then(|| causes.join("; "))
}

#[cfg(test)]
mod tests;
