//! An identity pool on loopback, as far as a promotion asks for it, with the
//! event bus beside it.
//!
//! What becomes of a guest and a login is what these pages and reports say: a
//! guest without a login keeps his identity when one is linked, a login that has
//! an identity takes the guest's in, which is then disabled, and two logins of
//! one provider never share an identity.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/switching-identities.html>
//! <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html>

#![expect(clippy::indexing_slicing, reason = "a missing member of JSON is null, and writing one makes it")]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::http::Response;

/// The secret key of all credentials that the pool gives. Nobody may see it.
pub const GIVEN_SECRET: &str = "canary-given-secret-key-0123456789";

/// What became of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// It has no login.
    Guest,
    /// It has the login of this user.
    Of(String),
    /// It was merged into another.
    Disabled,
}

/// Identities, the events that were sent, and how the pool answers.
#[derive(Debug, Default)]
pub struct IdentityPool {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    identities: BTreeMap<String, Identity>,
    made: usize,
    events: Vec<Value>,
    fails: usize,
    loses: usize,
    leaves: usize,
}

impl IdentityPool {
    /// The pool's id.
    pub const ID: &str = "us-east-1:11111111-2222-4333-8444-555555555555";
    /// The user pool whose logins it takes.
    pub const PROVIDER: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01";

    /// Puts an identity there.
    pub fn put(&self, id: &str, identity: Identity) {
        self.state().identities.insert(id.to_owned(), identity);
    }

    /// What became of an identity; `None` when it is gone.
    pub fn get(&self, id: &str) -> Option<Identity> {
        self.state().identities.get(id).cloned()
    }

    /// Fails the next calls before anything is done.
    pub fn fail_next(&self, calls: usize) {
        self.state().fails = calls;
    }

    /// Does what the next calls ask for and answers with a failure.
    pub fn lose_next_answers(&self, calls: usize) {
        self.state().loses = calls;
    }

    /// Leaves the next deletions for later.
    pub fn leave_next_deletions(&self, calls: usize) {
        self.state().leaves = calls;
    }

    /// The events so far: their details.
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// The answer to a call of the pool or of the bus; `None` for any other.
    pub(crate) fn answer(&self, target: &str, body: &[u8]) -> Option<Response> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut state = self.state();
        let operation = target.strip_prefix("AWSCognitoIdentityService.").or(target.strip_prefix("AWSEvents."))?;
        if state.fails > 0 {
            state.fails -= 1;
            return Some(error(500, "InternalErrorException", ""));
        }
        let answer = match operation {
            "GetCredentialsForIdentity" => state.credentials(&body),
            "GetId" => state.own_identity(&body),
            "DeleteIdentities" => state.delete(&body),
            "PutEvents" => state.announce(&body),
            _ => return None,
        };
        if state.loses > 0 {
            state.loses -= 1;
            return Some(error(500, "InternalErrorException", ""));
        }
        Some(answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn credentials(&mut self, body: &Value) -> Response {
        let id = body["IdentityId"].as_str().unwrap_or_default().to_owned();
        let Some(user) = user_of(body) else {
            return error(
                400,
                "NotAuthorizedException",
                "Token is not from a supported provider of this identity pool.",
            );
        };
        if user == "expired" {
            return error(400, "NotAuthorizedException", "Invalid login token. Token expired: 2 >= 1");
        }
        let Some(identity) = self.identities.get(&id).cloned() else {
            return error(400, "ResourceNotFoundException", &format!("Identity '{id}' not found."));
        };
        let own = self.identity_of(&user);
        let answer = match (identity, own) {
            (Identity::Disabled, _) => {
                return error(400, "NotAuthorizedException", &format!("Access to Identity '{id}' is forbidden."));
            }
            (Identity::Of(owner), _) if owner == user => id,
            (Identity::Of(_), _) => {
                let text =
                    "Logins don't match. Please include at least one valid login for this identity or identity pool.";
                return error(400, "NotAuthorizedException", text);
            }
            (Identity::Guest, Some(own)) => {
                self.identities.insert(id, Identity::Disabled);
                own
            }
            (Identity::Guest, None) => {
                self.identities.insert(id.clone(), Identity::Of(user));
                id
            }
        };
        let credentials = json!({"AccessKeyId": "ASIAEXAMPLE", "SecretKey": GIVEN_SECRET,
            "SessionToken": "canary-given-session-token-0123456789", "Expiration": 4_000_000_000_u64});
        ok(&json!({"IdentityId": answer, "Credentials": credentials}))
    }

    fn own_identity(&mut self, body: &Value) -> Response {
        let Some(user) = user_of(body) else {
            return error(
                400,
                "NotAuthorizedException",
                "Token is not from a supported provider of this identity pool.",
            );
        };
        let id = self.identity_of(&user).unwrap_or_else(|| {
            self.made += 1;
            let id = format!("us-east-1:aaaaaaaa-0000-4000-8000-{:012}", self.made);
            self.identities.insert(id.clone(), Identity::Of(user));
            id
        });
        ok(&json!({ "IdentityId": id }))
    }

    fn delete(&mut self, body: &Value) -> Response {
        let ids = body["IdentityIdsToDelete"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if self.leaves > 0 {
            self.leaves -= 1;
            let left: Vec<Value> =
                ids.iter().map(|id| json!({"IdentityId": id, "ErrorCode": "InternalServerError"})).collect();
            return ok(&json!({ "UnprocessedIdentityIds": left }));
        }
        for id in ids {
            self.identities.remove(&id);
        }
        ok(&json!({"UnprocessedIdentityIds": []}))
    }

    fn announce(&mut self, body: &Value) -> Response {
        for entry in body["Entries"].as_array().cloned().unwrap_or_default() {
            let detail = entry["Detail"].as_str().and_then(|text| serde_json::from_str(text).ok());
            let mut detail: Value = detail.unwrap_or_default();
            detail["source"] = entry["Source"].clone();
            detail["type"] = entry["DetailType"].clone();
            self.events.push(detail);
        }
        ok(&json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}))
    }

    fn identity_of(&self, user: &str) -> Option<String> {
        let owned = |identity: &Identity| matches!(identity, Identity::Of(owner) if owner == user);
        self.identities.iter().find(|(_, identity)| owned(identity)).map(|(id, _)| id.clone())
    }
}

/// The `sub` of the login, without looking at its signature.
fn user_of(body: &Value) -> Option<String> {
    let token = body["Logins"][IdentityPool::PROVIDER].as_str()?;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}

fn ok(body: &Value) -> Response {
    Response::new(200, "application/x-amz-json-1.1", body.to_string())
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"__type": code, "message": message});
    Response::new(status, "application/x-amz-json-1.1", body.to_string())
}
