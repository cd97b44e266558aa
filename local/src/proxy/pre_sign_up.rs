//! Imitates: the pre-sign-up trigger.
//!
//! The local AWS calls it for SignUp only, without `validationData` and
//! `clientMetadata`, and words a refusal in its own way. So a SignUp calls it
//! twice here, first with the whole event. That is within what Cognito
//! promises, which is at least one call. The flags of the answer are taken from
//! the second call.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Gateway;
use super::exchange::{Call, Reply, pairs};
use super::trigger::{Event, invoke};

/// `PreSignUp_SignUp`: the refusal, or `None`.
pub async fn by_the_user(gateway: &Gateway, call: &Call) -> Option<Reply> {
    let body = call.json();
    let client = body.get("ClientId")?.as_str()?;
    let pool = gateway.pools.of_client(client).await?;
    ask(gateway, "PreSignUp_SignUp", &pool, Some(client), &body).await
}

/// `PreSignUp_AdminCreateUser`: the refusal, or `None`. A repeated invitation
/// makes no user, so it calls nothing.
pub async fn by_administrator(gateway: &Gateway, call: &Call) -> Option<Reply> {
    let body = call.json();
    if body.get("MessageAction").and_then(Value::as_str) == Some("RESEND") {
        return None;
    }
    let pool = body.get("UserPoolId")?.as_str()?;
    ask(gateway, "PreSignUp_AdminCreateUser", pool, None, &body).await
}

async fn ask(
    gateway: &Gateway,
    source: &'static str,
    pool: &str,
    client: Option<&str>,
    body: &Value,
) -> Option<Reply> {
    let function = gateway.pools.triggers(pool).await?.pre_sign_up?;
    let user = body.get("Username")?.as_str()?;
    let mut attributes: BTreeMap<_, _> = pairs(body, "UserAttributes").into_iter().collect();
    // The name of a pool that signs in by e-mail is the address.
    if user.contains('@') {
        attributes.entry("email".to_owned()).or_insert_with(|| user.to_owned());
    }
    let event = Event {
        source,
        pool,
        client,
        user,
        attributes: &attributes,
        metadata: body.get("ClientMetadata"),
        validation: Some(pairs(body, "ValidationData").into_iter().collect()),
        response: json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false }),
    };
    invoke(&gateway.lambda, &function, &event).await.err()
}
