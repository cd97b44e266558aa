//! From the Runtime API to a handler and back.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::runtime_api::{Lost, Next, RuntimeApi};
use crate::{Failure, PublicText, SettingError, environment, logging};

/// One invocation, as far as a handler needs to know.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The request id that Lambda gave.
    pub request_id: String,
    /// The time of the call, in seconds since 1970. The only clock a decision sees.
    pub now: u64,
}

/// What a handler answers, and what the log says of it.
pub struct Answer {
    /// The JSON that goes back.
    pub body: String,
    /// The decision's stable name.
    pub code: &'static str,
    /// The user's `sub`, where one is known.
    pub subject: Option<String>,
    /// What an operator must know beyond the code, in one line; such an answer
    /// is logged as a warning. Never a secret.
    pub cause: Option<String>,
}

/// Without the body: it may be an event with a password.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer about nobody in particular, with nothing to add.
    pub fn new(body: String, code: &'static str) -> Self {
        Self { body, code, subject: None, cause: None }
    }
}

/// One function: read, fetch, decide, apply, reply.
pub trait Handler {
    /// The function's name, as in its folder.
    const NAME: &'static str;

    /// The longest an answer may take, in milliseconds. Cognito gives its
    /// triggers 5 s, whatever the function's own time-out says.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html#important-lambda-considerations>
    const LIMIT_MS: u64 = 4_000;

    /// What the caller is told when the time is up or the event is unreadable.
    const ON_TIMEOUT: PublicText = PublicText::TryAgain;

    /// Kept back for [`Self::out_of_time`], in milliseconds.
    const CLOSING_MS: u64 = 0;

    /// Answers one event, which is a text as it came: whether it is JSON shows when it is
    /// read.
    fn handle(&self, event: &str, invocation: &Invocation) -> impl Future<Output = Result<Answer, Failure>>;

    /// Answers an event whose time is up, for whoever must be told in another
    /// way than by a failed call.
    fn out_of_time(&self, _event: &str, _invocation: &Invocation) -> impl Future<Output = Result<Answer, Failure>> {
        std::future::ready(Err(Failure::new("DeadlineReached", Self::ON_TIMEOUT)))
    }
}

/// Kept back from the invocation's remaining time so that our own answer comes
/// before Lambda ends the call.
const RESERVE_MS: u64 = 200;

/// Builds the handler and serves it until Lambda ends the process.
///
/// A setting that cannot be used ends the process before the first event, with
/// one log line that names it.
pub async fn start<H, F>(build: F) -> ExitCode
where
    H: Handler,
    F: AsyncFnOnce() -> Result<H, SettingError>,
{
    let built = match logging::start(H::NAME, &environment) {
        Ok(()) => built(build).await,
        Err(error) => Err(error),
    };
    let lost = match built {
        Ok((handler, api)) => serve(&handler, api).await,
        Err(error) => {
            tracing::error!(function = H::NAME, code = "SettingRefused", cause = %error, "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    tracing::error!(function = H::NAME, code = "RuntimeLost", cause = %lost, "the runtime ended");
    ExitCode::FAILURE
}

async fn built<H: Handler>(
    build: impl AsyncFnOnce() -> Result<H, SettingError>,
) -> Result<(H, RuntimeApi), SettingError> {
    let api = RuntimeApi::from_environment(&environment)?;
    Ok((build().await?, api))
}

/// Answers one event after the other, until there are no more.
async fn serve<H: Handler>(handler: &H, mut api: RuntimeApi) -> Lost {
    tokio::spawn(tick());
    loop {
        if let Err(lost) = serve_next(handler, &mut api).await {
            return lost;
        }
    }
}

/// A timer that ends before all others wakes its runtime by a write to the kernel. With
/// one that always ends sooner, no time limit of a call is that.
async fn tick() {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn serve_next<H: Handler>(handler: &H, api: &mut RuntimeApi) -> Result<(), Lost> {
    let next = api.next()?;
    // Lets kept connections hear what became of them while nothing ran.
    tokio::task::yield_now().await;
    let answer = answer(handler, &next).await;
    let ids = next.ids;
    let (status, code) = match answer {
        Ok(body) => (api.answer(&ids, body.as_bytes())?, "AnswerNotTaken"),
        Err(failure) => (api.error(&ids, failure.into())?, "ErrorNotTaken"),
    };
    if status >= 300 {
        // Too large, or too late: the platform has told the caller by itself.
        tracing::warn!(function = H::NAME, request_id = ids.request, code, status, "the Runtime API refused it");
    }
    Ok(())
}

/// One invocation: keep time, answer, log one line.
async fn answer<H: Handler>(handler: &H, next: &Next<'_>) -> Result<String, Failure> {
    let begun = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let invocation = Invocation { request_id: next.ids.request.clone(), now: now.as_secs() };
    let limit = time_limit(H::LIMIT_MS, next.deadline_ms, now);
    let result = match std::str::from_utf8(next.event) {
        Ok(event) => within(limit, handler, event, &invocation).await,
        Err(_) => Err(Failure::new("EventUnreadable", H::ON_TIMEOUT).caused_by("not UTF-8")),
    };
    let duration_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    let request_id = invocation.request_id;
    match result {
        Ok(answer) => {
            let Answer { body, code, subject, cause } = answer;
            match cause {
                None => tracing::info!(function = H::NAME, request_id, code, subject, duration_ms, "answered"),
                Some(cause) => {
                    tracing::warn!(function = H::NAME, request_id, code, cause, subject, duration_ms, "answered");
                }
            }
            Ok(body)
        }
        Err(failure) => {
            let (code, cause) = (failure.code(), failure.cause());
            tracing::warn!(function = H::NAME, request_id, code, cause, duration_ms, "refused");
            Err(failure)
        }
    }
}

async fn within<H: Handler>(
    limit: Duration,
    handler: &H,
    event: &str,
    invocation: &Invocation,
) -> Result<Answer, Failure> {
    // Boxed: the futures of calls, nested in one another, are deeper than the
    // compiler's limit.
    let answer = Box::pin(handler.handle(event, invocation));
    let closing = Duration::from_millis(H::CLOSING_MS);
    match tokio::time::timeout(limit.saturating_sub(closing), answer).await {
        Ok(result) => result,
        Err(_) => {
            let closed = tokio::time::timeout(closing, Box::pin(handler.out_of_time(event, invocation)));
            closed.await.unwrap_or_else(|_| Err(Failure::new("DeadlineReached", H::ON_TIMEOUT)))
        }
    }
}

/// Lambda ends a call whose time is up, so a deadline that passed longer ago than
/// this, in milliseconds, was set by another clock than ours.
const CLOCKS_DIFFER_MS: u64 = 1_000;

/// The handler's own deadline: never past Lambda's, less a reserve. A fast clock
/// must not refuse everybody, so where the clocks differ only ours counts.
fn time_limit(limit_ms: u64, deadline_ms: u64, now: Duration) -> Duration {
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    if now_ms.saturating_sub(deadline_ms) > CLOCKS_DIFFER_MS {
        return Duration::from_millis(limit_ms);
    }
    let remaining = deadline_ms.saturating_sub(now_ms).saturating_sub(RESERVE_MS);
    Duration::from_millis(limit_ms.min(remaining))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_the_smaller_of_ours_and_what_remains() {
        let now = Duration::from_secs(1_000);
        let table = [(5_000, 4_000), (4_100, 3_900), (800, 600), (200, 0), (50, 0), (0, 0)];
        for (remaining, expected) in table {
            let limit = time_limit(4_000, 1_000_000 + remaining, now);
            assert_eq!(limit, Duration::from_millis(expected), "{remaining} ms remaining");
        }
    }

    #[test]
    fn a_deadline_of_another_clock_is_none() {
        let now = Duration::from_secs(100_000);
        let table = [(500, 0), (1_000, 0), (1_001, 4_000), (60_000, 4_000), (90_000_000, 4_000)];
        for (passed, expected) in table {
            let limit = time_limit(4_000, 100_000_000 - passed, now);
            assert_eq!(limit, Duration::from_millis(expected), "it passed {passed} ms ago");
        }
    }
}
