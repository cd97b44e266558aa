//! A call to the gateway and the answer to it, whole.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

/// A request as it came.
///
/// No `Debug`: a body may hold a password.
#[derive(Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query, as written.
    pub target: String,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer as it goes back. No `Debug`: a body may hold tokens.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The prefix of every user pool call.
const USER_POOLS: &str = "AWSCognitoIdentityProviderService.";
/// The prefix of every identity pool call.
const IDENTITY_POOLS: &str = "AWSCognitoIdentityService.";
/// The prefix of every table call.
const TABLES: &str = "DynamoDB_20120810.";

impl Call {
    /// The user pool action, if it is one.
    pub fn cognito_action(&self) -> Option<&str> {
        self.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(USER_POOLS)
    }

    /// The identity pool action, if it is one.
    pub fn identity_action(&self) -> Option<&str> {
        self.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(IDENTITY_POOLS)
    }

    /// The table action, if it is one.
    pub fn table_action(&self) -> Option<&str> {
        self.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TABLES)
    }

    /// The access key that a call says it is signed with.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
    pub fn access_key(&self) -> Option<&str> {
        let signed = self.headers.get("authorization")?.to_str().ok()?;
        signed.split_once("Credential=")?.1.split('/').next()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Reply {
    /// An error as user pools write it.
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html>
    pub fn error(kind: &str, message: &str) -> Self {
        let mut reply = Self::success(&json!({ "__type": kind, "message": message }));
        reply.status = StatusCode::BAD_REQUEST;
        if let Ok(kind) = HeaderValue::from_str(kind) {
            reply.headers.insert("x-amzn-errortype", kind);
        }
        reply
    }

    /// An answer as user pools write it.
    pub fn success(body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
        Self { status: StatusCode::OK, headers, body: body.to_string().into() }
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A text member of a body.
pub fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// The `Name`/`Value` pairs of a member, as the API writes attributes.
pub fn pairs(body: &Value, member: &str) -> Vec<(String, String)> {
    let all = body.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |pair| Some((text(pair, "Name")?.to_owned(), text(pair, "Value").unwrap_or_default().to_owned()));
    all.iter().filter_map(pair).collect()
}
