//! Imitates: a code for a new password goes only to an address that is verified.
//!
//! The local AWS mails it to any.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ForgotPassword.html>

use anyhow::Result;
use aws_sdk_cognitoidentityprovider::types::PreventUserExistenceErrorTypes::Enabled;
use serde_json::json;

use super::Attempt;
use crate::proxy::Gateway;
use crate::proxy::exchange::Reply;
use crate::proxy::pool::User;

/// What one hears who forgot the password and cannot be sent a code, or `None`.
pub(super) async fn withheld(gateway: &Gateway, pool: &str, attempt: &Attempt<'_>) -> Result<Option<Reply>> {
    let Some(user) = gateway.pools.find(pool, attempt.name).await? else { return Ok(None) };
    if is_reachable(&user) {
        return Ok(None);
    }
    if hides_existence(gateway, pool, attempt.client).await? {
        return Ok(Some(simulated(attempt.name)));
    }
    let text = "Cannot reset password for the user as there is no registered/verified email or phone_number";
    Ok(Some(Reply::error("InvalidParameterException", text)))
}

fn is_reachable(user: &User) -> bool {
    let says = |flag: &str| user.attributes.get(flag).is_some_and(|value| value == "true");
    says("email_verified") || says("phone_number_verified")
}

/// Whether an app client tells nobody who exists.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html>
pub(super) async fn hides_existence(gateway: &Gateway, pool: &str, client: &str) -> Result<bool> {
    let described = gateway.pools.describe_client(pool, client).await?;
    Ok(described.and_then(|client| client.prevent_user_existence_errors) == Some(Enabled))
}

/// The answer to a name that the pool does not know, word for word as the local
/// AWS gives it.
fn simulated(name: &str) -> Reply {
    let destination = match name.split_once('@') {
        Some((local, domain)) => format!("{}****@{}****", first(local), first(domain)),
        None => "****".to_owned(),
    };
    let details = json!({ "Destination": destination, "DeliveryMedium": "EMAIL", "AttributeName": "email" });
    Reply::success(&json!({ "CodeDeliveryDetails": details }))
}

fn first(text: &str) -> String {
    text.chars().take(1).collect()
}
