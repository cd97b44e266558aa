//! An in-process DynamoDB on loopback with the records table, for tests.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PutRequest, ScalarAttributeType, WriteRequest,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Item, PK, Records, SK, Value};

/// The most items that one call writes without a condition.
const MOST_OF_A_BATCH: usize = 25;

/// The name of the records table in tests.
pub const TABLE: &str = "records";

/// Bytes.
pub fn binary(bytes: impl Into<Vec<u8>>) -> Value {
    Value::B(Blob::new(bytes))
}

/// A set of bytes.
pub fn binaries(all: impl IntoIterator<Item = Vec<u8>>) -> Value {
    Value::Bs(all.into_iter().map(Blob::new).collect())
}

/// A database that lives as long as this value.
#[derive(Debug)]
pub struct Database {
    server: JoinHandle<()>,
    endpoint: String,
}

impl Database {
    /// Starts a database with an empty records table, keys as in the template.
    pub async fn start() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let database = dynoxide::Database::memory().map_err(|error| io::Error::other(error.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        let database = Self { server, endpoint };
        create_table(&database.sdk()).await?;
        Ok(database)
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client of it, as functions have it.
    pub fn client(&self) -> shell::aws::Client {
        shell::aws::Client::local(&self.endpoint)
    }

    /// The SDK's own client of it, for what functions never do.
    pub fn sdk(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&self.endpoint)
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    /// The records in it. Guests may write the attributes that are named.
    pub fn records(&self, guarded: &[&str]) -> Records {
        Records::new(self.client(), TABLE, guarded.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
    }

    /// Writes an item as it is, whatever stands there.
    pub async fn put(&self, item: Item) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.sdk().put_item().table_name(TABLE).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Writes many items, each of another key.
    pub async fn put_all(&self, items: Vec<Item>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let client = self.sdk();
        for part in items.chunks(MOST_OF_A_BATCH) {
            let put = |item: &Item| PutRequest::builder().set_item(Some(item.clone())).build();
            let puts = part.iter().map(|item| Ok(WriteRequest::builder().put_request(put(item)?).build()));
            let puts = puts.collect::<Result<Vec<_>, BuildError>>()?;
            client.batch_write_item().request_items(TABLE, puts).send().await?;
        }
        Ok(())
    }

    /// All items, in no order.
    pub async fn items(&self) -> Result<Vec<Item>, Box<dyn Error + Send + Sync>> {
        let scan = self.sdk().scan().table_name(TABLE).into_paginator().items().send();
        Ok(scan.try_collect().await?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn create_table(client: &Client) -> Result<(), Box<dyn Error + Send + Sync>> {
    let attribute =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PK)?)
        .attribute_definitions(attribute(SK)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .key_schema(key(SK, KeyType::Range)?)
        .send()
        .await?;
    Ok(())
}
