//! The table of old users in an in-process DynamoDB.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use directory::testing::Database;

pub(crate) const TABLE: &str = "legacy-users";

/// A row: its record and its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) record: String,
    pub(crate) migrated_at: Option<String>,
}

/// The database with the table in it, keys as in the template.
pub(crate) struct LegacyTable {
    database: Database,
}

impl LegacyTable {
    pub(crate) async fn start() -> Self {
        let database = Database::empty().await.expect("a database starts");
        create(&database.sdk(), TABLE, ["name", "id"]).await;
        Self { database }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.database.endpoint()
    }

    pub(crate) fn client(&self) -> Client {
        self.database.sdk()
    }

    /// All rows, by name and id.
    pub(crate) async fn rows(&self) -> BTreeMap<(String, String), Row> {
        let items = self.client().scan().table_name(TABLE).into_paginator().items().send();
        let items = items.try_collect().await.expect("the table is read");
        let count = items.len();
        let rows: BTreeMap<_, _> = items
            .iter()
            .map(|item| {
                let text = |name: &str| item.get(name).and_then(|value| value.as_s().or(value.as_n()).ok()).cloned();
                assert!(text("imported_at").is_some(), "every row says when it was imported");
                let key = (text("name").expect("a name"), text("id").expect("an id"));
                (key, Row { record: text("record").expect("a record"), migrated_at: text("migrated_at") })
            })
            .collect();
        assert_eq!(rows.len(), count, "no row is there twice");
        rows
    }

    /// Marks a row as the user-migration function does.
    pub(crate) async fn mark(&self, name: &str, id: &str) {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        self.client()
            .update_item()
            .table_name(TABLE)
            .key("name", key(name))
            .key("id", key(id))
            .condition_expression("attribute_exists(#name)")
            .update_expression("SET migrated_at = :now")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":now", AttributeValue::N("1800000000".to_owned()))
            .send()
            .await
            .expect("the row is there");
    }
}

/// Makes a table with these keys, both texts.
pub(crate) async fn create(client: &Client, name: &str, [hash, range]: [&str; 2]) {
    let attribute = |name: &str| {
        let kind = ScalarAttributeType::S;
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute")
    };
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(hash))
        .attribute_definitions(attribute(range))
        .key_schema(key(hash, KeyType::Hash))
        .key_schema(key(range, KeyType::Range))
        .send()
        .await
        .expect("the table is made");
}
