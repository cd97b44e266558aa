//! Fetches a document over HTTPS, with a limit on everything.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_ENCODING};
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use shared::token::MAX_KEY_SET_BYTES;

use crate::key_set::Fetch;

/// One attempt: connection, TLS, answer and body.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(700);

/// The connection alone.
const CONNECT_LIMIT: Duration = Duration::from_millis(400);

/// Fetches over HTTPS (HTTP/1.1), trusting the web's own roots.
///
/// It follows no redirect, asks for no compression and keeps no connection: key
/// sets are fetched once in an hour, and a connection that slept through a
/// freeze would only be broken. An attempt that fails on the way is made once
/// more, so all of it takes less than 1.5 s.
pub struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// Why a document could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The address is not one.
    AddressMalformed,
    /// Nothing came in time.
    TimedOut,
    /// No connection, or it broke.
    Disconnected,
    /// An answer, but not 200.
    Status(u16),
    /// A document with an encoding that was not asked for.
    Encoded,
    /// A document that is too large, or that ended too early.
    BodyRefused,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressMalformed => f.write_str("the address is malformed"),
            Self::TimedOut => f.write_str("nothing came in time"),
            Self::Disconnected => f.write_str("no connection, or it broke"),
            Self::Status(status) => write!(f, "the answer was {status}"),
            Self::Encoded => f.write_str("the document is encoded"),
            Self::BodyRefused => f.write_str("the document is too large or incomplete"),
        }
    }
}

impl std::error::Error for FetchError {}

impl Fetcher {
    /// Prepares the client; nothing is connected yet.
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_LIMIT));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Plain HTTP is for addresses of this machine; the settings see to it.
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        Self(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https))
    }

    async fn attempt(&self, uri: &Uri) -> Result<Vec<u8>, FetchError> {
        let request = Request::get(uri.clone()).header(ACCEPT, "application/json").body(Empty::new());
        let request = request.map_err(|_| FetchError::AddressMalformed)?;
        let response = self.0.request(request).await.map_err(|_| FetchError::Disconnected)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        if response.headers().contains_key(CONTENT_ENCODING) {
            return Err(FetchError::Encoded);
        }
        let body = Limited::new(response.into_body(), MAX_KEY_SET_BYTES).collect().await;
        Ok(body.map_err(|_| FetchError::BodyRefused)?.to_bytes().into())
    }

    async fn attempt_in_time(&self, uri: &Uri) -> Result<Vec<u8>, FetchError> {
        tokio::time::timeout(ATTEMPT_LIMIT, self.attempt(uri)).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetch for Fetcher {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, FetchError> {
        let uri: Uri = address.parse().map_err(|_| FetchError::AddressMalformed)?;
        match self.attempt_in_time(&uri).await {
            Err(FetchError::Disconnected | FetchError::TimedOut) => self.attempt_in_time(&uri).await,
            answer => answer,
        }
    }
}
