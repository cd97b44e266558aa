//! One POST over HTTPS, with a limit on everything.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use shell::https::header::{ACCEPT, CONTENT_TYPE};
use shell::https::{Bytes, Https, HttpsError, Limits, Request, Response, Uri};
use zeroize::Zeroizing;

use super::signing::Seal;

/// What is left of 4 s is for the counters. No user's answer has more bytes.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(700), total: Duration::from_millis(2_500), most_bytes: 64 * 1024 };

/// Posts to the endpoint, once: an old system that counts attempts must not
/// count one twice.
pub(super) struct Http {
    https: Https,
    uri: Uri,
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) seal: Seal,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HttpError(HttpsError);

impl Http {
    /// What posts to this address. Nothing is connected yet.
    pub(super) fn to(url: &str) -> Option<Self> {
        Some(Self { https: Https::new(LIMITS), uri: url.parse().ok()? })
    }

    /// Posts a signed message.
    pub(super) async fn post(&self, seal: &Seal, body: Zeroizing<Vec<u8>>) -> Result<Answer, HttpError> {
        let request = Request::post(self.uri.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &seal.id)
            .header("webhook-timestamp", &seal.timestamp)
            .header("webhook-signature", &seal.signature);
        // Still its own owner, so that the bytes are wiped once they are sent.
        let response = self.https.call(request, Bytes::from_owner(body)).await.map_err(HttpError)?;
        let seal = Seal {
            id: header(&response, "webhook-id"),
            timestamp: header(&response, "webhook-timestamp"),
            signature: header(&response, "webhook-signature"),
        };
        Ok(Answer { seal, body: response.into_body() })
    }
}

/// A header that is there once; otherwise nothing, which no signature fits.
fn header(response: &Response<Bytes>, name: &str) -> String {
    let mut all = response.headers().get_all(name).iter();
    match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
        (Some(only), None) => only.to_owned(),
        (_, _) => String::new(),
    }
}

impl HttpError {
    pub(super) fn code(self) -> &'static str {
        match self.0 {
            HttpsError::RootsUnusable | HttpsError::Unwritable => "EndpointUnasked",
            HttpsError::TimedOut => "EndpointTimedOut",
            HttpsError::Disconnected => "EndpointDisconnected",
            HttpsError::Status(_) => "EndpointStatus",
            HttpsError::Encoded | HttpsError::BodyRefused => "EndpointBodyRefused",
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for HttpError {}
