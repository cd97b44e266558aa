//! An in-process DynamoDB on loopback, for tests.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Directory;
use crate::items::{BY_SUBJECT, Item};

/// The name of the directory table in tests.
pub const TABLE: &str = "directory";

/// A database that lives as long as this value.
#[derive(Debug)]
pub struct Database {
    server: JoinHandle<()>,
    endpoint: String,
}

impl Database {
    /// Starts an empty database on a free port of loopback.
    pub async fn empty() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let database = dynoxide::Database::memory().map_err(|error| io::Error::other(error.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { server, endpoint })
    }

    /// Starts a database with the directory table, keys as in the template.
    pub async fn start() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let database = Self::empty().await?;
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

    /// The same, noting its calls.
    pub fn recorded(&self, calls: &Calls) -> shell::aws::Client {
        let calls = calls.clone();
        self.client().watched(move |operation, _| {
            calls.note(operation);
            Ok(())
        })
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

    /// The directory in it.
    pub fn directory(&self) -> Directory {
        Directory::new(self.client(), TABLE)
    }

    /// Writes an item as it is, for states that the code itself never makes.
    pub async fn put(&self, item: Item) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.sdk().put_item().table_name(TABLE).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// All items of the directory table, in no order.
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

/// The round trips of a client, by the names of the operations.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    /// The calls so far, in order; the list starts anew.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, operation: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation.to_owned());
    }
}

async fn create_table(client: &Client) -> Result<(), Box<dyn Error + Send + Sync>> {
    let attribute =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name(BY_SUBJECT)
        .key_schema(key("subject", KeyType::Hash)?)
        .key_schema(key("pk", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk")?)
        .attribute_definitions(attribute("sk")?)
        .attribute_definitions(attribute("subject")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(index)
        .send()
        .await?;
    Ok(())
}
