//! Imitates: the pre-sign-up trigger.
//!
//! The local AWS calls it for SignUp only, without `validationData` and
//! `clientMetadata`, and words a refusal in its own way. So a SignUp calls it
//! twice here, first with the whole event. That is within what Cognito
//! promises, which is at least one call. The flags of the answer are taken from
//! the second call.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::Gateway;
use super::exchange::{Call, Reply, pairs, text};
use super::trigger::{Event, invoke};

/// `PreSignUp_SignUp`: the refusal, or `None`.
pub async fn by_the_user(gateway: &Gateway, call: &Call) -> Result<Option<Reply>> {
    let body = call.json();
    let Some(client) = text(&body, "ClientId") else { return Ok(None) };
    let Some(pool) = gateway.pools.of_client(client).await? else { return Ok(None) };
    ask(gateway, "PreSignUp_SignUp", &pool, Some(client), &body).await
}

/// `PreSignUp_AdminCreateUser`: the refusal, or `None`. A repeated invitation
/// makes no user, so it calls nothing.
pub async fn by_administrator(gateway: &Gateway, call: &Call) -> Result<Option<Reply>> {
    let body = call.json();
    match text(&body, "UserPoolId") {
        Some(pool) if text(&body, "MessageAction") != Some("RESEND") => {
            ask(gateway, "PreSignUp_AdminCreateUser", pool, None, &body).await
        }
        _ => Ok(None),
    }
}

async fn ask(
    gateway: &Gateway,
    source: &'static str,
    pool: &str,
    client: Option<&str>,
    body: &Value,
) -> Result<Option<Reply>> {
    let triggers = gateway.pools.triggers(pool).await?;
    let (Some(function), Some(user)) = (triggers.and_then(|all| all.pre_sign_up), text(body, "Username")) else {
        return Ok(None);
    };
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
    Ok(invoke(&gateway.lambda, &function, &event).await.err())
}
