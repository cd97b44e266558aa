//! Reading one item, and partitions of more than a page.

use std::collections::BTreeSet;

use records::testing::Database;
use records::{Item, Records, SK, Store as _, number, text};

use crate::support::{NOW, item};

/// Reads a partition to its end; how many pages it had, and the names.
async fn all(records: &Records, living: bool) -> (usize, Vec<String>) {
    let (mut pages, mut names, mut after) = (0, Vec::new(), None::<String>);
    loop {
        let page = match living {
            true => records.living("p", after.as_deref(), NOW).await.unwrap(),
            false => records.page("p", after.as_deref()).await.unwrap(),
        };
        pages += 1;
        names.extend(page.items.iter().map(|item| item[SK].as_s().unwrap().clone()));
        after = page.next;
        if after.is_none() {
            return (pages, names);
        }
    }
}

#[tokio::test]
async fn an_item_is_read_by_its_whole_key() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    database.put(item("a", &[("data", text("x"))])).await.unwrap();
    let table = [("p", "a", true), ("p", "b", false), ("q", "a", false), ("p", "A", false)];
    for (pk, sk, found) in table {
        let read = records.read(pk, sk).await.unwrap();
        assert_eq!(read, found.then(|| item("a", &[("data", text("x"))])), "{pk} {sk}");
    }
}

/// DynamoDB ends a page after 1 MB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
#[tokio::test]
async fn a_partition_of_more_than_a_page_is_read_whole_and_in_order() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    let names: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    for name in names.iter().rev() {
        database.put(item(name, &[("data", text("x".repeat(100_000)))])).await.unwrap();
    }
    let other = Item::from([("pk".to_owned(), text("p2")), ("sk".to_owned(), text("00"))]);
    database.put(other).await.unwrap();
    let (pages, found) = all(&records, false).await;
    assert_eq!(found, names, "each once, none of another partition");
    assert!((3..=4).contains(&pages), "{pages} pages of 3 MB");
    assert_eq!(all(&records, true).await, (pages, names), "none has ended");
}

#[tokio::test]
async fn a_page_without_items_is_not_the_end() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    let filling = ("data", text("x".repeat(300_000)));
    for number_of in 0..10 {
        let ended = [filling.clone(), ("expires_at", number(NOW - 1))];
        database.put(item(&format!("{number_of}"), &ended)).await.unwrap();
    }
    database.put(item("z", std::slice::from_ref(&filling))).await.unwrap();
    let first = records.living("p", None, NOW).await.unwrap();
    assert!(first.items.is_empty() && first.next.is_some(), "{} items", first.items.len());
    let (pages, found) = all(&records, true).await;
    assert_eq!(found, ["z"]);
    assert!(pages > 2, "{pages} pages");
    assert_eq!(all(&records, false).await.1.len(), 11, "a page tells what has ended, too");
}

#[tokio::test]
async fn an_empty_partition_has_one_empty_page() {
    let database = Database::start().await.unwrap();
    assert_eq!(all(&database.records(&[]), false).await, (1, Vec::new()));
    assert_eq!(all(&database.records(&[]), true).await, (1, Vec::new()));
}

#[tokio::test]
async fn only_what_has_ended_is_left_out() {
    let database = Database::start().await.unwrap();
    let table = [
        ("no end", None, true),
        ("later", Some(number(NOW + 1)), true),
        ("now", Some(number(NOW)), false),
        ("before", Some(number(NOW - 1)), false),
        ("at the beginning", Some(number(0)), false),
        ("a text is no end", Some(text("0")), true),
        ("an end of 38 digits", Some(records::Value::N("9".repeat(38))), true),
    ];
    for (name, end, _) in &table {
        let end: Vec<_> = end.iter().map(|end| ("expires_at", end.clone())).collect();
        database.put(item(name, &end)).await.unwrap();
    }
    let (_, found) = all(&database.records(&[]), true).await;
    let expected: BTreeSet<String> = table.iter().filter(|row| row.2).map(|row| row.0.to_owned()).collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}
