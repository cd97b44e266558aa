//! One call: written once, signed and sent, again where that may help, and read.

use std::time::{Duration, Instant};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse as _, SerializeRequest as _};
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ProvideErrorKind;

use super::{BuildError, Client, Operation, SdkError};
use crate::https::header::{CONTENT_LENGTH, USER_AGENT};
use crate::https::{Bytes, HttpsError, Response};
use crate::signed::{self, Outgoing};

/// The longest wait before a second attempt; the next ones are twice as long. Each is
/// cut by a random part, so that those who failed together do not come back together.
const FIRST_WAIT: Duration = Duration::from_millis(25);

const USER_AGENT_TEXT: &str = concat!("poolhouse/", env!("CARGO_PKG_VERSION"));

/// What is sent, but for the signature.
struct Written {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// Why an attempt brought nothing, and whether another may.
struct Failed<E> {
    error: SdkError<E>,
    passing: bool,
}

impl Client {
    /// Calls an operation, and again while there is hope and the client's pace allows.
    ///
    /// An input that cannot be built, or lacks what the service demands, is an error
    /// without a call. A write may be made twice when its answer was lost.
    pub async fn send<O: Operation>(&self, input: Result<O, BuildError>) -> Result<O::Output, SdkError<O::Error>> {
        let written = input.map_err(BoxError::from).and_then(|input| self.write(input));
        let written = written.map_err(SdkError::construction_failure)?;
        let (begun, mut wait) = (Instant::now(), FIRST_WAIT);
        let left = || self.pace.whole.saturating_sub(begun.elapsed());
        for _ in 1..self.pace.attempts {
            match self.attempt::<O>(&written, left()).await {
                Err(failed) if failed.passing && left() > wait => {
                    self.transport.wait(wait.mul_f64(fastrand::f64())).await;
                }
                ended => return ended.map_err(|failed| failed.error),
            }
            wait *= 2;
        }
        self.attempt::<O>(&written, left()).await.map_err(|failed| failed.error)
    }

    fn write<O: Operation>(&self, input: O) -> Result<Written, BoxError> {
        let serializer = O::codec().serializer().ok_or("no serializer")?;
        let request = serializer.serialize_input(Input::erase(input), &mut O::codec().config())?;
        let body = request.body().bytes().ok_or("a body that streams")?;
        let headers = request.headers().iter().filter(|(name, _)| *name != CONTENT_LENGTH.as_str());
        Ok(Written {
            url: format!("{}{}", self.url(O::SERVICE), request.uri()),
            method: request.method().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: Bytes::copy_from_slice(body),
        })
    }

    async fn attempt<O: Operation>(&self, written: &Written, left: Duration) -> Result<O::Output, Failed<O::Error>> {
        let Written { url, method, headers, body } = written;
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let outgoing = Outgoing { method, url, headers: &headers, body };
        let now = self.clock.now();
        let request = if O::SIGNED {
            let name = O::SERVICE.name();
            signed::sign(&outgoing, name, &self.region, &self.identity, now)
        } else {
            Ok(signed::unsigned(&outgoing))
        };
        let request = request.map_err(|error| Failed::for_good(SdkError::construction_failure(error)))?;
        let request = request.header(USER_AGENT, USER_AGENT_TEXT);
        let limit = self.pace.attempt.min(left);
        let answer = self.transport.exchange(limit, request, body.clone()).await.map_err(Failed::silent)?;
        let mut read = read::<O>(answer);
        if let Err(Failed { error: SdkError::ServiceError(refused), passing }) = &mut read {
            let code = ProvideErrorMetadata::code(refused.err()).unwrap_or_default();
            *passing |= self.clock.set_by(code, refused.raw(), now);
        }
        read
    }
}

#[expect(clippy::result_large_err, reason = "the SDKs' own error, and handed on once")]
fn read<O: Operation>(answer: Response<Bytes>) -> Result<O::Output, Failed<O::Error>> {
    let mut answer = answer.map(SdkBody::from);
    if answer.status().is_success() {
        // Only a refusal is told by headers, too.
        answer.headers_mut().clear();
    }
    let response: HttpResponse = answer.try_into().map_err(|error: HttpError| {
        Failed::for_good(SdkError::dispatch_failure(ConnectorError::other(error.into(), None)))
    })?;
    let Some(deserializer) = O::codec().deserializer() else {
        return Err(Failed::for_good(SdkError::construction_failure("no deserializer")));
    };
    match deserializer.deserialize_nonstreaming_with_config(&response, &O::codec().config()) {
        Ok(output) => match output.downcast::<O::Output>() {
            Ok(output) => Ok(output),
            Err(_) => Err(Failed::for_good(SdkError::response_error("another operation's answer", response))),
        },
        Err(error) => Err(refusal::<O>(error, response)),
    }
}

/// What the service says, or that it cannot be read.
fn refusal<O: Operation>(error: OrchestratorError<Error>, response: HttpResponse) -> Failed<O::Error> {
    let mut refused = None;
    let unreadable = error.map_operation_error(|error| refused = error.downcast::<O::Error>().ok());
    let passing = matches!(response.status().as_u16(), 500 | 502 | 503 | 504) || refused.as_ref().is_some_and(may_pass);
    let error = match refused {
        Some(refused) => SdkError::service_error(refused, response),
        None => SdkError::response_error(unreadable.to_string(), response),
    };
    Failed { error, passing }
}

/// Whether the same call may well succeed later, by the service's model or by the
/// names that errors have everywhere.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
fn may_pass<E: ProvideErrorKind + ProvideErrorMetadata>(error: &E) -> bool {
    let code = ProvideErrorMetadata::code(error).unwrap_or_default();
    error.retryable_error_kind().is_some() || THROTTLING_ERRORS.contains(&code) || TRANSIENT_ERRORS.contains(&code)
}

impl<E> Failed<E> {
    fn passing(error: SdkError<E>) -> Self {
        Self { error, passing: true }
    }

    fn for_good(error: SdkError<E>) -> Self {
        Self { error, passing: false }
    }

    fn silent(reason: HttpsError) -> Self {
        match reason {
            HttpsError::TimedOut => Self::passing(SdkError::timeout_error(reason)),
            HttpsError::Disconnected | HttpsError::BodyRefused => {
                Self::passing(SdkError::dispatch_failure(ConnectorError::io(reason.into())))
            }
            HttpsError::RootsUnusable | HttpsError::Unwritable | HttpsError::Encoded | HttpsError::Status(_) => {
                Self::for_good(SdkError::dispatch_failure(ConnectorError::other(reason.into(), None)))
            }
        }
    }
}
