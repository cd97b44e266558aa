//! The time that calls are signed at: the service's, where ours is wrong.
//!
//! A signature holds for five minutes to either side.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// What services say when a signature is of another time, among other things.
const REFUSALS: [&str; 5] = [
    "AccessDeniedException",
    "AuthFailure",
    "InvalidSignatureException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// A refusal of a request that is nearer to the service's time than this, in
/// seconds, has another reason.
const NOTICED_S: i64 = 4 * 60;

/// How far the services' clock is ahead of ours, in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicI64>);

impl Clock {
    /// The time by the services' clock, as far as it is known.
    pub(super) fn now(&self) -> SystemTime {
        let ahead = self.0.load(Ordering::Relaxed);
        let apart = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let shifted = if ahead < 0 { now.checked_sub(apart) } else { now.checked_add(apart) };
        shifted.unwrap_or(now)
    }

    /// Whether this refusal is because of the time of the request, signed at `signed`.
    /// Then the clock has been set.
    pub(super) fn set_by(&self, code: &str, response: &HttpResponse, signed: SystemTime) -> bool {
        let seconds = |time: SystemTime| DateTime::from(time).secs();
        let said = response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let Some(said) = said.filter(|_| REFUSALS.contains(&code)) else { return false };
        if said.secs().abs_diff(seconds(signed)) < NOTICED_S.unsigned_abs() {
            return false;
        }
        self.0.store(said.secs() - seconds(SystemTime::now()), Ordering::Relaxed);
        true
    }
}
