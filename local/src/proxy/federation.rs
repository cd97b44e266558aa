//! Imitates: what the local AWS leaves out of a sign-in at another company.
//!
//! It sends the browser to the provider, takes the code that comes back, and
//! calls pre-sign-up. Added here:
//!
//! - after the first sign-in, `PostConfirmation_ConfirmSignUp`;
//! - the app's PKCE challenge, which is forgotten there, is kept with the code;
//! - what is refused goes back to the app's own address, as Cognito does it, and
//!   does not end on a page of the local AWS.
//!
//! Not imitated: the provider's ID token is believed without its signature, and
//! an attribute that the provider names is kept also when it is not mapped.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/using-pkce-in-authorization-code.html>

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::json;

use super::Gateway;
use super::exchange::{Call, Reply, text};
use super::pool::User;
use super::trigger::{Event, invoke};

/// The sign-ins that are under way, and the users who were confirmed.
#[derive(Debug, Default)]
pub struct Federation {
    /// By the `state` that the local AWS gave the provider.
    under_way: Mutex<HashMap<String, Attempt>>,
    /// The challenge of each code that was given to an app. Kept, so that a
    /// wrong answer does not open the code for the next.
    codes: Mutex<HashMap<String, String>>,
    /// Pool and name of each user whom post-confirmation was told of.
    confirmed: Mutex<HashSet<(String, String)>>,
}

/// What an app asked for when it sent its user here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attempt {
    client: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: Option<String>,
}

impl Attempt {
    fn read(query: &Query) -> Option<Self> {
        Some(Self {
            client: query.get("client_id")?.to_owned(),
            redirect_uri: query.get("redirect_uri")?.to_owned(),
            state: query.get("state").map(str::to_owned),
            challenge: query.get("code_challenge").map(str::to_owned),
        })
    }

    /// The app's own address, with what went wrong.
    fn refused(&self, kind: &str, why: &str) -> Option<Reply> {
        let mut url = Url::parse(&self.redirect_uri).ok()?;
        url.query_pairs_mut().append_pair("error", kind).append_pair("error_description", why);
        if let Some(state) = &self.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(url.as_str()).ok()?);
        Some(Reply { status: StatusCode::FOUND, headers, body: axum::body::Bytes::new() })
    }
}

/// The browser is sent to the provider.
pub async fn to_provider(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let query = Query::of_target(&call.target);
    let reply = gateway.forward(call).await?;
    let relayed = location(&reply).and_then(|url| Query::of_url(&url).get("state").map(str::to_owned));
    if let (true, Some(state), Some(attempt)) =
        (query.get("identity_provider").is_some(), relayed, Attempt::read(&query))
    {
        held(&gateway.federation.under_way).insert(state, attempt);
    }
    Ok(reply)
}

/// The browser comes back from the provider.
pub async fn from_provider(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let query = Query::of_target(&call.target);
    let attempt = query.get("state").and_then(|state| held(&gateway.federation.under_way).remove(state));
    let Some(attempt) = attempt else { return gateway.forward(call).await };
    if let Some(kind) = query.get("error") {
        let why = query.get("error_description").unwrap_or_default();
        return Ok(attempt.refused(kind, why).unwrap_or(gateway.forward(call).await?));
    }
    let reply = gateway.forward(call).await?;
    let code = location(&reply).and_then(|url| Query::of_url(&url).get("code").map(str::to_owned));
    let Some(code) = code else {
        return Ok(attempt.refused("invalid_request", &reason(&reply)).unwrap_or(reply));
    };
    if let Some(refusal) = confirm_newcomers(gateway, &attempt.client).await? {
        return Ok(attempt.refused("invalid_request", &reason(&refusal)).unwrap_or(refusal));
    }
    if let Some(challenge) = attempt.challenge {
        held(&gateway.federation.codes).insert(code, challenge);
    }
    Ok(reply)
}

/// The app takes the tokens for its code.
pub async fn tokens(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let form = Query::of_text(&String::from_utf8_lossy(&call.body));
    let challenge = form.get("code").and_then(|code| held(&gateway.federation.codes).get(code).cloned());
    match challenge {
        Some(challenge) if !answers(&challenge, form.get("code_verifier")) => Ok(bad_grant()),
        _ => gateway.forward(call).await,
    }
}

/// Tells post-confirmation of each user who came from a provider for the first
/// time; the refusal, if it refuses one.
async fn confirm_newcomers(gateway: &Gateway, client: &str) -> Result<Option<Reply>> {
    let Some(pool) = gateway.pools.of_client(client).await? else { return Ok(None) };
    let function = gateway.pools.triggers(&pool).await?.and_then(|all| all.post_confirmation);
    for user in gateway.pools.external_users(&pool).await? {
        let new = held(&gateway.federation.confirmed).insert((pool.clone(), user.name.clone()));
        if let (true, Some(function)) = (new, &function) {
            let told = invoke(&gateway.lambda, function, &confirmed(&pool, client, &user)).await;
            if let Err(refusal) = told {
                return Ok(Some(refusal));
            }
        }
    }
    Ok(None)
}

fn confirmed<'a>(pool: &'a str, client: &'a str, user: &'a User) -> Event<'a> {
    Event {
        source: "PostConfirmation_ConfirmSignUp",
        pool,
        client: Some(client),
        user: &user.name,
        attributes: &user.attributes,
        metadata: None,
        validation: None,
        response: json!({}),
    }
}

/// What a refusal says to the user, in Cognito's words. The local AWS gives the
/// function's whole error where Cognito gives its message.
fn reason(reply: &Reply) -> String {
    let body = reply.json();
    let said = text(&body, "message").or_else(|| text(&body, "error_description")).unwrap_or("the sign-in failed");
    match message_of(said) {
        Some(message) => format!("PreSignUp failed with error {message}."),
        None => said.to_owned(),
    }
}

/// The `errorMessage` of a function's error, written as JSON or as Python
/// writes it.
fn message_of(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("errorMessage")?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches(':').trim_start();
    let quote = rest.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
    rest.strip_prefix(quote)?.split_once(quote).map(|(message, _)| message.to_owned())
}

/// Only `S256` is known to Cognito.
fn answers(challenge: &str, verifier: Option<&str>) -> bool {
    verifier.is_some_and(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge)
}

fn bad_grant() -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Reply { status: StatusCode::BAD_REQUEST, headers, body: json!({ "error": "invalid_grant" }).to_string().into() }
}

fn location(reply: &Reply) -> Option<Url> {
    Url::parse(reply.headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// The members of a query or a form.
struct Query(Vec<(String, String)>);

impl Query {
    fn of_url(url: &Url) -> Self {
        Self(url.query_pairs().into_owned().collect())
    }

    fn of_text(text: &str) -> Self {
        Self::of_target(&format!("/?{text}"))
    }

    fn of_target(target: &str) -> Self {
        Url::parse("http://localhost")
            .and_then(|base| base.join(target))
            .map_or(Self(Vec::new()), |url| Self::of_url(&url))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verifier_of_the_challenge_answers_it() {
        // https://www.rfc-editor.org/rfc/rfc7636#appendix-B
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let table = [
            (Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), true),
            (Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"), false),
            (Some(challenge), false),
            (Some(""), false),
            (None, false),
        ];
        for (verifier, expected) in table {
            assert_eq!(answers(challenge, verifier), expected, "{verifier:?}");
        }
    }

    #[test]
    fn a_refusal_goes_back_to_the_app_with_its_state() {
        let query = Query::of_target(
            "/oauth2/authorize?client_id=web&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback%3Fa%3Db&state=x%26y",
        );
        let attempt = Attempt::read(&query).unwrap();
        let reply = attempt.refused("invalid_request", "PreSignUp failed with error no.").unwrap();
        let url = location(&reply).unwrap();
        assert_eq!((url.path(), reply.status), ("/callback", StatusCode::FOUND));
        let query = Query::of_url(&url);
        let expected = [
            ("a", "b"),
            ("error", "invalid_request"),
            ("error_description", "PreSignUp failed with error no."),
            ("state", "x&y"),
        ];
        for (name, value) in expected {
            assert_eq!(query.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_functions_error_is_told_by_its_message_alone() {
        let table = [
            (r#"{"errorType": "Refused", "errorMessage": "No. (Code)"}"#, "PreSignUp failed with error No. (Code)."),
            (r#"{'errorMessage': 'No', 'errorType': 'Refused'}"#, "PreSignUp failed with error No."),
            ("OIDC token exchange failed", "OIDC token exchange failed"),
        ];
        for (said, expected) in table {
            assert_eq!(reason(&Reply::error("UserLambdaValidationException", said)), expected, "{said}");
        }
    }
}
