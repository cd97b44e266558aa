//! Calls a pool's trigger as Cognito does.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use serde_json::{Value, json};

use super::exchange::Reply;

/// Cognito waits no longer, whatever the function's own time-out says.
const LIMIT: Duration = Duration::from_secs(5);

/// The event's own part of what a trigger is told.
pub struct Event<'a> {
    /// Such as `PostConfirmation_ConfirmSignUp`; the part before the line names
    /// the trigger in errors.
    pub source: &'static str,
    /// The pool that calls.
    pub pool: &'a str,
    /// The client through which the user came; `None` for administrators.
    pub client: Option<&'a str>,
    /// The pool's name of the user.
    pub user: &'a str,
    /// The user's attributes.
    pub attributes: &'a BTreeMap<String, String>,
    /// `ClientMetadata` of the call, as it came.
    pub metadata: Option<&'a Value>,
    /// `ValidationData` of the call; `None` where the trigger has none.
    pub validation: Option<BTreeMap<String, String>>,
    /// The empty response of this trigger.
    pub response: Value,
}

impl Event<'_> {
    fn json(&self) -> Value {
        let mut request = json!({ "userAttributes": self.attributes });
        if let Some(request) = request.as_object_mut() {
            if let Some(validation) = &self.validation {
                request.insert("validationData".to_owned(), json!(validation));
            }
            if let Some(metadata) = self.metadata.filter(|metadata| metadata.is_object()) {
                request.insert("clientMetadata".to_owned(), metadata.clone());
            }
        }
        json!({
            "version": "1",
            "region": crate::cloud::REGION,
            "userPoolId": self.pool,
            "userName": self.user,
            "callerContext": {
                "awsSdkVersion": "aws-sdk-unknown-unknown",
                "clientId": self.client.unwrap_or("CLIENT_ID_NOT_APPLICABLE"),
            },
            "triggerSource": self.source,
            "request": request,
            "response": self.response,
        })
    }

    fn trigger(&self) -> &'static str {
        self.source.split_once('_').map_or(self.source, |(trigger, _)| trigger)
    }
}

/// Calls `function`; what keeps Cognito from going on becomes the error that it
/// gives its caller.
pub async fn invoke(lambda: &aws_sdk_lambda::Client, function: &str, event: &Event<'_>) -> Result<(), Reply> {
    ask(lambda, function, event.trigger(), &event.json()).await.map(|_| ())
}

/// Calls `function` with a whole event of `trigger`, and gives what it answers.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html#API_SignUp_Errors>
pub async fn ask(
    lambda: &aws_sdk_lambda::Client,
    function: &str,
    trigger: &str,
    event: &Value,
) -> Result<Value, Reply> {
    let unexpected = |why: &str| {
        Reply::error("UnexpectedLambdaException", &format!("{trigger} invocation failed due to error {why}."))
    };
    let call = lambda.invoke().function_name(function).payload(Blob::new(event.to_string())).send();
    let output = match tokio::time::timeout(LIMIT, call).await {
        Err(_) => return Err(unexpected("Socket timeout while invoking Lambda function")),
        Ok(Err(_)) => return Err(unexpected("the function cannot be invoked")),
        Ok(Ok(output)) => output,
    };
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    let answer: Value = serde_json::from_slice(&payload).unwrap_or_default();
    if output.function_error.is_some() {
        let text = answer.get("errorMessage").and_then(Value::as_str).unwrap_or("null");
        let text = format!("{trigger} failed with error {text}.");
        return Err(Reply::error("UserLambdaValidationException", &text));
    }
    if !answer.is_object() {
        return Err(Reply::error("InvalidLambdaResponseException", "Unrecognizable lambda output"));
    }
    Ok(answer)
}
