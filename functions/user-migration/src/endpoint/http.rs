//! One POST over HTTPS, with a limit on everything.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use zeroize::Zeroizing;

use super::signing::Seal;

/// Connection, TLS, answer and body. What is left of 4 s is for the counters.
const LIMIT: Duration = Duration::from_millis(2_500);

/// The connection alone.
const CONNECT_LIMIT: Duration = Duration::from_millis(700);

/// More than any user's answer has.
const MOST_BYTES: usize = 64 * 1024;

/// Posts over HTTPS (HTTP/1.1), trusting the web's own roots.
///
/// It follows no redirect, for a password would go along; it asks for no
/// compression, keeps no connection and tries once: an old system that counts
/// attempts must not count one twice.
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) seal: Seal,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HttpError {
    /// The request could not be written.
    Unwritable,
    /// Nothing came in time.
    TimedOut,
    /// No connection, or it broke.
    Disconnected,
    /// An answer, but not 200.
    Status(u16),
    /// An encoding that was not asked for, or a body that is too large or that
    /// ended too early.
    BodyRefused,
}

impl Http {
    /// What posts to this address. Nothing is connected yet.
    pub(super) fn to(url: &str) -> Option<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_LIMIT));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Plain HTTP is for addresses of this machine; the settings see to it.
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https);
        Some(Self { client, uri: url.parse().ok()? })
    }

    /// Posts a signed message.
    pub(super) async fn post(&self, seal: &Seal, body: Zeroizing<Vec<u8>>) -> Result<Answer, HttpError> {
        tokio::time::timeout(LIMIT, self.attempt(seal, body)).await.unwrap_or(Err(HttpError::TimedOut))
    }

    async fn attempt(&self, seal: &Seal, body: Zeroizing<Vec<u8>>) -> Result<Answer, HttpError> {
        let request = Request::post(self.uri.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &seal.id)
            .header("webhook-timestamp", &seal.timestamp)
            .header("webhook-signature", &seal.signature)
            // Still its own owner, so that the bytes are wiped once they are sent.
            .body(Full::new(Bytes::from_owner(body)))
            .map_err(|_| HttpError::Unwritable)?;
        let response = self.client.request(request).await.map_err(|_| HttpError::Disconnected)?;
        if response.status() != StatusCode::OK {
            return Err(HttpError::Status(response.status().as_u16()));
        }
        if response.headers().contains_key(CONTENT_ENCODING) {
            return Err(HttpError::BodyRefused);
        }
        let seal = Seal {
            id: header(&response, "webhook-id"),
            timestamp: header(&response, "webhook-timestamp"),
            signature: header(&response, "webhook-signature"),
        };
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        Ok(Answer { seal, body: body.map_err(|_| HttpError::BodyRefused)?.to_bytes() })
    }
}

/// A header that is there once; otherwise nothing, which no signature fits.
fn header(response: &Response<Incoming>, name: &str) -> String {
    let mut all = response.headers().get_all(name).iter();
    match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
        (Some(only), None) => only.to_owned(),
        (_, _) => String::new(),
    }
}

impl HttpError {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unwritable => "EndpointUnasked",
            Self::TimedOut => "EndpointTimedOut",
            Self::Disconnected => "EndpointDisconnected",
            Self::Status(_) => "EndpointStatus",
            Self::BodyRefused => "EndpointBodyRefused",
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable => f.write_str("the request could not be written"),
            Self::TimedOut => f.write_str("nothing came in time"),
            Self::Disconnected => f.write_str("no connection, or it broke"),
            Self::Status(status) => write!(f, "the answer was {status}"),
            Self::BodyRefused => f.write_str("the body is encoded, too large or incomplete"),
        }
    }
}

impl std::error::Error for HttpError {}
