//! Calls of AWS services, raw: documents are sent and read as they are.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use serde_json::Value;
use shell::https::{Bytes, Https, HttpsError, Limits};
use shell::signed::{Outgoing, sign};
use tokio::time::Instant;

use crate::error::Error;

/// A pool with the longest texts everywhere has some 100 kB.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_secs(10), most_bytes: 4 * 1024 * 1024 };

/// The longest part of a service's sentence that is passed on.
const LONGEST_MESSAGE: usize = 300;

/// A service that is called here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    Pools,
    Functions,
    Parameters,
    Stacks,
}

impl Service {
    /// The name that calls are signed for, and the one in settings.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Pools => ("cognito-idp", "Cognito Identity Provider"),
            Self::Functions => ("lambda", "Lambda"),
            Self::Parameters => ("ssm", "SSM"),
            Self::Stacks => ("cloudformation", "CloudFormation"),
        }
    }
}

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    pub(crate) region: &'a str,
    pub(crate) operation: &'static str,
    pub(crate) method: &'static str,
    /// Path and query, already percent-encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Signs and sends.
pub(crate) struct Signed {
    https: Https,
    config: SdkConfig,
    credentials: Option<SharedCredentialsProvider>,
}

impl Signed {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { https: Https::new(LIMITS), config: config.clone(), credentials: config.credentials_provider() }
    }

    /// Calls until there is an answer that is worth having, or the time is up.
    /// What is repeated here may be repeated: all calls are reads, or writes of
    /// a whole thing.
    pub(crate) async fn call(&self, call: &Call<'_>, until: Instant) -> Result<Bytes, Error> {
        let mut wait = Duration::from_millis(100);
        loop {
            let attempt = tokio::time::timeout_at(until, self.attempt(call)).await;
            let error = match attempt.unwrap_or(Err(Error::OutOfTime(call.operation))) {
                Err(error) if is_passing(&error) => error,
                ended => return ended,
            };
            if Instant::now() + wait >= until {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(3));
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        let (name, id) = call.service.names();
        let endpoint = shell::sdk::endpoint(&self.config, name, id, call.region);
        let provider = self.credentials.as_ref().ok_or(Error::Unsigned)?;
        let credentials = provider.provide_credentials().await.map_err(|_| Error::Unsigned)?;
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let outgoing = Outgoing {
            method: call.method,
            url: &format!("{endpoint}{}", call.target),
            headers: &headers,
            body: call.body.as_bytes(),
        };
        let request = sign(&outgoing, name, call.region, &credentials.into(), SystemTime::now());
        let request = request.map_err(|_| Error::Unsigned)?;
        let answer = self.https.exchange(request, Bytes::from(call.body.clone())).await;
        let answer = answer.map_err(|reason| Error::Silent { operation: call.operation, reason })?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let named = answer.headers().get("x-amzn-errortype").and_then(|name| name.to_str().ok());
        Err(refused(call.operation, answer.status().as_u16(), named, answer.body()))
    }
}

/// Whether the same call may well succeed later. That another update of the pool
/// is under way is none of these: then the pool has to be read again.
fn is_passing(error: &Error) -> bool {
    match error {
        // Each service has names of its own for what is not the caller's fault.
        Error::Service { status, code, .. } => {
            *status >= 500 || ["TooManyRequestsException", "ThrottlingException", "Throttling"].contains(&code.as_str())
        }
        Error::Silent { reason, .. } => {
            matches!(reason, HttpsError::Disconnected | HttpsError::BodyRefused | HttpsError::TimedOut)
        }
        _ => false,
    }
}

/// JSON services name an error in the body, REST services in a header.
fn refused(operation: &'static str, status: u16, header: Option<&str>, body: &[u8]) -> Error {
    let body_text = String::from_utf8_lossy(body);
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let xml = |tag: &str| Some(body_text.split_once(&format!("<{tag}>"))?.1.split_once('<')?.0);
    let name = text("__type").or(header).or_else(|| xml("Code"));
    let name = name.map(|name| name.rsplit('#').next().unwrap_or(name)).and_then(|name| name.split(':').next());
    let code = name.map_or_else(|| format!("Http{status}"), str::to_owned);
    let message = text("message").or_else(|| text("Message")).or_else(|| xml("Message")).unwrap_or_default();
    Error::Service { operation, status, code, message: message.chars().take(LONGEST_MESSAGE).collect() }
}
