//! A custom resource of CloudFormation: the suite's triggers in an existing user
//! pool, for as long as the stack has it.
//!
//! It answers always: a refusal, a time-out and a panic are answers too.
//! CloudFormation calls it asynchronously, so Lambda calls again when it dies
//! without an answer, and it goes on from where it was.

mod answer;
mod settings;
mod wire;

use std::time::Duration;

use attachment::{Attachment, Error, Report, Times};
use shell::sdk::SdkConfig;
use shell::{Answer, Failure, Handler, Invocation, PublicText, SettingError};

pub use answer::answer_when_panicking;
pub use settings::Settings;
use wire::{Kind, Request, Status, Unusable};

/// The IAM actions that this function needs.
pub mod actions {
    pub use attachment::actions::{FUNCTIONS, MEMORY, OWNER, POOL};
}

/// What attaching and detaching may take. The template gives the function more.
const WORK: Duration = Duration::from_secs(90);

/// The function.
pub struct PoolAttachment {
    ready: Result<Ready, String>,
}

/// What it works with once its settings are usable.
struct Ready {
    attachment: Attachment,
    settings: Settings,
}

/// How one request went, for the log.
struct Ended {
    code: &'static str,
    status: Status,
}

impl Ended {
    fn nothing_to_detach() -> Self {
        Self { code: "NothingToDetach", status: Status::Success(String::new()) }
    }
}

impl PoolAttachment {
    /// Settings that cannot be used are no reason to be silent: each request is
    /// answered with them.
    pub fn new(settings: Result<Settings, SettingError>, config: &SdkConfig) -> Self {
        let ready = |settings: Settings| Ready { attachment: Attachment::new(config, &settings.name), settings };
        Self { ready: settings.map(ready).map_err(|error| error.to_string()) }
    }

    async fn carry_out(&self, request: &Request) -> Result<Ended, Unusable> {
        let kind = request.kind()?;
        if kind == Kind::Detach && request.was_never_made() {
            return Ok(Ended::nothing_to_detach());
        }
        let order = match request.order() {
            // What was never understood was never attached, and CloudFormation
            // cleans up after a creation that failed.
            Err(_) if kind == Kind::Detach => return Ok(Ended::nothing_to_detach()),
            order => order?,
        };
        let ready = match &self.ready {
            Ok(ready) => ready,
            Err(problem) => return Ok(Ended { code: "SettingRefused", status: Status::Failed(problem.clone()) }),
        };
        let times = Times::from_now(WORK);
        let (code, result) = match kind {
            Kind::Attach => ("Attached", ready.attachment.attach(&order, Some(&ready.settings.rules), times).await),
            Kind::Detach => ("Detached", ready.attachment.detach(&order, times).await),
        };
        Ok(match result {
            Ok(report) => Ended { code, status: Status::Success(said(&report)) },
            Err(Error::PoolIdRefused) if kind == Kind::Detach => Ended::nothing_to_detach(),
            Err(error) => Ended { code: error.code(), status: Status::Failed(format!("{}: {error}", error.code())) },
        })
    }

    /// Answers CloudFormation; only if that fails the call fails, so that Lambda
    /// makes it again.
    async fn tell(&self, request: &Request, ended: Ended) -> Result<Answer, Failure> {
        let told = answer::put(request.address().map_err(refused)?, request.answer(&ended.status)).await;
        told.map_err(|error| Failure::new("AnswerUndelivered", PublicText::TryAgain).caused_by(error))?;
        answer::settle();
        let cause = match ended.status {
            Status::Success(text) | Status::Failed(text) => Some(text).filter(|text| !text.is_empty()),
        };
        Ok(Answer { cause, ..Answer::new("null".to_owned(), ended.code) })
    }
}

fn said(report: &Report) -> String {
    let warnings = report.warnings.iter().map(|warning| format!("{}: {warning}", warning.code()));
    warnings.collect::<Vec<_>>().join("; ")
}

/// There is nobody to answer.
fn refused(unusable: Unusable) -> Failure {
    Failure::new(unusable.code, PublicText::RequestUnreadable).caused_by(unusable.problem)
}

impl Handler for PoolAttachment {
    const NAME: &'static str = "pool-attachment";
    // CloudFormation waits for the answer that is put, not for the call.
    const LIMIT_MS: u64 = 110_000;
    const CLOSING_MS: u64 = answer::CLOSING_MS;

    async fn handle(&self, event: &str, _: &Invocation) -> Result<Answer, Failure> {
        let request = Request::read(event).map_err(refused)?;
        let address = request.address().map_err(refused)?;
        answer::owe(address, request.answer(&Status::Failed("Panicked: the function ended unexpectedly".to_owned())));
        let ended = self.carry_out(&request).await.unwrap_or_else(|unusable| Ended {
            code: unusable.code,
            status: Status::Failed(format!("{}: {}", unusable.code, unusable.problem)),
        });
        self.tell(&request, ended).await
    }

    async fn out_of_time(&self, event: &str, _: &Invocation) -> Result<Answer, Failure> {
        let request = Request::read(event).map_err(refused)?;
        let status = Status::Failed("OutOfTime: the time was up; it can be tried again".to_owned());
        self.tell(&request, Ended { code: "OutOfTime", status }).await
    }
}

#[cfg(test)]
mod tests;
