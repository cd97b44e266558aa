//! Imitates: an app client may write only its `WriteAttributes`.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#user-pool-settings-attribute-permissions-and-scopes>

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::exchange::{Call, Reply, pairs};
use super::pool::Pools;

/// The refusal of a call that writes what its client may not, or `None`.
pub async fn refusal(pools: &Pools, call: &Call) -> Result<Option<Reply>> {
    let body = call.json();
    let Some(client) = client_of(&body) else { return Ok(None) };
    let Some(pool) = pools.of_client(&client).await? else { return Ok(None) };
    let allowed = pools.write_attributes(&pool, &client).await?;
    let written = pairs(&body, "UserAttributes");
    let forbidden = written.iter().any(|(name, _)| !may_write(allowed.as_deref(), name));
    let text = "A client attempted to write unauthorized attribute";
    Ok(forbidden.then(|| Reply::error("NotAuthorizedException", text)))
}

/// A client that names no attributes may write all standard ones, and no
/// custom one.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html>
fn may_write(allowed: Option<&[String]>, name: &str) -> bool {
    match allowed {
        Some(allowed) => allowed.iter().any(|one| one == name),
        None => !name.starts_with("custom:") && !name.starts_with("dev:"),
    }
}

/// The client named by the call, or by its access token. The token is not
/// verified here: the local AWS does that, and refuses what is forged.
fn client_of(body: &Value) -> Option<String> {
    if let Some(client) = body.get("ClientId").and_then(Value::as_str) {
        return Some(client.to_owned());
    }
    let claims = body.get("AccessToken")?.as_str()?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.get("client_id")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_writes_what_it_names_or_the_standard_attributes() {
        let named = ["email".to_owned(), "custom:colour".to_owned()];
        let table = [
            (Some(&named[..]), "email", true),
            (Some(&named[..]), "custom:colour", true),
            (Some(&named[..]), "name", false),
            (Some(&named[..]), "custom:role", false),
            (None, "name", true),
            (None, "custom:role", false),
            (None, "dev:custom:role", false),
        ];
        for (allowed, name, expected) in table {
            assert_eq!(may_write(allowed, name), expected, "{allowed:?} {name}");
        }
    }

    #[test]
    fn the_client_is_found_in_the_call_or_in_its_token() {
        let token = format!("x.{}.y", URL_SAFE_NO_PAD.encode(r#"{"client_id":"web"}"#));
        let table = [
            (serde_json::json!({ "ClientId": "app" }), Some("app")),
            (serde_json::json!({ "AccessToken": token }), Some("web")),
            (serde_json::json!({ "AccessToken": "nonsense" }), None),
            (serde_json::json!({}), None),
        ];
        for (body, expected) in table {
            assert_eq!(client_of(&body).as_deref(), expected, "{body}");
        }
    }
}
