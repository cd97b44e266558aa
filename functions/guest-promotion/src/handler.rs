//! The function: requests of the API, and notes of the queue.

use back_end::{Caller, Problem, Refusal as Told, Request, Response, answer, answer_anybody};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use records::Records;
use serde::Deserialize;
use shared::guests::proof::{ISSUER, ProofRefusal, ProofRules};
use shared::token::Profile;
use shell::aws::Client;
use shell::key_set::{Fetch, KeySets, Limits};
use shell::{Answer, Failure as LambdaFailure, Handler, Invocation, PublicText};

use crate::accounts::aws::Pools;
use crate::accounts::{Accounts, Login};
use crate::clock::{Clock, SystemClock};
use crate::entry::{self, Entry, Purpose, Refusal};
use crate::failure::Failure;
use crate::ledger::State;
use crate::outbox::Outbox;
use crate::outbox::aws::BusAndQueue;
use crate::promotion::{Claimant, Next, Progress, Promotion, Report};
use crate::settings::Settings;
use crate::wire::{self, Batch, BatchAnswer, Failed, Message, UnverifiedBody};

/// How long a request moves records before it leaves the rest to the queue. API
/// Gateway waits 30 s, people less.
const REQUEST_MS: u64 = 8_000;

/// How long the messages of one batch move records, all together.
const BATCH_MS: u64 = 20_000;

/// The largest body of a request, in bytes: a token of the identity pool and a secret.
const MOST_BYTES: usize = 16 * 1024;

/// The function.
pub struct GuestPromotion<F, S, A, O, C> {
    entry: Entry<F>,
    promotion: Promotion<S, A, O, C>,
}

impl<F: Fetch> GuestPromotion<F, Records, Pools, BusAndQueue, SystemClock> {
    /// The function on AWS. Fetches the identity pool's keys, so that the first
    /// request finds them; if that fails it is tried again, and until then no
    /// token is believed.
    pub async fn start(client: Client, settings: Settings, fetch: F) -> Self {
        let issuer = (ISSUER.to_owned(), settings.key_set_url);
        let key_sets = KeySets::of(Profile::IdentityPool, vec![issuer], fetch, Limits::default());
        key_sets.fetch_all().await;
        let mut guarded = settings.rules.attributes.clone();
        guarded.insert(records::EXPIRES_AT.to_owned());
        let rules = ProofRules { pool: settings.identity_pool.clone(), most_age_s: settings.rules.most_proof_age_s };
        let accounts = Pools::new(client.clone(), settings.identity_pool, settings.provider, settings.user_pool_id);
        Self {
            entry: Entry { rules, key_sets },
            promotion: Promotion {
                store: Records::connect(&client, settings.records_table, guarded),
                accounts,
                outbox: BusAndQueue::new(client, settings.event_bus, settings.queue_url),
                clock: SystemClock,
                rules: settings.rules,
            },
        }
    }
}

impl<F: Fetch, S: records::Store, A: Accounts, O: Outbox, C: Clock> GuestPromotion<F, S, A, O, C> {
    async fn promote(&self, request: &Request, caller: &Caller, call: &Invocation) -> Result<Response, Problem> {
        let body: UnverifiedBody = request.json(MOST_BYTES)?;
        let (evidence, secret) = body.read().ok_or(Told::RequestUnreadable)?;
        let key = request.idempotency_key()?;
        let token = request.bearer().ok_or(Told::CallerUnknown)?;
        let user_name = user_name(token, caller).ok_or(Told::CallerUnknown)?;
        let guest = self.entry.unverified(&evidence).map_err(told)?;
        let store = &self.promotion.store;
        match self.promotion.ledger(guest.to_look_up()).await.map_err(problem)? {
            // Who took the guest once needs no proof to ask how it stands.
            Some(ledger) if ledger.owner == *caller.subject() => {
                if ledger.state == State::Done && key.is_none() {
                    return respond(&Report::of(&ledger));
                }
            }
            Some(_) => return Err(told(Refusal::Claimed)),
            None => {
                let purpose = Purpose::Grant(caller.subject());
                let proved = self.entry.prove(store, (&guest, &evidence), purpose, call.now);
                proved.await.map_err(told)?;
                entry::check_secret(store, &guest, secret.as_ref(), call.now).await.map_err(told)?;
            }
        }
        let claimant = Claimant {
            guest: guest.to_look_up().clone(),
            owner: caller.subject().clone(),
            tenant: caller.tenant_if_any().cloned(),
            user_name,
            login: Login::new(token),
            key,
            mover: self.mover(call),
        };
        respond(&self.promotion.promote(&claimant, REQUEST_MS).await.map_err(problem)?)
    }

    async fn register(&self, request: &Request, call: &Invocation) -> Result<Response, Problem> {
        if request.route() != "PUT /guest/claim" {
            return Err(Told::NoSuchRoute.into());
        }
        let body: UnverifiedBody = request.json(MOST_BYTES)?;
        let Some((evidence, Some(secret))) = body.read() else { return Err(Told::RequestUnreadable.into()) };
        let guest = self.entry.unverified(&evidence).map_err(told)?;
        let store = &self.promotion.store;
        let proved = self.entry.prove(store, (&guest, &evidence), Purpose::Claim(&secret), call.now);
        proved.await.map_err(told)?;
        if self.promotion.ledger(guest.to_look_up()).await.map_err(problem)?.is_some() {
            return Err(told(Refusal::Claimed));
        }
        entry::register(store, &guest, &secret, call.now).await.map_err(told)?;
        Ok(Response::empty("ClaimSecretRegistered"))
    }

    /// Goes on with the promotions that the queue names. A message whose
    /// promotion could not be looked at comes again.
    async fn go_on(&self, batch: Batch, call: &Invocation) -> Result<Answer, LambdaFailure> {
        let time_ms = BATCH_MS / u64::try_from(batch.messages.len()).unwrap_or(u64::MAX).max(1);
        let (mut answer, mut cause) = (BatchAnswer::default(), None);
        for message in &batch.messages {
            if let Err(failure) = self.go_on_with(message, time_ms, call).await {
                cause = Some(failure.code().to_owned());
                answer.batch_item_failures.push(Failed { item_identifier: message.message_id.clone() });
            }
        }
        let body = serde_json::to_string(&answer);
        let body =
            body.map_err(|error| LambdaFailure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error))?;
        let code = if answer.batch_item_failures.is_empty() { "QueueServed" } else { "QueueServedInPart" };
        Ok(Answer { body, code, subject: None, cause })
    }

    async fn go_on_with(&self, message: &Message, time_ms: u64, call: &Invocation) -> Result<(), Failure> {
        let Some(guest) = message.guest() else {
            tracing::warn!(code = "NoteUnreadable", message_id = message.message_id, "the message is no note of ours");
            return Ok(());
        };
        match self.promotion.go_on(&guest, &self.mover(call), time_ms).await? {
            Next::Rest => Ok(()),
            Next::Again(seconds) => {
                let noted = self.promotion.outbox.remind(&guest, seconds).await;
                noted.map_err(|error| Failure::unavailable("ReminderNotSent", error))
            }
        }
    }

    /// A name for this call that no other has: an invocation can be repeated
    /// under its own id while the first one still runs.
    fn mover(&self, call: &Invocation) -> String {
        format!("{}-{:016x}", call.request_id, self.promotion.clock.jitter(u64::MAX))
    }
}

fn respond(report: &Report) -> Result<Response, Problem> {
    let answer = wire::Answer::of(report);
    match report.progress {
        Progress::Done => Response::ok("GuestPromoted", &answer),
        Progress::Incomplete(_) => Response::ok("GuestPromotedInPart", &answer),
        Progress::Moving => Response::accepted("GuestMoving", &answer, 2),
    }
}

fn told(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Failed(failure) => problem(failure),
        Refusal::Proof(ProofRefusal::Registered) => Told::GuestRegistered.into(),
        refusal => Problem::Veiled { refusal: Told::GuestRefused, code: refusal.code() },
    }
}

fn problem(failure: Failure) -> Problem {
    let code = failure.code();
    match failure {
        Failure::NotYours | Failure::IdentityTaken => Problem::Veiled { refusal: Told::GuestRefused, code },
        Failure::LoginRefused => Problem::Veiled { refusal: Told::CallerUnknown, code },
        Failure::KeyReused => Told::IdempotencyKeyReused.into(),
        Failure::Unavailable { code, cause } => Problem::Unavailable { code, cause },
    }
}

/// The user's name in the pool, from the ID token that the authorizer has found
/// genuine: it has to be the caller's own.
fn user_name(token: &str, caller: &Caller) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
        #[serde(rename = "cognito:username")]
        user_name: String,
    }
    let payload = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (claims.sub == caller.subject().as_str()).then_some(claims.user_name)
}

impl<F: Fetch, S: records::Store, A: Accounts, O: Outbox, C: Clock> Handler for GuestPromotion<F, S, A, O, C> {
    const NAME: &'static str = "guest-promotion";
    // Less than API Gateway's 30 s and the function's own time-out of 29 s.
    const LIMIT_MS: u64 = 28_000;

    async fn handle(&self, event: &str, call: &Invocation) -> Result<Answer, LambdaFailure> {
        if let Some(batch) = Batch::read(event) {
            return Box::pin(self.go_on(batch, call)).await;
        }
        if wire::is_route(event, "POST /guest/promotion") {
            return answer(event, call, async |request, caller| self.promote(request, caller, call).await).await;
        }
        answer_anybody(event, call, async |request| self.register(request, call).await).await
    }
}
