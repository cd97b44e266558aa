//! An answer as the service wrote it: a setting that this build of the SDK does
//! not know is in it too.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_cognitoidentityprovider::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentityprovider::error::{BoxError, ProvideErrorMetadata, SdkError};
use serde_json::Value;
use shared::inspection::Look;

use crate::aws::{is_missing, why};

/// Keeps the body of the last answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder(Arc<Mutex<Value>>);

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(body).unwrap_or_default();
        Ok(())
    }
}

impl Recorder {
    /// What the last answer said.
    pub(super) fn last(&self) -> Value {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn holds_document(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_object()
    }

    /// What became of a call: the document that it answered with, also where
    /// this build of the SDK cannot read it.
    pub(super) fn look<T, E: ProvideErrorMetadata>(
        &self,
        call: &str,
        answer: Result<T, SdkError<E, HttpResponse>>,
    ) -> Look {
        match answer {
            Ok(_) => Look::Seen(self.last()),
            Err(error) if error.raw_response().is_some_and(is_good) && self.holds_document() => Look::Seen(self.last()),
            Err(error) => unseen(call, &error),
        }
    }
}

fn is_good(response: &HttpResponse) -> bool {
    response.status().is_success()
}

/// What there is to say where a call failed.
pub(super) fn unseen<E: ProvideErrorMetadata, R>(call: &str, error: &SdkError<E, R>) -> Look {
    if is_missing(error) {
        return Look::Missing;
    }
    Look::Unseen { call: call.to_owned(), why: why(error).to_owned() }
}

/// A member of a document that was seen.
pub(super) fn member(look: Look, name: &str) -> Look {
    match look {
        Look::Seen(Value::Object(mut members)) => members.remove(name).map_or(Look::Missing, Look::Seen),
        other => other,
    }
}
