//! Moves a user in from an old system at the first sign-in.
//!
//! Answers `UserMigration_Authentication` and `UserMigration_ForgotPassword`.
//! Of the event nothing is kept but the password, in a type that cannot be
//! printed and is wiped. The event itself holds it once more and goes back
//! whole, as Cognito demands; the runtime's copies of it are wiped by the
//! allocator that `main` sets.

pub mod actions;
mod attempts;
mod connect;
mod endpoint;
mod hashing;
mod old_system;
mod pool;
mod secret;
mod settings;
mod table;
mod wire;

pub use actions::ALL as ACTIONS;
pub use attempts::{Allowed, Attempts, AttemptsError, AttemptsTable};
pub use connect::connect;
pub use old_system::{AnyDirectory, LegacyDirectory, LookupError, OldAnswer, Question};
pub use settings::{OldSystem, Settings};

use std::sync::Arc;
use std::time::Duration;

use directory::Directory;
use shared::migration::{self, Admission, Decision, Facts, FactsNeeded, FinalStatus, MigrationRules, Request, Source};
use shared::password::Password;
use shared::provisioning::Arrival;
use shell::{Answer, Event, Failure, Handler, Invocation, PublicText};

use wire::Reply;

/// How long a sign-in that has succeeded waits for notes that nothing relies on.
const NOTES_LIMIT: Duration = Duration::from_millis(500);

/// Where a user's rights wait for the first token.
pub trait Arrivals {
    /// Keeps them, in the place of what was kept for him before.
    fn keep(&self, arrival: &Arrival, now: u64) -> impl Future<Output = Result<(), directory::Error>> + Send;
}

impl Arrivals for Directory {
    async fn keep(&self, arrival: &Arrival, now: u64) -> Result<(), directory::Error> {
        self.put_arrival(arrival, now).await
    }
}

/// The function.
pub struct UserMigration<D, A, R> {
    rules: MigrationRules,
    directory: D,
    attempts: A,
    arrivals: R,
}

impl<D, A, R> UserMigration<D, A, R> {
    /// A function that decides by these rules.
    pub fn new(rules: MigrationRules, directory: D, attempts: A, arrivals: R) -> Self {
        Self { rules, directory, attempts, arrivals }
    }
}

impl<D, A, R> Handler for UserMigration<D, A, R>
where
    D: LegacyDirectory,
    A: Attempts,
    R: Arrivals,
{
    const NAME: &'static str = "user-migration";

    const ON_TIMEOUT: PublicText = PublicText::SignInRefused;

    // INVARIANT: whatever goes wrong is told alike, or it would tell a guesser
    // something.
    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        self.answer(event, invocation.now).await.map_err(|failure| failure.told_as(PublicText::SignInRefused))
    }
}

impl<D, A, R> UserMigration<D, A, R>
where
    D: LegacyDirectory,
    A: Attempts,
    R: Arrivals,
{
    async fn answer(&self, event: &str, now: u64) -> Result<Answer, Failure> {
        let event = Event::read(event)?;
        let trigger = event.trigger::<wire::Request>()?;
        let request = Request {
            source: Source::parse(&trigger.source),
            user_name: trigger.user_name.as_deref().unwrap_or_default(),
            password: trigger.request.password.offered(),
        };
        let needed = migration::facts_needed(request);
        let answer = self.fetch(&needed, request.user_name, trigger.request.password.text(), now).await?;
        let facts = Facts { found: &answer.found, proof: answer.proof };
        match migration::decide(&self.rules, request, facts) {
            Decision::Admit(admission) => {
                let cause = self.admit(&needed, &admission, now).await?;
                let body = event.with_response(&Reply::new(&admission))?;
                Ok(Answer { cause, ..Answer::new(body, code(request.source, &admission)) })
            }
            Decision::LeaveAlone(refusal) => Ok(Answer::new(event.unchanged()?, refusal.code())),
            Decision::Refuse(refusal) => Err(Failure::new(refusal.code(), PublicText::SignInRefused)),
        }
    }

    async fn fetch(
        &self,
        needed: &FactsNeeded,
        user_name: &str,
        password: Option<&Arc<Password>>,
        now: u64,
    ) -> Result<OldAnswer, Failure> {
        let question = match (needed, password) {
            (FactsNeeded::Nothing, _) | (FactsNeeded::CheckedUser(_), None) => return Ok(OldAnswer::NONE),
            (FactsNeeded::User(key), _) => Question { user_name, key, password: None, now },
            (FactsNeeded::CheckedUser(key), Some(password)) => {
                self.charge(key, password, now).await?;
                Question { user_name, key, password: Some(password), now }
            }
        };
        self.directory.find(question).await.map_err(|error| failed(error.code(), error))
    }

    /// Counts an attempt. One that may not go on takes as long as any other.
    async fn charge(&self, key: &str, password: &Arc<Password>, now: u64) -> Result<(), Failure> {
        let failure = match self.attempts.charge(key, now).await {
            Ok(Allowed::Yes) => return Ok(()),
            Ok(Allowed::NameWaits) => Failure::new("NameWaits", PublicText::SignInRefused),
            Ok(Allowed::EverybodyWaits) => Failure::new("EverybodyWaits", PublicText::SignInRefused),
            Err(error) => failed(error.code(), error),
        };
        self.directory.pretend(password).await;
        Err(failure)
    }

    /// Keeps what the user brings along, and then, since he is as good as in,
    /// only notes what fails.
    async fn admit(&self, needed: &FactsNeeded, admission: &Admission, now: u64) -> Result<Option<String>, Failure> {
        self.arrivals.keep(&admission.arrival, now).await.map_err(|error| failed(error.code(), error))?;
        let notes = async {
            match needed {
                FactsNeeded::Nothing => (Ok(()), Ok(())),
                FactsNeeded::User(key) => (self.directory.note_moved(key, &admission.id, now).await, Ok(())),
                FactsNeeded::CheckedUser(key) => {
                    tokio::join!(self.directory.note_moved(key, &admission.id, now), self.attempts.forgive(key, now))
                }
            }
        };
        Ok(match tokio::time::timeout(NOTES_LIMIT, notes).await {
            Ok((Ok(()), Ok(()))) => None,
            Ok((Err(error), _)) => Some(shell::chain(&error)),
            Ok((_, Err(error))) => Some(shell::chain(&error)),
            Err(_) => Some("the notes on the old user and his attempts took too long".to_owned()),
        })
    }
}

fn failed(code: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new(code, PublicText::SignInRefused).caused_by(error)
}

/// What the log calls it.
fn code(source: Source, admission: &Admission) -> &'static str {
    match (source, admission.final_status) {
        (Source::Authentication | Source::Unknown, FinalStatus::Confirmed) => "MovedIn",
        (Source::Authentication | Source::Unknown, FinalStatus::ResetRequired) => "MovedInToReset",
        (Source::ForgotPassword, _) => "MovedInForReset",
    }
}

#[cfg(test)]
mod tests;
