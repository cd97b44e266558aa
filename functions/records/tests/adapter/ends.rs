//! Setting when an item ends.

use records::testing::Database;
use records::{EXPIRES_AT, Expiry, Value, WriteError, ends_at, number, text};

use crate::support::{NOW, item};

#[tokio::test]
async fn an_end_is_set_only_where_the_old_one_is_as_it_was_read() {
    let table = [
        ("none, as read", None, None, Expiry::Set),
        ("one, as read", Some(number(7)), Some(number(7)), Expiry::Set),
        ("a text, as read", Some(text("7")), Some(text("7")), Expiry::Set),
        ("one came", Some(number(7)), None, Expiry::Changed),
        ("another came", Some(number(8)), Some(number(7)), Expiry::Changed),
        ("it went", None, Some(number(7)), Expiry::Changed),
        ("a text is no number", Some(text("7")), Some(number(7)), Expiry::Changed),
    ];
    for (name, stands, known, expected) in table {
        let database = Database::start().await.unwrap();
        let end = |end: &Option<Value>| end.iter().map(|end| (EXPIRES_AT, end.clone())).collect::<Vec<_>>();
        let attributes = [vec![("data", text("x"))], end(&stands)].concat();
        database.put(item("a", &attributes)).await.unwrap();
        let outcome = database.records(&[]).expire(("p", "a"), known.as_ref(), NOW).await;
        assert_eq!(outcome.unwrap(), expected, "{name}");
        let after = if expected == Expiry::Set { Some(number(NOW)) } else { stands };
        let attributes = [vec![("data", text("x"))], end(&after)].concat();
        assert_eq!(database.items().await.unwrap(), [item("a", &attributes)], "{name}: nothing else changed");
    }
}

/// R23: an item may end, or be moved, while it is looked at.
#[tokio::test]
async fn what_is_gone_is_not_brought_back() {
    let database = Database::start().await.unwrap();
    for known in [None, Some(number(7))] {
        let outcome = database.records(&[]).expire(("p", "a"), known.as_ref(), NOW).await;
        assert_eq!(outcome.unwrap(), Expiry::Changed, "{known:?}");
        assert_eq!(database.items().await.unwrap().len(), 0, "{known:?}");
    }
}

#[tokio::test]
async fn an_item_without_room_takes_no_end() {
    // pk, p, sk, a, data: ten bytes beside the text. The end: ten of its name, five
    // for ten digits, one more.
    for (bytes, fits) in [(409_574, true), (409_575, false), (409_590, false)] {
        let database = Database::start().await.unwrap();
        let full = item("a", &[("data", text("x".repeat(bytes)))]);
        database.put(full.clone()).await.unwrap();
        let outcome = database.records(&[]).expire(("p", "a"), None, NOW + 1).await;
        match outcome {
            Ok(Expiry::Set) if fits => {}
            Err(WriteError::Invalid(places)) if !fits => assert_eq!(places, [0_usize; 0]),
            other => panic!("{bytes}: {other:?}"),
        }
        assert_eq!(database.items().await.unwrap()[0].contains_key(EXPIRES_AT), fits, "{bytes}");
    }
}

#[test]
fn only_a_whole_number_is_an_end() {
    let n = |digits: &str| Some(Value::N(digits.to_owned()));
    let table = [
        (None, None),
        (n("0"), Some(0)),
        (n("1800000000"), Some(1_800_000_000)),
        (n("-1"), None),
        (n("1.5"), None),
        (n("18446744073709551616"), None),
        (Some(text("1800000000")), None),
        (Some(Value::Null(true)), None),
    ];
    for (end, expected) in table {
        let end: Vec<_> = end.into_iter().map(|end| (EXPIRES_AT, end)).collect();
        assert_eq!(ends_at(&item("a", &end)), expected, "{end:?}");
    }
}
