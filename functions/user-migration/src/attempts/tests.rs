//! The counters on a real DynamoDB in this process.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use directory::testing::Database;
use shared::migration::lockout::LockoutRules;

use super::*;

const TABLE: &str = "attempts";
const NOW: u64 = 1_800_000_000;
const RULES: LockoutRules =
    LockoutRules { free_attempts: 5, first_wait_s: 60, longest_wait_s: 900, overall_per_minute: 1_000 };

async fn attempts(database: &Database, rules: LockoutRules) -> AttemptsTable {
    let client = database.sdk();
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute.unwrap())
        .key_schema(key.unwrap())
        .send()
        .await
        .unwrap();
    AttemptsTable::new(database.client(), TABLE, rules)
}

async fn number(client: &Client, pk: &str, name: &str) -> Option<u64> {
    let item = client.get_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned())).send().await.unwrap();
    item.item?.get(name)?.as_n().unwrap().parse().ok()
}

#[tokio::test]
async fn of_a_hundred_guesses_at_once_five_are_checked_and_all_are_counted() {
    let database = Database::empty().await.unwrap();
    let attempts = Arc::new(attempts(&database, RULES).await);
    let guesses: Vec<_> = (0..100)
        .map(|_| {
            let attempts = Arc::clone(&attempts);
            tokio::spawn(async move { attempts.charge("ann", NOW).await.unwrap() })
        })
        .collect();
    let mut allowed = 0;
    for guess in guesses {
        allowed += u32::from(guess.await.unwrap() == Allowed::Yes);
    }
    assert_eq!(allowed, 5, "M21");
    let client = database.sdk();
    assert_eq!(number(&client, &name_item("ann"), "count").await, Some(100), "M21");
    assert_eq!(number(&client, &name_item("ann"), "open_at").await, Some(NOW + 60));
    assert_eq!(number(&client, &minute_item(NOW), "count").await, Some(5), "the refused do not use up everybody's");
}

#[tokio::test]
async fn after_each_wait_one_of_many_gets_through_and_waiting_attempts_change_nothing() {
    let database = Database::empty().await.unwrap();
    let attempts = Arc::new(attempts(&database, RULES).await);
    for _ in 0..5 {
        assert_eq!(attempts.charge("ann", NOW).await.unwrap(), Allowed::Yes, "M19");
    }
    let mut opens = NOW + 60;
    for wait in [120, 240, 480, 900, 900] {
        assert_eq!(attempts.charge("ann", opens - 1).await.unwrap(), Allowed::NameWaits, "M19 {wait}");
        let charges: Vec<_> = (0..20)
            .map(|_| {
                let attempts = Arc::clone(&attempts);
                tokio::spawn(async move { attempts.charge("ann", opens).await.unwrap() })
            })
            .collect();
        let mut allowed = 0;
        for charge in charges {
            allowed += u32::from(charge.await.unwrap() == Allowed::Yes);
        }
        assert_eq!(allowed, 1, "M20 {wait}");
        opens += wait;
        assert_eq!(number(&database.sdk(), &name_item("ann"), "open_at").await, Some(opens), "{wait}");
    }
    assert_eq!(attempts.charge("bob", NOW).await.unwrap(), Allowed::Yes, "another name does not wait");
}

#[tokio::test]
async fn a_success_is_forgiven() {
    let database = Database::empty().await.unwrap();
    let attempts = attempts(&database, RULES).await;
    for _ in 0..4 {
        attempts.charge("ann", NOW).await.unwrap();
    }
    attempts.forgive("ann", NOW).await.unwrap();
    let client = database.sdk();
    assert_eq!(number(&client, &name_item("ann"), "count").await, None);
    assert_eq!(number(&client, &minute_item(NOW), "count").await, Some(3));
    for _ in 0..5 {
        assert_eq!(attempts.charge("ann", NOW).await.unwrap(), Allowed::Yes);
    }
    // One that the table has never seen is forgiven, too.
    attempts.forgive("nobody", NOW + 6_000).await.unwrap();
    assert_eq!(attempts.charge("nobody", NOW + 6_000).await.unwrap(), Allowed::Yes);
}

#[tokio::test]
async fn everybody_waits_when_the_minute_is_full_and_only_so_long() {
    let database = Database::empty().await.unwrap();
    let attempts = attempts(&database, LockoutRules { overall_per_minute: 3, ..RULES }).await;
    for name in ["a", "b", "c"] {
        assert_eq!(attempts.charge(name, NOW).await.unwrap(), Allowed::Yes);
    }
    assert_eq!(attempts.charge("d", NOW).await.unwrap(), Allowed::EverybodyWaits, "M20");
    assert_eq!(attempts.charge("d", NOW + 60).await.unwrap(), Allowed::Yes, "M20");
}

#[tokio::test]
async fn without_an_answer_there_is_no_attempt() {
    let database = Database::empty().await.unwrap();
    let missing = AttemptsTable::new(database.client(), "not-there", RULES);
    assert_eq!(missing.charge("ann", NOW).await.unwrap_err().code(), "AttemptsUnreachable", "M22");
    assert_eq!(missing.forgive("ann", NOW).await.unwrap_err().code(), "AttemptsUnreachable");
    let attempts = attempts(&database, RULES).await;
    let put = database.sdk().put_item().table_name(TABLE).item("pk", AttributeValue::S(name_item("ann")));
    put.item("open_at", AttributeValue::S("soon".to_owned())).send().await.unwrap();
    assert_eq!(attempts.charge("ann", NOW).await.unwrap_err().code(), "AttemptsCorrupt", "M22");
}

#[tokio::test]
async fn the_table_shows_no_name_and_forgets_in_time() {
    let database = Database::empty().await.unwrap();
    let attempts = attempts(&database, RULES).await;
    attempts.charge("ann@acme.example", NOW).await.unwrap();
    let items = database.sdk().scan().table_name(TABLE).send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        assert!(!format!("{item:?}").contains("ann"), "{item:?}");
        let expires_at: u64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        assert!((NOW + 60..=NOW + lockout::FORGET_AFTER_S).contains(&expires_at), "{item:?}");
    }
}
