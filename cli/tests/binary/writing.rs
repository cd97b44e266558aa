//! What is in the table afterwards, whatever DynamoDB did meanwhile.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::migration::LegacyUser;

use crate::support::legacy_table::{LegacyTable, TABLE};
use crate::support::proxy::{Call, Fate, Proxy};
use crate::support::tool::{Folder, run};

/// What becomes of a call that goes wrong.
type Refusal = fn(&Call) -> Fate;

/// A plain export of so many people.
pub(crate) fn people(count: usize) -> String {
    let rows = (0..count).map(|index| format!("{index},user-{index}@example.com\n"));
    std::iter::once("id,email\n".to_owned()).chain(rows).collect()
}

/// The keys of their rows.
pub(crate) fn keys_of_people(count: usize) -> BTreeSet<(String, String)> {
    (0..count).map(|index| (format!("user-{index}@example.com"), index.to_string())).collect()
}

/// How many rows the puts among these calls asked for.
pub(crate) fn puts(calls: &[Call]) -> usize {
    let puts = |call: &Call| call.body["RequestItems"][TABLE].as_array().map_or(0, Vec::len);
    calls.iter().filter(|call| call.operation == "BatchWriteItem").map(puts).sum()
}

#[tokio::test]
async fn a_user_has_a_row_for_each_name() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.sample("keycloak.json");
    let arguments = ["import", "--format", "keycloak", "--sign-in", "email,username", "--table", TABLE, &file];
    let run = run(table.endpoint(), &arguments).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.contains("Written   5 users to legacy-users (5 new, 0 anew)"), "{}", run.out);
    let rows = table.rows().await;
    let keys: Vec<_> = rows.keys().map(|(name, id)| (name.as_str(), id.as_str())).collect();
    let expected = [
        ("ann", "k-1"),
        ("ann@example.com", "k-1"),
        ("bob", "k-2"),
        ("bob@example.com", "k-2"),
        ("cara", "k-3"),
        ("dora", "k-4"),
        ("dora@example.com", "k-4"),
        ("gus", "k-8"),
        ("gus@example.com", "k-8"),
    ];
    assert_eq!(keys, expected);
    for ((name, id), row) in &rows {
        let user: LegacyUser = serde_json::from_str(&row.record).unwrap();
        assert_eq!(user.id.as_str(), id, "{name}");
        assert_eq!(row.migrated_at, None, "{name}");
    }
    assert_eq!(folder.files(), ["keycloak.json"], "no state is left");
}

#[tokio::test]
async fn another_import_renews_records_and_keeps_marks() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(130));
    let arguments = ["import", "--format", "csv", "--table", TABLE, &file];
    assert_eq!(run(table.endpoint(), &arguments).await.code, Some(0));
    table.mark("user-7@example.com", "7").await;
    folder.write("users.csv", people(140).replace("id,email", "id,email,plan").replace(".com\n", ".com,pro\n"));
    let again = run(table.endpoint(), &arguments).await;
    assert!(again.out.contains("140 users to legacy-users (10 new, 130 anew)"), "{again:?}");
    let rows = table.rows().await;
    assert_eq!(rows.keys().cloned().collect::<BTreeSet<_>>(), keys_of_people(140));
    for ((name, id), row) in rows {
        assert!(row.record.contains("\"plan\":\"pro\""), "{name} has the new record");
        assert_eq!(row.migrated_at.is_some(), id == "7", "{name}");
    }
}

#[tokio::test]
async fn a_put_whose_outcome_is_unknown_erases_no_mark() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(30));
    let proxy = Proxy::start(table.endpoint(), |_| Fate::Served);
    // The rows are written, the tool is told that they are not, and before it
    // tries again somebody signs in and is marked.
    let mark = serde_json::json!({
        "TableName": TABLE,
        "Key": {"name": {"S": "user-7@example.com"}, "id": {"S": "7"}},
        "UpdateExpression": "SET migrated_at = :now",
        "ExpressionAttributeValues": {":now": {"N": "1800000000"}},
    });
    let direct = Proxy::start(table.endpoint(), |_| Fate::Served);
    proxy.plan(move |call| match (call.operation.as_str(), call.earlier) {
        ("BatchWriteItem", 0) => Fate::ServedAndDenied(500, "InternalServerError"),
        ("BatchGetItem", 1) => {
            direct.call("UpdateItem", &mark);
            Fate::Served
        }
        _ => Fate::Served,
    });
    let run = run(proxy.url(), &["import", "--format", "csv", "--table", TABLE, &file]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let rows = table.rows().await;
    assert_eq!(rows.keys().cloned().collect::<BTreeSet<_>>(), keys_of_people(30));
    for ((name, id), row) in rows {
        assert_eq!(row.migrated_at.is_some(), id == "7", "{name}");
    }
}

#[tokio::test]
async fn what_a_busy_table_leaves_undone_is_done_later() {
    let refusals: [(&str, &str, Refusal); 6] = [
        ("throttled puts", "BatchWriteItem", |_| Fate::Refused(400, "ProvisionedThroughputExceededException")),
        ("throttled reads", "BatchGetItem", |_| Fate::Refused(400, "ThrottlingException")),
        ("puts in part", "BatchWriteItem", |_| Fate::ServedUpTo(7)),
        ("reads in part", "BatchGetItem", |_| Fate::ServedUpTo(60)),
        ("no put at all", "BatchWriteItem", |_| Fate::ServedUpTo(0)),
        ("an error after the fact", "BatchWriteItem", |_| Fate::ServedAndDenied(500, "InternalServerError")),
    ];
    for (name, operation, refusal) in refusals {
        let table = LegacyTable::start().await;
        let folder = Folder::new();
        let file = folder.write("users.csv", people(120));
        // Every other such call goes wrong.
        let proxy = Proxy::start(table.endpoint(), move |call| {
            if call.operation == operation && call.earlier % 2 == 0 { refusal(call) } else { Fate::Served }
        });
        let run = run(proxy.url(), &["--output", "json", "import", "--format", "csv", "--table", TABLE, &file]).await;
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        let written = &answer["written"];
        assert_eq!(written["new"].as_u64().zip(written["renewed"].as_u64()).map(|(a, b)| a + b), Some(120), "{name}");
        let keys: BTreeSet<_> = table.rows().await.into_keys().collect();
        assert_eq!(keys, keys_of_people(120), "{name}");
        assert!(proxy.take_calls().len() > 8, "{name}: calls were repeated");
    }
}

#[tokio::test]
async fn a_throttled_update_is_repeated() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(40));
    let arguments = ["import", "--format", "csv", "--table", TABLE, &file];
    run(table.endpoint(), &arguments).await;
    let proxy = Proxy::start(table.endpoint(), |call| match (call.operation.as_str(), call.earlier % 3) {
        ("UpdateItem", 0) => Fate::Refused(400, "ThrottlingException"),
        _ => Fate::Served,
    });
    let again = run(proxy.url(), &["import", "--format", "csv", "--table", TABLE, &file]).await;
    assert!(again.out.contains("40 users to legacy-users (0 new, 40 anew)"), "{again:?}");
}
