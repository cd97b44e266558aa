//! Imitates: what follows a confirmation.
//!
//! A user who typed the code has proved his address, so Cognito marks it as
//! verified. Then it calls post-confirmation. The user is confirmed by then: a
//! failing function makes the call fail, and undoes nothing.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html>

use serde_json::{Value, json};

use super::Gateway;
use super::exchange::{Call, Reply};
use super::trigger::{Event, invoke};

/// The answer to a confirmation that the local AWS has answered with `reply`.
pub async fn follow(gateway: &Gateway, call: &Call, reply: Reply) -> Reply {
    if !reply.status.is_success() {
        return reply;
    }
    match call_trigger(gateway, call).await {
        Some(Err(error)) => error,
        Some(Ok(())) | None => reply,
    }
}

/// `None` when there is nothing to call.
async fn call_trigger(gateway: &Gateway, call: &Call) -> Option<Result<(), Reply>> {
    let action = call.cognito_action()?;
    let body = call.json();
    let client = body.get("ClientId").and_then(Value::as_str);
    let pool = match client {
        Some(client) => gateway.pools.of_client(client).await?,
        None => body.get("UserPoolId")?.as_str()?.to_owned(),
    };
    let name = body.get("Username")?.as_str()?;
    if action == "ConfirmSignUp" && gateway.pools.verifies_email(&pool).await {
        gateway.pools.mark_email_verified(&pool, name).await?;
    }
    let function = gateway.pools.triggers(&pool).await?.post_confirmation?;
    let user = gateway.pools.user(&pool, name).await?;
    let event = Event {
        source: source(action),
        pool: &pool,
        client,
        user: &user.name,
        attributes: &user.attributes,
        metadata: body.get("ClientMetadata"),
        validation: None,
        response: json!({}),
    };
    Some(invoke(&gateway.lambda, &function, &event).await)
}

fn source(action: &str) -> &'static str {
    match action {
        "ConfirmForgotPassword" => "PostConfirmation_ConfirmForgotPassword",
        _ => "PostConfirmation_ConfirmSignUp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_password_is_not_a_sign_up() {
        let table = [
            ("ConfirmSignUp", "PostConfirmation_ConfirmSignUp"),
            ("AdminConfirmSignUp", "PostConfirmation_ConfirmSignUp"),
            ("SignUp", "PostConfirmation_ConfirmSignUp"),
            ("ConfirmForgotPassword", "PostConfirmation_ConfirmForgotPassword"),
        ];
        for (action, expected) in table {
            assert_eq!(source(action), expected, "{action}");
        }
    }
}
