//! Verifies tokens and decides by the route table.
//!
//! One binary for REST APIs (TOKEN and REQUEST), HTTP APIs (payload 1.0 and 2.0),
//! the connections of WebSocket APIs, and AppSync. What a caller hears of a refusal
//! depends on the front:
//!
//! | | REST, WebSocket | HTTP API, simple | HTTP API, policy | AppSync |
//! | --- | --- | --- | --- | --- |
//! | no token, or not a genuine one | error `Unauthorized`: 401 | `isAuthorized: false`: 403 | explicit denial: 403 | `isAuthorized: false`: 401 |
//! | genuine, but not for this | policy: 403 | `isAuthorized: false`: 403 | policy: 403 | the field is null, with an error |
//! | event unreadable or inconsistent | error `Unauthorized`: 401 | the same error: 401 or 500 | the same | the same |
//! | key set not to be had | error: 500, not cached | error: 500, not cached | the same | the same |
//! | genuine, but its session was ended | as a token that is not genuine | the same | the same | the same |
//! | nobody can tell whether it was | by `[revocation]`: error 500, or as if it were not | the same | the same | the same |
//!
//! An HTTP API documents no way to say 401 from here; it says so itself when the
//! header is missing. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
//! Where nothing could be checked there is no decision: an answer would be kept
//! for as long as the cache lives.

mod answer;
mod call;
mod headers;
mod query;
mod revocation;
mod routes;
mod settings;
mod wire;

pub use answer::Openings;
pub use revocation::{Marks, Revocations, Table, Unknown};
pub use routes::Routes;
pub use settings::{AnswerForm, Settings};

use std::time::Instant;

use shared::token::{Refusal, TokenRules, Unverified, Verified, verify};
use shell::key_set::{Fetch, KeySets, Limits, Unavailable};
use shell::{Answer, Failure, Handler, Invocation, PublicText};

use call::Call;
use revocation::{BUDGET, Standing};

/// What the function's role must allow where revocation is on; nothing otherwise.
pub const ACTIONS: &[&str] = &["dynamodb:BatchGetItem"];

/// The authorizer: rules that never change while it runs, the key sets, and what
/// is known of ended sessions.
pub struct Authorizer<F> {
    tokens: TokenRules,
    openings: Openings,
    key_sets: KeySets<F>,
    revocations: Option<Revocations<Table>>,
}

impl<F: Fetch> Authorizer<F> {
    /// Puts the authorizer together and fetches the key sets, so that the first
    /// call finds them. A fetch that fails does not keep it from starting: it
    /// is tried again, and until it succeeds no token is believed.
    pub async fn start(settings: Settings, fetch: F, limits: Limits) -> Self {
        let key_sets = KeySets::new(settings.key_sets, fetch, limits);
        key_sets.fetch_all().await;
        Self { tokens: settings.tokens, openings: settings.openings, key_sets, revocations: None }
    }

    /// The same, refusing tokens whose session was ended; `None` where revocation
    /// is off.
    pub fn minding(self, revocations: Option<Revocations<Table>>) -> Self {
        Self { revocations, ..self }
    }

    /// Who calls, and what the log must say of it beyond the decision.
    async fn caller(&self, call: &Call<'_>, now: u64) -> Result<(Verified, Option<String>), NotVerified> {
        let begun = Instant::now();
        let verified = self.verified(call, now).await?;
        let Some(revocations) = &self.revocations else { return Ok((verified, None)) };
        match revocations.standing(&verified, now, BUDGET.saturating_sub(begun.elapsed())).await {
            Standing::InForce => Ok((verified, None)),
            Standing::Unchecked(note) => Ok((verified, Some(note))),
            Standing::Revoked(refusal) => Err(NotVerified::Refused(refusal.code())),
            Standing::Refused(failure) => Err(NotVerified::Unknown(failure)),
        }
    }

    /// Whether the token of a call is genuine.
    async fn verified(&self, call: &Call<'_>, now: u64) -> Result<Verified, NotVerified> {
        let text = call.token.as_deref().map_err(|missing| NotVerified::Refused(missing.code()))?;
        let token = Unverified::parse(text)?;
        let keys = self.key_sets.get(&self.tokens.issuer(&token)?.address, token.key_id()).await?;
        Ok(verify(&self.tokens, &token, &keys, now)?)
    }
}

impl<F: Fetch> Handler for Authorizer<F> {
    const NAME: &'static str = "authorizer";

    // Both attempts to fetch a key set fit into it. Whoever waits here waits
    // before everything else that he asked for.
    const LIMIT_MS: u64 = 1_500;

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        let event = wire::Event::read(event)?;
        let call = Call::read(&event, &self.openings)?;
        match self.caller(&call, invocation.now).await {
            Ok((verified, cause)) => Ok(Answer { cause, ..self.openings.answer(&call, &verified, invocation.now)? }),
            Err(NotVerified::Refused(code)) => self.openings.refusal(&call, code),
            Err(NotVerified::Unknown(failure)) => Err(failure),
            Err(NotVerified::Unavailable(cause)) => {
                Err(Failure::new("KeySetUnavailable", PublicText::TryAgain).caused_by(cause))
            }
        }
    }
}

/// Why no caller is known.
enum NotVerified {
    /// The token is missing or not genuine, or its session was ended.
    Refused(&'static str),
    /// Nobody can tell whether its session was ended.
    Unknown(Failure),
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
