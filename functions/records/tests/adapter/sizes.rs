//! Sizes as DynamoDB counts them.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use aws_sdk_dynamodb::primitives::Blob;
use records::testing::Database;
use records::{Change, Item, MOST_BYTES, MOST_ITEM_BYTES, Store as _, Value, item_bytes, text};

use crate::support::{item, told};

fn n(number: &str) -> Value {
    Value::N(number.to_owned())
}

fn texts(members: &[&str]) -> Vec<String> {
    members.iter().map(|&member| member.to_owned()).collect()
}

/// A value, the bytes that the page gives for it, and how many more we may count.
fn known() -> Vec<(&'static str, Value, usize, usize)> {
    let map = |members: &[(&str, Value)]| {
        Value::M(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    vec![
        ("a text is its UTF-8", text("aü\u{20ac}\u{1F600}"), 10, 0),
        ("an empty text", text(""), 0, 0),
        ("binary is its raw bytes", Value::B(Blob::new([0; 100])), 100, 0),
        ("no bytes", Value::B(Blob::new([])), 0, 0),
        ("true", Value::Bool(true), 1, 0),
        ("null", Value::Null(true), 1, 0),
        ("a digit: a byte, and one more", n("7"), 2, 1),
        ("two digits", n("27"), 2, 1),
        ("three digits", n("127"), 3, 1),
        ("zeros at the end are trimmed", n("1200000"), 2, 1),
        ("zeros at the front are trimmed", n("0.0012"), 2, 1),
        ("the time", n("1800000001"), 6, 1),
        ("38 digits", n("12345678901234567890123456789012345678"), 20, 1),
        ("an empty list: three bytes", Value::L(Vec::new()), 3, 0),
        ("an empty map: three bytes", map(&[]), 3, 0),
        ("an element: one byte more", Value::L(vec![text("ab"), Value::Null(true)]), 3 + 2 + 1 + 2, 0),
        ("a member: its name, too", map(&[("name", text("ab"))]), 3 + 4 + 2 + 1, 0),
        ("a list in a map", map(&[("l", Value::L(vec![text("x")]))]), 3 + 1 + 1 + 3 + 1 + 1, 0),
        ("a set of texts", Value::Ss(texts(&["ab", "c"])), 3, 0),
        ("a set of numbers", Value::Ns(texts(&["1", "22"])), 4, 2),
        ("a set of bytes", Value::Bs(vec![Blob::new([1, 2]), Blob::new([3])]), 3, 0),
    ]
}

#[test]
fn a_size_is_the_pages_or_a_little_more_for_numbers() {
    let key = item_bytes(&item("a", &[]));
    assert_eq!(key, "pk".len() + "p".len() + "sk".len() + "a".len());
    for (name, value, page, more) in known() {
        let counted = item_bytes(&item("a", &[("data", value)])) - key - "data".len();
        assert!((page..=page + more).contains(&counted), "{name}: {counted} instead of {page}");
    }
}

/// Fills the item up to what we count as the limit: never may the table find more.
#[tokio::test]
async fn an_item_that_we_count_within_the_limit_is_taken() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    let negative = [("a negative number", n("-42"), 3, 0), ("halves of bytes on both sides", n("-1.5"), 4, 0)];
    for (number, (name, value, ..)) in known().into_iter().chain(negative).enumerate() {
        let sk = format!("{number:02}");
        let rest = MOST_ITEM_BYTES - item_bytes(&item(&sk, &[("data", value.clone()), ("fill", text(""))]));
        let full = item(&sk, &[("data", value), ("fill", text("x".repeat(rest)))]);
        assert_eq!(item_bytes(&full), MOST_ITEM_BYTES);
        assert_eq!(told(records.write(&[Change::Create(full)]).await), "written", "{name}");
    }
}

#[tokio::test]
async fn one_byte_more_than_an_item_may_have_is_never_taken() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    let sized = |sk: &str, bytes: usize| {
        let bare = item_bytes(&item(sk, &[("data", text(""))]));
        item(sk, &[("data", text("x".repeat(bytes - bare)))])
    };
    let over = Change::Create(sized("a", MOST_ITEM_BYTES + 1));
    assert_eq!(told(records.write(std::slice::from_ref(&over)).await), "invalid []");
    let outcome = told(records.write(&[Change::Create(sized("b", 100)), over]).await);
    assert!(outcome.starts_with("invalid"), "in a transaction: {outcome}");
    assert_eq!(database.items().await.unwrap(), Vec::<Item>::new());
}

#[tokio::test]
async fn a_transaction_takes_what_fits_into_its_limit_and_no_more() {
    let items = |count: usize, last: usize| -> Vec<Change> {
        let sized = |number: usize, bytes: usize| {
            let sk = format!("{number:03}");
            let bare = item_bytes(&item(&sk, &[("data", text(""))]));
            Change::Create(item(&sk, &[("data", text("x".repeat(bytes - bare)))]))
        };
        let whole = (0..count).map(|number| sized(number, 400_000));
        whole.chain([sized(count, last)]).collect()
    };
    let rest = MOST_BYTES - 10 * 400_000;
    for (last, expected) in [(rest, "written"), (rest + 1, "invalid []")] {
        let database = Database::start().await.unwrap();
        assert_eq!(told(database.records(&[]).write(&items(10, last)).await), expected, "{last}");
        assert_eq!(database.items().await.unwrap().len(), if expected == "written" { 11 } else { 0 });
    }
}
