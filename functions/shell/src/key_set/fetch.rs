//! Fetches a document over HTTPS, with a limit on everything.

use std::fmt;
use std::time::Duration;

use shared::token::MAX_KEY_SET_BYTES;

use super::Fetch;
use crate::https::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use crate::https::{Bytes, Https, HttpsError, Limits, Request, Uri};

/// Fetches key sets. An attempt that fails on the way is made once more.
pub struct Fetcher {
    https: Https,
    types: Types,
}

/// Which types of documents are read. One without a type always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Types {
    Json,
    Any,
}

/// Why a document could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The file of further roots cannot be used.
    RootsUnusable,
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
    /// A document of another type, such as a page.
    NotJson,
    /// A document that is too large, or that ended too early.
    BodyRefused,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RootsUnusable => HttpsError::RootsUnusable.fmt(f),
            Self::AddressMalformed => f.write_str("the address is malformed"),
            Self::TimedOut => f.write_str("nothing came in time"),
            Self::Disconnected => f.write_str("no connection, or it broke"),
            Self::Status(status) => write!(f, "the answer was {status}"),
            Self::Encoded => f.write_str("the document is encoded"),
            Self::NotJson => f.write_str("the document is not of type JSON"),
            Self::BodyRefused => f.write_str("the document is too large or incomplete"),
        }
    }
}

impl std::error::Error for FetchError {}

impl Fetcher {
    /// Prepares the client; nothing is connected yet. An attempt is short, so
    /// that both together take less than 1.5 s.
    pub fn new() -> Self {
        Self::within(Duration::from_millis(400), Duration::from_millis(700))
    }

    /// The same with other limits for one attempt: the connection alone, and all
    /// of it. An issuer in another part of the world takes longer.
    pub fn within(connect: Duration, total: Duration) -> Self {
        let https = Https::new(Limits { connect, total, most_bytes: MAX_KEY_SET_BYTES });
        Self { https, types: Types::Json }
    }

    /// The same, whatever type a document has: for identity pools, of which no page
    /// says what theirs is.
    #[must_use]
    pub fn of_any_type(self) -> Self {
        Self { types: Types::Any, ..self }
    }

    async fn attempt(&self, uri: &Uri) -> Result<Vec<u8>, FetchError> {
        let request = Request::get(uri.clone()).header(ACCEPT, "application/json");
        let answer = self.https.call(request, Bytes::new()).await?;
        let is_other = |kind: &HeaderValue| !kind.to_str().is_ok_and(is_json);
        if self.types == Types::Json && answer.headers().get(CONTENT_TYPE).is_some_and(is_other) {
            return Err(FetchError::NotJson);
        }
        Ok(answer.into_body().into())
    }
}

/// Whether a type is JSON, whichever: `application/json`, `application/jwk-set+json`.
/// <https://www.rfc-editor.org/rfc/rfc7517#section-8.5>
fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

impl From<HttpsError> for FetchError {
    fn from(error: HttpsError) -> Self {
        match error {
            HttpsError::RootsUnusable => Self::RootsUnusable,
            HttpsError::Unwritable => Self::AddressMalformed,
            HttpsError::TimedOut => Self::TimedOut,
            HttpsError::Disconnected => Self::Disconnected,
            HttpsError::Status(status) => Self::Status(status),
            HttpsError::Encoded => Self::Encoded,
            HttpsError::BodyRefused => Self::BodyRefused,
        }
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
        match self.attempt(&uri).await {
            Err(FetchError::Disconnected | FetchError::TimedOut) => self.attempt(&uri).await,
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_json_or_another_one() {
        let table = [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON;charset=UTF-8", true),
            ("application/jwk-set+json", true),
            ("application/json+x", false),
            ("application/jsonp", false),
            ("text/html", false),
            ("text/html; application/json", false),
            ("text/plain", false),
            ("text/json", false),
            ("application/octet-stream", false),
            ("json", false),
            ("", false),
        ];
        for (kind, expected) in table {
            assert_eq!(is_json(kind), expected, "{kind:?}");
        }
    }
}
