//! A pool that signs, a server that publishes its keys (as the key sets' own
//! tests have them), and an authorizer in front of both.

// Each test binary uses a part of this.
#![expect(dead_code, reason = "each test binary uses a part of this")]

#[path = "../../../shell/tests/support/mod.rs"]
pub(crate) mod keys;

use std::time::{SystemTime, UNIX_EPOCH};

use authorizer::{Authorizer, Settings};
use keys::{ISSUER, KEY, Published, key_set};
use serde_json::{Value, json};
use shared::rules::Rules;
use shell::key_set::{Fetch, Limits};
use shell::{Answer, Failure, Handler as _, Invocation};

pub(crate) const CLIENT: &str = "1example23456789";
pub(crate) const SUBJECT: &str = "7f3c0f6e-0001-4000-8000-000000000001";

/// A small API: one route for everybody of a tenant, one for administrators.
pub(crate) const RULES: &str = r#"
version = 1
[sign_up]
mode = "open"
[tenants]
source = "directory"
[claims]
token_version = "v2"
[[claims.map]]
name = "tenant"
token = "both"
from = { membership = "tenant" }
[[claims.map]]
name = "roles"
token = "both"
from = { membership = "roles" }
[[routes]]
method = "GET"
path = "/items"
[[routes]]
method = "GET"
path = "/items/{id}"
[[routes]]
method = "GET"
path = "/tenants/{tenant}"
[[routes]]
method = "GET"
path = "/admin/items"
roles = ["admin"]
[[routes]]
method = "GET"
path = "/"
"#;

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of an access token of a member of acme.
pub(crate) fn claims() -> Value {
    json!({"sub": SUBJECT, "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "iat": now(), "exp": now() + 600,
        "username": "ann", "email": "canary@acme.example", "tenant": "acme", "roles": ["member"]})
}

/// A token of the pool for a member of acme.
pub(crate) fn good() -> String {
    KEY.token(&claims())
}

/// Settings of this pool and client, with the keys at `address`.
pub(crate) fn settings(address: &str, answer: &str) -> Settings {
    settings_with(RULES, address, answer)
}

/// The same with other rules.
pub(crate) fn settings_with(rules: &str, address: &str, answer: &str) -> Settings {
    let lookup = |key: &str| match key {
        "ISSUERS" => Some(ISSUER.to_owned()),
        "CLIENT_IDS" => Some(CLIENT.to_owned()),
        "KEY_SET_URL" => Some(address.to_owned()),
        "ANSWER" => Some(answer.to_owned()),
        _ => None,
    };
    Settings::with_rules(&lookup, Rules::read(rules).unwrap()).unwrap()
}

/// An authorizer that has the pool's key.
pub(crate) async fn ready(answer: &str) -> Authorizer<Published> {
    let keys = Published(key_set(&[&KEY]));
    Authorizer::start(settings("https://keys.example/{pool}", answer), keys, Limits::default()).await
}

/// Hands an event over, as the shell does.
pub(crate) async fn call<F: Fetch>(authorizer: &Authorizer<F>, event: &Value) -> Result<Answer, Failure> {
    call_text(authorizer, &event.to_string()).await
}

pub(crate) async fn call_text<F: Fetch>(authorizer: &Authorizer<F>, event: &str) -> Result<Answer, Failure> {
    call_at(authorizer, event, now()).await
}

/// The same, at another time of the wall clock.
pub(crate) async fn call_at<F: Fetch>(authorizer: &Authorizer<F>, event: &str, now: u64) -> Result<Answer, Failure> {
    authorizer.handle(event, &Invocation { request_id: "r".to_owned(), now }).await
}

/// An HTTP API event, payload 2.0.
pub(crate) fn http(path: &str, value: &str) -> Value {
    json!({"version": "2.0", "type": "REQUEST",
        "routeArn": format!("arn:aws:execute-api:eu-west-1:123456789012:abc123/$default/GET{path}"),
        "identitySource": [value], "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"authorization": value, "host": "abc123.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {"accountId": "123456789012", "apiId": "abc123", "stage": "$default",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"}}})
}

/// A call of GET /items with this token.
pub(crate) async fn code<F: Fetch>(authorizer: &Authorizer<F>, token: &str) -> &'static str {
    match call(authorizer, &http("/items", &format!("Bearer {token}"))).await {
        Ok(answer) => answer.code,
        Err(failure) => failure.code(),
    }
}
