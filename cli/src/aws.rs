//! What the calls of all subcommands share.

use std::future::Future;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};

use crate::output::Failure;

/// Runs calls to their end, or until Ctrl-C.
pub(crate) fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed("Broken", error.to_string()))?;
    runtime.block_on(async {
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::stopped("stopped")),
        }
    })
}

/// Why a call failed, in the service's code; its text could quote what is
/// nobody's business.
pub(crate) fn why<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.code().unwrap_or(match error {
        SdkError::ConstructionFailure(_) => "no request could be made; are there credentials and a region?",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection, or no credentials",
        _ => "no usable answer",
    })
}

/// Whether the service says that there is no such thing.
pub(crate) fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let codes = ["NoSuchEntity", "NoSuchEntityException", "NotFoundException", "ResourceNotFoundException"];
    error.code().is_some_and(|code| codes.contains(&code))
}

/// A call that failed, as the answer of the subcommand.
pub(crate) fn failure<E: ProvideErrorMetadata, R>(operation: &str, error: &SdkError<E, R>) -> Failure {
    let code = match why(error) {
        "AccessDeniedException" | "NotAuthorizedException" | "AccessDenied" => "NotAllowed",
        "UserNotFoundException" => "UserMissing",
        _ if is_missing(error) => "Missing",
        _ => "CallFailed",
    };
    Failure::failed(code, format!("{operation}: {}", why(error)))
}
