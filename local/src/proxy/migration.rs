//! Imitates: a user whom the pool does not know is moved in from elsewhere, when
//! he signs in with a password or says that he forgot it.
//!
//! The call goes on first. Only an answer that a name unknown to the pool may
//! get leads any further: so a client that may not use this flow, or names the
//! wrong secret, never reaches the trigger. Then the pool is asked, since the
//! answer alone does not tell: an app client that hides who exists answers a
//! forgotten password of nobody like any other. Whom the trigger lets in is made
//! a user, and the call goes on once more.
//!
//! Not imitated: the pages of managed login, and USER_AUTH with a password.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-import-using-lambda.html>

use std::collections::HashSet;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Gateway;
use super::exchange::{Call, Reply, text};
use super::trigger::ask;

mod newcomer;
mod recovery;

use newcomer::{Entry, Newcomer, Unfit, refused};

const TRIGGER: &str = "UserMigration";

/// What somebody tries whom the pool may not know. No `Debug`: it holds the
/// password.
struct Attempt<'a> {
    /// `None` for a forgotten one.
    password: Option<&'a str>,
    name: &'a str,
    client: &'a str,
    metadata: Option<&'a Value>,
}

impl<'a> Attempt<'a> {
    /// Reads a call; `None` for one that never calls the trigger, such as a
    /// sign-in that does not send the password itself.
    fn read(action: &str, body: &'a Value) -> Option<Self> {
        let (name, password) = match (action, text(body, "AuthFlow")) {
            ("ForgotPassword", _) => (text(body, "Username")?, None),
            ("InitiateAuth", Some("USER_PASSWORD_AUTH"))
            | ("AdminInitiateAuth", Some("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH")) => {
                let parameters = body.get("AuthParameters")?;
                (text(parameters, "USERNAME")?, Some(text(parameters, "PASSWORD")?))
            }
            _ => return None,
        };
        Some(Self { password, name, client: text(body, "ClientId")?, metadata: body.get("ClientMetadata") })
    }

    /// Whether this may be the answer to a name that the pool does not know.
    fn may_be_unknown(&self, reply: &Reply) -> bool {
        let body = reply.json();
        match text(&body, "__type") {
            None => self.password.is_none() && reply.status.is_success(),
            Some("UserNotFoundException") => true,
            // A client that does not prove its secret is refused with the same type.
            Some("NotAuthorizedException") => {
                !text(&body, "message").unwrap_or_default().to_ascii_lowercase().contains("secret")
            }
            Some(_) => false,
        }
    }

    /// The event, as Cognito writes it: `ClientMetadata` of a sign-in arrives as
    /// `validationData`, that of a forgotten password as `clientMetadata`.
    fn event(&self, pool: &str) -> Value {
        let mut request = Map::new();
        let source = match self.password {
            Some(password) => {
                request.insert("password".to_owned(), json!(password));
                request.insert("validationData".to_owned(), self.metadata.cloned().unwrap_or_default());
                "UserMigration_Authentication"
            }
            None => {
                request.insert("clientMetadata".to_owned(), self.metadata.cloned().unwrap_or_default());
                "UserMigration_ForgotPassword"
            }
        };
        json!({
            "version": "1",
            "triggerSource": source,
            "region": crate::cloud::REGION,
            "userPoolId": pool,
            "userName": self.name,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": self.client },
            "request": request,
            "response": {
                "userAttributes": null,
                "forceAliasCreation": null,
                "enableSMSMFA": null,
                "finalUserStatus": null,
                "messageAction": null,
                "desiredDeliveryMediums": null,
            },
        })
    }

    /// What one hears who is not moved in, from a client that does not hide who
    /// exists. `refusal` is the trigger's own, if it gave one.
    /// <https://repost.aws/knowledge-center/cognito-migration-lambda-trigger-errors>
    fn told(&self, refusal: Option<Reply>, before: Reply) -> Reply {
        match (self.password, refusal) {
            (Some(_), _) => {
                let text = format!("Exception migrating user in app client {}", self.client);
                Reply::error("UserNotFoundException", &text)
            }
            (None, refusal) => refusal.unwrap_or(before),
        }
    }
}

/// Answers a sign-in or a forgotten password.
pub async fn answer(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let body = call.json();
    let Some(attempt) = Attempt::read(call.cognito_action().unwrap_or_default(), &body) else {
        return gateway.forward(call).await;
    };
    let pool = match text(&body, "UserPoolId") {
        Some(pool) => Some(pool.to_owned()),
        None => gateway.pools.of_client(attempt.client).await?,
    };
    let Some(pool) = pool else { return gateway.forward(call).await };
    if attempt.password.is_none()
        && let Some(reply) = recovery::withheld(gateway, &pool, &attempt).await?
    {
        return Ok(reply);
    }
    let reply = gateway.forward(call).await?;
    if !attempt.may_be_unknown(&reply) {
        return Ok(reply);
    }
    match move_in(gateway, &pool, &attempt, reply).await? {
        Outcome::Stays(reply) => Ok(reply),
        Outcome::MovedIn => gateway.forward(call).await,
    }
}

enum Outcome {
    /// Everything is as it was; the answer.
    Stays(Reply),
    /// The pool knows him now.
    MovedIn,
}

async fn move_in(gateway: &Gateway, pool: &str, attempt: &Attempt<'_>, before: Reply) -> Result<Outcome> {
    let pools = &gateway.pools;
    let Some(described) = pools.describe(pool).await? else { return Ok(Outcome::Stays(before)) };
    let Some(function) = described.lambda_config().and_then(|all| all.user_migration()) else {
        return Ok(Outcome::Stays(before));
    };
    if pools.find(pool, attempt.name).await?.is_some() {
        return Ok(Outcome::Stays(before));
    }
    let known: HashSet<_> = described.schema_attributes().iter().filter_map(|attribute| attribute.name()).collect();
    let asked = ask(&gateway.lambda, function, TRIGGER, &attempt.event(pool)).await;
    let refusal = match asked {
        Err(refusal) => Some(refusal),
        Ok(answer) => match Newcomer::read(&answer, &known) {
            Ok(newcomer) => match newcomer.enter(pools, &described, attempt.name, attempt.password).await? {
                Entry::Open => return Ok(Outcome::MovedIn),
                Entry::Closed(refusal) => Some(refusal),
            },
            // An event that came back as it went. Whoever signs in is refused for
            // it; of a forgotten password the pool tells what it always tells.
            Err(Unfit::Nobody) => None,
            Err(Unfit::Refused(text)) => Some(refused(&text)),
        },
    };
    if recovery::hides_existence(gateway, pool, attempt.client).await? {
        return Ok(Outcome::Stays(before));
    }
    Ok(Outcome::Stays(attempt.told(refusal, before)))
}

#[cfg(test)]
mod tests;
