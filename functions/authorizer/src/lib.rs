//! Verifies tokens and decides by the route table.
//!
//! One binary for REST APIs (TOKEN and REQUEST) and HTTP APIs (payload 1.0 and
//! 2.0). What a caller hears of a refusal depends on the front:
//!
//! | | REST | HTTP API, simple | HTTP API, policy |
//! | --- | --- | --- | --- |
//! | no token, or not a genuine one | error `Unauthorized`: 401 | `isAuthorized: false`: 403 | explicit denial: 403 |
//! | genuine, but not for this route | policy: 403 | `isAuthorized: false`: 403 | policy: 403 |
//! | event unreadable or inconsistent | error `Unauthorized`: 401 | the same error: 401 or 500 | the same |
//! | key set not to be had | error: 500, not cached | error: 500, not cached | the same |
//!
//! An HTTP API documents no way to say 401 from here; it says so itself when the
//! header is missing. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
//! The last row is no decision: nothing could be checked, and an answer would
//! be kept for as long as the cache lives.

mod call;
mod headers;
mod settings;
mod wire;

pub use settings::{AnswerForm, Settings};

use serde_json::value::RawValue;
use shared::policy;
use shared::routes::{Decision, RouteTable};
use shared::token::{Refusal, TokenRules, Unverified, Verified, verify};
use shell::key_set::{Fetch, KeySets, Limits, Unavailable};
use shell::{Answer, Failure, Handler, Invocation, PublicText};

use call::{Call, Front};
use wire::Reply;

/// The authorizer: rules that never change while it runs, and the key sets.
pub struct Authorizer<F> {
    tokens: TokenRules,
    routes: RouteTable,
    answer: AnswerForm,
    key_sets: KeySets<F>,
}

impl<F: Fetch> Authorizer<F> {
    /// Puts the authorizer together and fetches the key sets, so that the first
    /// call finds them. A fetch that fails does not keep it from starting: it
    /// is tried again, and until it succeeds no token is believed.
    pub async fn start(settings: Settings, fetch: F, limits: Limits) -> Self {
        let key_sets = KeySets::new(settings.key_sets, fetch, limits);
        key_sets.fetch_all().await;
        Self { tokens: settings.tokens, routes: settings.routes, answer: settings.answer, key_sets }
    }

    /// Whether the token of a call is genuine.
    async fn verified(&self, call: &Call<'_>, now: u64) -> Result<Verified, NotVerified> {
        let text = call.token.map_err(|missing| NotVerified::Refused(missing.code()))?;
        let token = Unverified::parse(text)?;
        let keys = self.key_sets.get(self.tokens.issuer(&token)?, token.key_id()).await?;
        Ok(verify(&self.tokens, &token, &keys, now)?)
    }

    /// The answer to a genuine caller.
    fn answer(&self, call: &Call<'_>, verified: &Verified) -> Result<Answer, Failure> {
        let caller = verified.caller();
        let decision = self.routes.decide(caller, call.arn.method, call.arn.path);
        let reply = match self.form(call.front) {
            AnswerForm::Simple => Reply::simple(decision.is_allowed().then_some(verified)),
            AnswerForm::Iam => Reply::policy(Some(verified), policy::document(&self.routes, caller, &call.arn)),
        };
        let code = match decision {
            Decision::Allow { .. } => "Allowed",
            Decision::Refuse(refusal) => refusal.code(),
        };
        Ok(Answer { subject: Some(caller.subject.clone()), ..Answer::new(reply.write()?, code) })
    }

    /// The answer to whoever showed no genuine token.
    fn refusal(&self, call: &Call<'_>, code: &'static str) -> Result<Answer, Failure> {
        let reply = match (call.front, self.form(call.front)) {
            (Front::Rest, _) => return Err(Failure::new(code, PublicText::Unauthorized)),
            (_, AnswerForm::Simple) => Reply::simple(None),
            (_, AnswerForm::Iam) => Reply::policy(None, policy::denial(&call.arn)),
        };
        Ok(Answer::new(reply.write()?, code))
    }

    /// The simple form exists in payload 2.0 only.
    fn form(&self, front: Front) -> AnswerForm {
        match front {
            Front::Rest | Front::HttpV1 => AnswerForm::Iam,
            Front::HttpV2 => self.answer,
        }
    }
}

impl<F: Fetch> Handler for Authorizer<F> {
    const NAME: &'static str = "authorizer";

    // Both attempts to fetch a key set fit into it. Whoever waits here waits
    // before everything else that he asked for.
    const LIMIT_MS: u64 = 1_500;

    async fn handle(&self, event: &RawValue, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = wire::Event::read(event)?;
        let call = Call::read(&event)?;
        match self.verified(&call, invocation.now).await {
            Ok(verified) => self.answer(&call, &verified),
            Err(NotVerified::Refused(code)) => self.refusal(&call, code),
            Err(NotVerified::Unavailable(cause)) => {
                Err(Failure::new("KeySetUnavailable", PublicText::TryAgain).caused_by(cause))
            }
        }
    }
}

/// Why no caller is known.
enum NotVerified {
    /// The token is missing or not genuine.
    Refused(&'static str),
    /// Nobody can tell, without the issuer's keys.
    Unavailable(Unavailable),
}

impl From<Refusal> for NotVerified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.code())
    }
}

impl From<Unavailable> for NotVerified {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}
