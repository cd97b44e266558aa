//! The AWS services that functions call, on loopback: DynamoDB by dynoxide,
//! STS, SQS and Secrets Manager by the one call that is made, Cognito by [`Pool`],
//! [`IdentityPool`] and the one call about groups.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::cognito::Pool;
use crate::http::{Request, Response, Server};
use crate::identity_pool::IdentityPool;
use crate::secrets;

/// The directory table's name here.
pub const DIRECTORY_TABLE: &str = "directory";
/// The items table's name here.
pub const ITEMS_TABLE: &str = "items";
/// The name here of the table of an old system's users.
pub const LEGACY_USERS_TABLE: &str = "legacy-users";
/// The name here of the table that counts attempts.
pub const ATTEMPTS_TABLE: &str = "attempts";

/// The records table's name here.
pub const RECORDS_TABLE: &str = "records";

/// The name here of the table of ended sessions. Only where revocation is on, so it
/// is no setting that every function gets.
pub const REVOCATION_TABLE: &str = "revocations";

/// Services that live as long as this value.
pub struct Services {
    database: dynoxide::Database,
    database_url: String,
    stop_database: Option<oneshot::Sender<()>>,
    calls: Arc<Mutex<Vec<String>>>,
    group_answer: Arc<Mutex<Response>>,
    pool: Arc<Pool>,
    identity_pool: Arc<IdentityPool>,
    server: Server,
}

impl Services {
    /// Starts them all, with empty tables.
    pub fn start() -> Result<Self> {
        let database = dynoxide::Database::memory().map_err(|error| anyhow!("{error}"))?;
        let keyed = [legacy_users_table(), attempts_table(), revocation_table()];
        for table in [directory_table(), items_table(), records_table()].into_iter().chain(keyed) {
            database.create_table(serde_json::from_value(table)?).map_err(|error| anyhow!("{error}"))?;
        }
        let (database_url, stop_database) = serve(database.clone())?;
        let calls = Arc::<Mutex<Vec<String>>>::default();
        let group_answer = Arc::new(Mutex::new(Response::new(200, "application/x-amz-json-1.1", "{}")));
        let pool = Arc::<Pool>::default();
        let identity_pool = Arc::<IdentityPool>::default();
        let (recording, answering, users) = (Arc::clone(&calls), Arc::clone(&group_answer), Arc::clone(&pool));
        let identities = Arc::clone(&identity_pool);
        let server = Server::start(move |request| {
            let target = request.header("x-amz-target").unwrap_or("AssumeRole").to_owned();
            let body = String::from_utf8_lossy(&request.body).into_owned();
            recording.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{target} {body}"));
            let operation = target.strip_prefix("AWSCognitoIdentityProviderService.");
            let by_pool = operation.and_then(|operation| users.answer(operation, &request.body));
            let by_pool = by_pool.or_else(|| identities.answer(&target, &request.body));
            by_pool.unwrap_or_else(|| answer(&request, &target, &answering))
        })?;
        Ok(Self {
            database,
            database_url,
            stop_database: Some(stop_database),
            calls,
            group_answer,
            pool,
            identity_pool,
            server,
        })
    }

    /// The settings that lead a function here.
    pub fn settings(&self) -> Vec<(String, String)> {
        self.settings_with_database(&self.database_url)
    }

    /// The same, with a DynamoDB that throttles every call.
    pub fn settings_without_database(&self) -> Vec<(String, String)> {
        self.settings_with_database(&self.server.url())
    }

    fn settings_with_database(&self, database_url: &str) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", database_url),
            ("AWS_ENDPOINT_URL_STS", &self.server.url()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &self.server.url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.server.url()),
            ("AWS_ENDPOINT_URL_SQS", &self.server.url()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY", &self.server.url()),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", &self.server.url()),
            ("IDENTITY_POOL_ID", IdentityPool::ID),
            ("USER_POOL_PROVIDER", IdentityPool::PROVIDER),
            ("QUEUE_URL", &format!("{}/123456789012/promotions", self.server.url())),
            ("DIRECTORY_TABLE", DIRECTORY_TABLE),
            ("ITEMS_TABLE", ITEMS_TABLE),
            ("LEGACY_USERS_TABLE", LEGACY_USERS_TABLE),
            ("ATTEMPTS_TABLE", ATTEMPTS_TABLE),
            ("RECORDS_TABLE", RECORDS_TABLE),
            ("TENANT_ROLE_ARN", "arn:aws:iam::123456789012:role/tenant-data"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Writes an item, given as in DynamoDB's own JSON (`{"pk": {"S": …}}`).
    pub fn put(&self, table: &str, item: &Value) -> Result<()> {
        if table == LEGACY_USERS_TABLE {
            secrets::hold(item);
        }
        let request = serde_json::from_value(json!({"TableName": table, "Item": item}))?;
        self.database.put_item(request).map(drop).map_err(|error| anyhow!("{table}: {error}"))
    }

    /// All items of a table in DynamoDB's own JSON, by key.
    pub fn items(&self, table: &str) -> Result<Vec<Value>> {
        let request = serde_json::from_value(json!({ "TableName": table }))?;
        let found = self.database.scan(request).map_err(|error| anyhow!("{table}: {error}"))?;
        let mut items = match serde_json::to_value(found)?.get_mut("Items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        items.sort_by_key(|item| item.to_string());
        items.sort_by_key(|item| format!("{:?} {:?}", item.pointer("/pk/S"), item.pointer("/sk/S")));
        Ok(items)
    }

    /// The user pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The identity pool, and the event bus.
    pub fn identity_pool(&self) -> &IdentityPool {
        &self.identity_pool
    }

    /// The same settings, with DynamoDB reached at another address.
    pub fn settings_through(&self, database_url: &str) -> Vec<(String, String)> {
        self.settings_with_database(database_url)
    }

    /// Where the database listens.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The calls of STS, SQS and Cognito so far: target, blank, body.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `AdminAddUserToGroup` answers from now on.
    pub fn answer_groups_with(&self, response: Response) {
        *self.group_answer.lock().unwrap_or_else(PoisonError::into_inner) = response;
    }
}

impl Drop for Services {
    #[expect(clippy::panic, reason = "a check fails by panicking")]
    fn drop(&mut self) {
        // The old system's table is not ours to judge.
        for table in [DIRECTORY_TABLE, ITEMS_TABLE, ATTEMPTS_TABLE, RECORDS_TABLE] {
            let stored: Vec<String> = self.items(table).unwrap_or_default().iter().map(Value::to_string).collect();
            if let Err(error) = secrets::look_for_shown(stored.iter().map(String::as_str))
                && !std::thread::panicking()
            {
                panic!("stored in {table}: {error}");
            }
        }
        if let Some(stop) = self.stop_database.take() {
            let _ = stop.send(());
        }
    }
}

/// Serves a database from a thread of its own until told to stop.
fn serve(database: dynoxide::Database) -> Result<(String, oneshot::Sender<()>)> {
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            tokio::select! {
                () = dynoxide::server::serve_on(listener, database) => {}
                _ = stopped => {}
            }
        });
    });
    Ok((url, stop))
}

fn answer(request: &Request, target: &str, group_answer: &Mutex<Response>) -> Response {
    let json = |status, body: Value| Response::new(status, "application/x-amz-json-1.1", body.to_string());
    match target.split_once('.') {
        Some(("AWSCognitoIdentityProviderService", "AdminAddUserToGroup")) => {
            group_answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
        Some(("secretsmanager", "GetSecretValue")) => {
            json(200, json!({"SecretString": r#"{"challenge_secret":"canary-secret-of-the-challenge"}"#}))
        }
        Some(("AmazonSQS", "SendMessage")) => json(200, json!({"MessageId": "5fea7756-0ea4-451a-a703-a558b933e274"})),
        Some(("DynamoDB_20120810", _)) => json(400, json!({"__type": "ProvisionedThroughputExceededException"})),
        None if request.method == "POST" => Response::new(200, "text/xml", ASSUMED),
        _ => json(400, json!({"__type": "UnknownOperationException"})),
    }
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:tenant</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/tenant-data/tenant</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>canary-assumed-secret-0123456789</SecretAccessKey>
<SessionToken>canary-assumed-session-0123456789</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></AssumeRoleResponse>"#;

/// The directory table, as in the template.
pub fn directory_table() -> Value {
    json!({
        "TableName": DIRECTORY_TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "subject", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-subject",
            "KeySchema": [{"AttributeName": "subject", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    })
}

/// As in the template.
fn items_table() -> Value {
    table_of_keys(ITEMS_TABLE)
}

/// As in the template.
fn records_table() -> Value {
    table_of_keys(RECORDS_TABLE)
}

/// A table with the keys `pk` and `sk`, and nothing else to be searched by.
fn table_of_keys(name: &str) -> Value {
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    })
}

/// As in the template.
fn legacy_users_table() -> Value {
    json!({
        "TableName": LEGACY_USERS_TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "name", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    })
}

/// As in the template.
fn attempts_table() -> Value {
    table_of_one_key(ATTEMPTS_TABLE)
}

/// As in the template.
fn revocation_table() -> Value {
    table_of_one_key(REVOCATION_TABLE)
}

/// A table with the key `pk`.
fn table_of_one_key(name: &str) -> Value {
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    })
}
