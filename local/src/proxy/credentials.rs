//! Imitates: the identity pool's choice of a role, and the policy variables of
//! the role's policies.
//!
//! The local AWS checks the logins and then gives credentials of the pool's
//! authenticated or unauthenticated role, whatever the role mappings say, and
//! its IAM fills in no `${aws:PrincipalTag/…}` and no
//! `${cognito-identity.amazonaws.com:sub}`. So here, once the logins are found
//! good, the role is chosen by the deployed mappings; a role of this session's
//! own is made, with the chosen role's policies [filled in](session); and the
//! caller gets credentials of that one.
//!
//! And while the pool has the classic flow off or has role mappings, nobody gets
//! the token that it needs.
//!
//! The local IAM is told neither the partition nor the attributes of a call to a
//! table. With credentials of the identity pool such a call is put to another
//! evaluator [first](access).
//!
//! Not imitated: a chosen role's trust policy, the further scope-down policy of
//! guests, and the look-up of a token at the user pool (ServerSideTokenCheck).
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html>
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/using-afac-with-cognito-identity-pools.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_cognitoidentity::Client;
use aws_sdk_dynamodb::types::KeyType;
use serde_json::{Value, json};

use super::Gateway;
use super::exchange::{Call, Reply, text};

pub mod access;
pub mod mapping;
pub mod session;
pub mod tables;

use mapping::{Logins, RoleMappings};
use session::{Facts, Sessions};
use tables::Asked;

/// Asks the local AWS about identity pools, and makes sessions.
#[derive(Debug)]
pub struct IdentityPools {
    client: Client,
    tables: aws_sdk_dynamodb::Client,
    sessions: Sessions,
    /// The pool of each identity: its id does not tell.
    pool_of: Mutex<HashMap<String, String>>,
}

impl IdentityPools {
    /// Asks through `config`.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            tables: aws_sdk_dynamodb::Client::new(config),
            sessions: Sessions::new(config),
            pool_of: Mutex::default(),
        }
    }

    fn remember(&self, identity: &str, pool: &str) {
        let mut known = self.pool_of.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(identity.to_owned(), pool.to_owned());
    }

    fn pool_of(&self, identity: &str) -> Option<String> {
        self.pool_of.lock().unwrap_or_else(PoisonError::into_inner).get(identity).cloned()
    }

    /// The tags of a session, by the claims that the pool names for a provider.
    async fn tags(&self, pool: &str, logins: &Logins) -> Result<Vec<(String, String)>> {
        let Some((provider, claims)) = logins.of_user_pool() else { return Ok(Vec::new()) };
        let map = self.client.get_principal_tag_attribute_map().identity_pool_id(pool);
        let map = match map.identity_provider_name(provider).send().await {
            Ok(map) => map,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error).context("the principal tags cannot be read"),
        };
        let defaults = [("username", "sub"), ("client", "aud")].map(|(tag, claim)| (tag.to_owned(), claim.to_owned()));
        let named = match map.use_defaults {
            Some(true) => defaults.into_iter().collect(),
            _ => map.principal_tags.unwrap_or_default(),
        };
        Ok(named.into_iter().filter_map(|(tag, claim)| Some((tag, mapping::written(claims.get(&claim)?)?))).collect())
    }
}

/// `GetId`: which pool an identity belongs to is kept.
pub async fn identity(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let reply = gateway.forward(call).await?;
    if let (Some(pool), Some(identity)) = (text(&call.json(), "IdentityPoolId"), text(&reply.json(), "IdentityId")) {
        gateway.identities.remember(identity, pool);
    }
    Ok(reply)
}

/// `GetOpenIdToken`, the first half of the classic flow.
pub async fn classic(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let body = call.json();
    let IdentityPools { client, .. } = &gateway.identities;
    let pool = text(&body, "IdentityId").and_then(|identity| gateway.identities.pool_of(identity));
    let Some(pool) = pool else { return Ok(unknown(&body)) };
    let described = client.describe_identity_pool().identity_pool_id(&pool).send().await;
    let on = described.context("an identity pool cannot be described")?.allow_classic_flow == Some(true);
    match (on, RoleMappings::ask(client, &pool).await?.is_empty()) {
        (true, true) => gateway.forward(call).await,
        (true, false) => Ok(no_classic_flow("not supported with RoleMappings")),
        (false, _) => Ok(no_classic_flow("not enabled")),
    }
}

/// The texts are AWS's own, as users report them.
/// <https://github.com/aws/aws-cli/issues/7652>
/// <https://github.com/aws-observability/aws-rum-web/issues/172>
fn no_classic_flow(why: &str) -> Reply {
    let text = format!("Basic (classic) flow is {why}, please use enhanced flow.");
    Reply::error("InvalidParameterException", &text)
}

/// `GetIdentityPoolRoles`: CloudFormation's names of the mappings become those
/// that the API has, so that what was read can be written back.
pub async fn roles(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let reply = gateway.forward(call).await?;
    let Some(body) = mapping::as_the_api_names_them(reply.json()) else { return Ok(reply) };
    Ok(Reply { body: body.to_string().into(), ..reply })
}

/// A call to a table.
pub async fn table(gateway: &Gateway, call: &Call, action: &str) -> Result<Reply> {
    let IdentityPools { sessions, tables, .. } = &gateway.identities;
    let access = call.access_key().and_then(|key| sessions.access(key));
    let Some(access) = access else { return gateway.forward(call).await };
    let body = call.json();
    let name = text(&body, "TableName").with_context(|| format!("{action} names no table"))?;
    let described = tables.describe_table().table_name(name).send().await.context("a table cannot be described")?;
    let described = described.table.context("a table has no description")?;
    let partition = described.key_schema().iter().find(|key| key.key_type == KeyType::Hash);
    let partition = partition.context("a table has no partition key")?.attribute_name();
    let asked = Asked::read(action, &body, partition)?;
    let arn = described.table_arn().context("a table has no ARN")?;
    if access.allows(&asked, arn)? {
        return gateway.forward(call).await;
    }
    let text = format!("The session is not authorized to perform: {} on resource: {arn}", asked.action);
    Ok(Reply::error("AccessDeniedException", &text))
}

/// `GetCredentialsForIdentity`.
pub async fn credentials(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let body = call.json();
    let pool = text(&body, "IdentityId").and_then(|identity| gateway.identities.pool_of(identity));
    let Some(pool) = pool else { return Ok(unknown(&body)) };
    let reply = gateway.forward(call).await?;
    let answer = reply.json();
    let (true, Some(identity)) = (reply.status.is_success(), text(&answer, "IdentityId")) else { return Ok(reply) };
    gateway.identities.remember(identity, &pool);
    let logins = Logins::read(&body);
    let mappings = RoleMappings::ask(&gateway.identities.client, &pool).await?;
    let role = match mappings.role(&logins, text(&body, "CustomRoleArn")) {
        Ok(role) => role,
        Err(why) => return Ok(Reply::error("NotAuthorizedException", &why)),
    };
    let tags = gateway.identities.tags(&pool, &logins).await?;
    let facts = Facts::new(identity, &pool, logins.is_empty(), &tags);
    let given = gateway.identities.sessions.of(&role, &facts).await?;
    let headers = Reply::error("", "").headers;
    let body = json!({ "IdentityId": identity, "Credentials": given });
    Ok(Reply { body: body.to_string().into(), ..ok(headers) })
}

fn ok(mut headers: axum::http::HeaderMap) -> Reply {
    headers.remove("x-amzn-errortype");
    Reply { status: axum::http::StatusCode::OK, headers, body: axum::body::Bytes::new() }
}

fn unknown(body: &Value) -> Reply {
    let identity = text(body, "IdentityId").unwrap_or_default();
    Reply::error("ResourceNotFoundException", &format!("Identity '{identity}' not found."))
}
