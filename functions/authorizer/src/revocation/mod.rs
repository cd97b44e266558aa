//! Whether a genuine token's session still stands: asked once, remembered for
//! moments.

mod aws;
mod kept;

pub use aws::Table;

use std::fmt;
use std::time::{Duration, Instant};

use shared::revocation::{Decision, Mark, Question, Refusal, RevocationRules, Unavailable, decide};
use shared::token::{Session, Verified};
use shell::{Failure, Lookup, PublicText, SettingError};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::Settings;
use kept::{Kept, Moment};

/// When a question must have its answer, the key set before it included, so that
/// the handler, which has 1.5 s, can still say so. One that comes late has what is left.
pub(crate) const BUDGET: Duration = Duration::from_millis(1_300);

/// The one thing that revocation asks of the outside world.
pub trait Marks {
    /// The marks that stand under the keys of a question at `now` (seconds since
    /// 1970), by one call.
    fn find(&self, question: &Question, now: u64) -> impl Future<Output = Result<Vec<Mark>, Unknown>> + Send;
}

/// Nobody can tell.
#[derive(Debug)]
pub struct Unknown(pub(crate) Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the marks cannot be read: {}", self.0)
    }
}

/// Ended sessions and changed rights, as far as they are known here.
pub struct Revocations<M> {
    marks: M,
    rules: RevocationRules,
    /// Locked for as long as a question takes, so that calls which wait for the
    /// same answer find it. Lambda gives an instance one call at a time.
    kept: Mutex<Kept>,
}

impl Revocations<Table> {
    /// Reads what the calls need from the function's own environment; `None`
    /// where revocation is off. Makes no call.
    pub fn connect(settings: &Settings, lookup: Lookup<'_>) -> Result<Option<Self>, SettingError> {
        let table = settings.revocation_table.as_ref().map(|name| Table::connect(name, lookup)).transpose()?;
        Ok(table.map(|table| Self::new(table, settings.revocation.clone())))
    }
}

/// What becomes of a genuine token.
#[derive(Debug)]
pub(crate) enum Standing {
    /// It counts.
    InForce,
    /// It counts because the rules say so when nobody can tell; the reason is
    /// for the log.
    Unchecked(String),
    /// It does not count any more.
    Revoked(Refusal),
    /// Nobody can tell, and then nobody gets in.
    Refused(Failure),
}

impl<M: Marks> Revocations<M> {
    pub(crate) fn new(marks: M, rules: RevocationRules) -> Self {
        Self { marks, kept: Mutex::new(Kept::new(rules.cache_seconds)), rules }
    }

    /// Decides about a token at `now` (seconds since 1970), within `left`.
    pub(crate) async fn standing(&self, verified: &Verified, now: u64, left: Duration) -> Standing {
        match Question::about(verified).zip(verified.session()) {
            Some((question, session)) => self.answer(question, session, now, left).await,
            // Such a token was refused when it was verified.
            None => self.unknown(&Unknown("the token names no session".into())),
        }
    }

    async fn answer(&self, question: Question, session: &Session, now: u64, left: Duration) -> Standing {
        let answer = timeout(left, self.decision(question, session, now)).await;
        match answer.unwrap_or_else(|_| Err(Unknown("the time is up".into()))) {
            Ok(Decision::InForce) => Standing::InForce,
            Ok(Decision::Refuse(refusal)) => Standing::Revoked(refusal),
            Err(unknown) => self.unknown(&unknown),
        }
    }

    async fn decision(&self, question: Question, session: &Session, now: u64) -> Result<Decision, Unknown> {
        let mut kept = self.kept.lock().await;
        let moment = Moment { wall: now, steady: Instant::now() };
        if let Some(decision) = kept.decision(&question, session, moment) {
            return Ok(decision);
        }
        let marks = self.marks.find(&question, now).await?;
        let decision = decide(session, &marks);
        kept.keep(question, marks, decision, moment);
        Ok(decision)
    }

    fn unknown(&self, unknown: &Unknown) -> Standing {
        match self.rules.unavailable {
            Unavailable::Allow => Standing::Unchecked(unknown.to_string()),
            Unavailable::Refuse => {
                let failure = Failure::new("RevocationUnknown", PublicText::TryAgain);
                Standing::Refused(failure.caused_by(unknown.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
