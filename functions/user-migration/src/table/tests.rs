//! The table on a real DynamoDB in this process, with real hashes.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use directory::testing::Database;
use serde_json::{Value, json};
use shared::password::{HashRules, Keys, Kind};

use super::*;

const TABLE: &str = "legacy-users";
const NOW: u64 = 1_800_000_000;

/// "correct horse", salted SHA-1.
const DIGEST: &str = "{SSHA}awc/Cj0kafyFd5d8fGn07xoHBJJzYWx0c2FsdA==";

fn hashing() -> Hashing {
    let rules = HashRules { kinds: vec![Kind::Digest], decoy: "digest".to_owned(), bcrypt_truncates: false };
    Hashing::new(rules, Keys::default()).unwrap()
}

async fn directory(database: &Database) -> TableDirectory {
    let attribute = |name| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let client = database.sdk();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("name"))
        .attribute_definitions(attribute("id"))
        .key_schema(key("name", KeyType::Hash))
        .key_schema(key("id", KeyType::Range))
        .send()
        .await
        .unwrap();
    TableDirectory::new(LegacyTable::new(database.client(), TABLE), hashing())
}

async fn put(database: &Database, name: &str, id: &str, record: &str) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let item = [("name", text(name)), ("id", text(id)), ("record", text(record))];
    let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    database.sdk().put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
}

fn record(id: &str, hash: &Value) -> String {
    json!({"id": id, "attributes": {"email": "ann@acme.example"}, "hash": hash}).to_string()
}

fn question<'a>(key: &'a str, password: Option<&'a Arc<Password>>) -> Question<'a> {
    Question { user_name: key, key, password, now: NOW }
}

/// What is found and proved, in a word each.
fn words(answer: &OldAnswer) -> (&'static str, Proof) {
    let found = match &answer.found {
        Found::Nobody => "nobody",
        Found::One(_) => "one",
        Found::Several => "several",
        Found::Unreadable => "unreadable",
    };
    (found, answer.proof)
}

#[tokio::test]
async fn a_row_is_found_by_its_key_and_its_hash_is_compared() {
    let database = Database::empty().await.unwrap();
    let directory = directory(&database).await;
    put(&database, "ann", "1", &record("1", &json!(DIGEST))).await;
    put(&database, "two", "1", &record("1", &json!(DIGEST))).await;
    put(&database, "two", "2", &record("2", &json!(DIGEST))).await;
    put(&database, "bare", "3", &record("3", &Value::Null)).await;
    put(&database, "broken", "4", "{\"id\":").await;
    put(&database, "other", "5", &record("6", &json!(DIGEST))).await;
    put(&database, "huge", "7", &record("7", &json!("x".repeat(LONGEST_RECORD)))).await;
    put(&database, "malformed", "8", &record("8", &json!("$2b$"))).await;
    put(
        &database,
        "foreign",
        "9",
        &record("9", &json!("$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")),
    )
    .await;
    let right = Arc::new(Password::new("correct horse".to_owned()));
    let wrong = Arc::new(Password::new("Correct horse".to_owned()));
    let table = [
        ("ann", Some(&right), ("one", Proof::RightButWeak)),
        ("ann", Some(&wrong), ("one", Proof::Wrong)),
        ("ann", None, ("one", Proof::Unchecked)),
        ("Ann", Some(&right), ("nobody", Proof::Unchecked)),
        ("nobody", Some(&right), ("nobody", Proof::Unchecked)),
        ("two", Some(&right), ("several", Proof::Unchecked)),
        ("bare", Some(&right), ("one", Proof::Unchecked)),
        ("broken", Some(&right), ("unreadable", Proof::Unchecked)),
        ("other", Some(&right), ("unreadable", Proof::Unchecked)),
        ("huge", Some(&right), ("unreadable", Proof::Unchecked)),
        ("malformed", Some(&right), ("one", Proof::Unusable("HashMalformed"))),
        ("foreign", Some(&right), ("one", Proof::Unusable("HashKindNotAllowed"))),
    ];
    for (key, password, expected) in table {
        let answer = directory.find(question(key, password)).await.unwrap();
        assert_eq!(words(&answer), expected, "{key}");
    }
}

#[tokio::test]
async fn a_row_is_marked_as_often_as_need_be_and_none_is_made() {
    let database = Database::empty().await.unwrap();
    let directory = directory(&database).await;
    put(&database, "ann", "1", &record("1", &json!(DIGEST))).await;
    let id = LegacyId::parse("1").unwrap();
    let right = Arc::new(Password::new("correct horse".to_owned()));
    for now in [NOW, NOW + 1] {
        directory.note_moved("ann", &id, now).await.unwrap();
        let answer = directory.find(question("ann", Some(&right))).await.unwrap();
        assert_eq!(words(&answer), ("one", Proof::RightButWeak), "M27 a mark decides nothing");
    }
    directory.note_moved("gone", &id, NOW).await.unwrap();
    let items = database.sdk().scan().table_name(TABLE).send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 1, "a row that is gone stays gone");
    assert_eq!(items[0]["migrated_at"], AttributeValue::N((NOW + 1).to_string()));
}

#[tokio::test]
async fn a_table_that_does_not_answer_gives_no_answer() {
    let database = Database::empty().await.unwrap();
    let directory = TableDirectory::new(LegacyTable::new(database.client(), "not-there"), hashing());
    let password = Arc::new(Password::new("x".to_owned()));
    for password in [None, Some(&password)] {
        let error = directory.find(question("ann", password)).await.unwrap_err();
        assert_eq!(error.code(), "LegacyTableUnreachable");
    }
}
