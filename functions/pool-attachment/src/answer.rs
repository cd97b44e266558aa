//! Answers CloudFormation, whatever happens: a stack that hears nothing waits
//! for up to an hour.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shell::https::{Bytes, Https, HttpsError, Limits, Request};

/// One attempt; three of them and their pauses fit into [`CLOSING_MS`].
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(1), total: Duration::from_millis(1_500), most_bytes: 64 * 1024 };

/// How often it is tried.
const ATTEMPTS: u32 = 3;

/// What an answer may take, in milliseconds.
pub(crate) const CLOSING_MS: u64 = 5_000;

/// The answer that is owed while a request is worked on. Only a panic reads it.
static OWED: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Puts an answer where CloudFormation looks for it. The address is signed for a
/// request without a content type.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>
pub(crate) async fn put(address: &str, answer: String) -> Result<(), HttpsError> {
    let https = Https::new(LIMITS);
    let answer = Bytes::from(answer);
    let mut attempt = 1;
    loop {
        let request = Request::put(address).header("content-type", "");
        match https.call(request, answer.clone()).await {
            Err(_) if attempt < ATTEMPTS => tokio::time::sleep(Duration::from_millis(100)).await,
            ended => return ended.map(drop),
        }
        attempt += 1;
    }
}

/// Notes what is to be answered should the function panic.
pub(crate) fn owe(address: &str, answer: String) {
    *OWED.lock().unwrap_or_else(PoisonError::into_inner) = Some((address.to_owned(), answer));
}

/// Nothing is owed any more.
pub(crate) fn settle() {
    take();
}

fn take() -> Option<(String, String)> {
    OWED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// From now on a panic is answered before the process ends: what ships ends at
/// the first panic, and nothing could answer afterwards.
pub fn answer_when_panicking() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The runtime of this thread may be what panicked, so on another.
        let told = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let (Some((address, answer)), Ok(runtime)) = (take(), runtime) {
                // Nobody is left to hear that it failed.
                let _ = runtime.block_on(put(&address, answer));
            }
        });
        drop(told.join());
        before(panic);
    }));
}
