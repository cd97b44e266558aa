//! Imitates: what follows a confirmation.
//!
//! A user who typed the code has proved his address, so Cognito marks it as
//! verified. Then it calls post-confirmation. The user is confirmed by then: a
//! failing function makes the call fail, and undoes nothing.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html>

use anyhow::Result;
use serde_json::json;

use super::Gateway;
use super::exchange::{Call, Reply, text};
use super::trigger::{Event, invoke};

/// The answer to a confirmation that the local AWS has answered with `reply`.
pub async fn follow(gateway: &Gateway, call: &Call, reply: Reply) -> Result<Reply> {
    if !reply.status.is_success() {
        return Ok(reply);
    }
    Ok(call_trigger(gateway, call).await?.unwrap_or(reply))
}

/// The error that the caller gets instead of his answer, or `None`.
async fn call_trigger(gateway: &Gateway, call: &Call) -> Result<Option<Reply>> {
    let body = call.json();
    let (action, client) = (call.cognito_action().unwrap_or_default(), text(&body, "ClientId"));
    let pool = match client {
        Some(client) => gateway.pools.of_client(client).await?,
        None => text(&body, "UserPoolId").map(str::to_owned),
    };
    let (Some(pool), Some(name)) = (pool, text(&body, "Username")) else { return Ok(None) };
    if action == "ConfirmSignUp" && gateway.pools.verifies_email(&pool).await? {
        gateway.pools.mark_email_verified(&pool, name).await?;
    }
    let Some(function) = gateway.pools.triggers(&pool).await?.and_then(|all| all.post_confirmation) else {
        return Ok(None);
    };
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
    Ok(invoke(&gateway.lambda, &function, &event).await.err())
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
