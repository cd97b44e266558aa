//! For the tests of back ends: the items table, and tenant sessions whose calls
//! are held to the tenant as the role's policy holds them on AWS.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use serde_json::Value;
use shared::names::TenantId;
use shell::{Handler, Invocation};

use crate::{IssueError, Issued, Issuer};

/// The name of the items table in tests.
pub const ITEMS_TABLE: &str = "items";

/// The time of every invocation in tests.
pub const NOW: u64 = 1_800_000_000;

type BoxError = Box<dyn Error + Send + Sync>;

/// Creates the items table, keys as in the template.
pub async fn create_items_table(client: &Client) -> Result<(), BoxError> {
    let attribute =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    client
        .create_table()
        .table_name(ITEMS_TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk")?)
        .attribute_definitions(attribute("sk")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .send()
        .await?;
    Ok(())
}

/// Creates the table of ended sessions, keys as in the template.
pub async fn create_revocation_table(client: &Client, name: &str) -> Result<(), BoxError> {
    let attribute =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build()?;
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute)
        .key_schema(KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build()?)
        .send()
        .await?;
    Ok(())
}

/// Stands in for STS and for IAM: its sessions refuse every key that does not
/// begin with their tenant, and keep the calls they let through.
#[derive(Clone, Debug)]
pub struct GuardedSessions {
    client: shell::aws::Client,
    calls: Arc<Mutex<Vec<String>>>,
}

impl GuardedSessions {
    /// Sessions on the database that `client` reaches.
    pub fn new(client: shell::aws::Client) -> Self {
        Self { client, calls: Arc::default() }
    }

    /// The calls since the last time, such as `GetItem`; `AssumeRole` for a new session.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, call: &str) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.to_owned());
    }

    /// What `dynamodb:LeadingKeys` demands with the tenant as the session's tag.
    fn guard(&self, prefix: &str, call: &str, body: &[u8]) -> Result<(), BoxError> {
        let body: Value = serde_json::from_slice(body)?;
        self.note(call);
        let keys = leading_keys(call, &body).ok_or_else(|| format!("{call} names no key that could be checked"))?;
        match keys.iter().find(|key| !key.starts_with(prefix)) {
            Some(key) => Err(format!("AccessDenied: {call} of {key} in a session of {prefix}").into()),
            None => Ok(()),
        }
    }
}

impl Issuer for GuardedSessions {
    type Access = shell::aws::Client;

    async fn issue(&self, tenant: &TenantId) -> Result<Issued<Self::Access>, IssueError> {
        self.note("AssumeRole");
        let (sessions, prefix) = (self.clone(), format!("{tenant}#"));
        let access = self.client.watched(move |call, body| sessions.guard(&prefix, call, body));
        Ok(Issued { access, expires_at: NOW + 900 })
    }
}

/// The partition keys that a call names; `None` when it could reach any.
fn leading_keys<'a>(call: &str, body: &'a Value) -> Option<Vec<&'a str>> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if body.get("IndexName").is_some() {
        return None;
    }
    match call {
        "GetItem" | "DeleteItem" | "UpdateItem" => Some(vec![text("/Key/pk/S")?]),
        "PutItem" => Some(vec![text("/Item/pk/S")?]),
        "TransactWriteItems" => {
            let parts = body.get("TransactItems")?.as_array()?;
            // Each part names its own; a part of another kind could reach any.
            parts.iter().map(|part| part.pointer("/Update/Key/pk/S")?.as_str()).collect()
        }
        "Query" => {
            let condition = text("/KeyConditionExpression")?.strip_prefix("#pk = ")?;
            let name = condition.split(' ').next()?;
            let mut keys = vec![text(&format!("/ExpressionAttributeValues/{name}/S"))?];
            keys.extend(text("/ExclusiveStartKey/pk/S"));
            Some(keys)
        }
        _ => None,
    }
}

/// One call of a test: who, what, and what goes with it.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    /// The route key, such as `GET /items/{id}`.
    pub route: &'a str,
    /// The caller's `sub`.
    pub subject: &'a str,
    /// The tenant in force; empty for none.
    pub tenant: &'a str,
    /// The session; empty for none.
    pub session: &'a str,
    /// Separated by spaces.
    pub roles: &'a str,
    /// Path parameters.
    pub path: &'a [(&'a str, &'a str)],
    /// Query parameters.
    pub query: &'a [(&'a str, &'a str)],
    /// Headers besides `content-type`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Sent as `application/json`; `Null` for none.
    pub body: Value,
}

/// What a handler answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u64,
    /// The code in the log.
    pub code: &'static str,
    /// The entity tag, empty for none.
    pub etag: String,
    /// The body; `Null` for none.
    pub body: Value,
}

/// Sends one call through a handler.
pub async fn send<H: Handler>(handler: &H, call: &Call<'_>) -> Result<Reply, BoxError> {
    let map = |pairs: &[(&str, &str)]| -> serde_json::Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    };
    let mut headers = map(call.headers);
    let body = match &call.body {
        Value::Null => Value::Null,
        body => {
            headers.insert("content-type".to_owned(), "application/json".into());
            body.to_string().into()
        }
    };
    let event = serde_json::json!({
        "version": "2.0",
        "routeKey": call.route,
        "headers": headers,
        "queryStringParameters": map(call.query),
        "pathParameters": map(call.path),
        "body": body,
        "isBase64Encoded": false,
        "requestContext": {"authorizer": {"lambda": {
            "subject": call.subject, "tenant": call.tenant, "roles": call.roles, "clientId": "web", "tokenUse": "access",
            "session": call.session,
        }}},
    });
    let invocation = Invocation { request_id: "00000000-0000-4000-8000-000000000000".to_owned(), now: NOW };
    let answer =
        handler.handle(&serde_json::to_string(&event)?, &invocation).await.map_err(|failure| failure.code())?;
    let wire: Value = serde_json::from_str(answer.body.as_str())?;
    let text = |pointer| wire.pointer(pointer).and_then(Value::as_str);
    Ok(Reply {
        status: wire.pointer("/statusCode").and_then(Value::as_u64).unwrap_or_default(),
        code: answer.code,
        etag: text("/headers/etag").unwrap_or_default().to_owned(),
        body: text("/body").map_or(Ok(Value::Null), serde_json::from_str)?,
    })
}
