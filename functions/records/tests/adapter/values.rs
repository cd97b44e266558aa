//! Every type of attribute goes through the table and its conditions unchanged.

use aws_sdk_dynamodb::primitives::Blob;
use proptest::prelude::*;
use records::testing::Database;
use records::{Change, Item, Store as _, Value, same, text};

use crate::support::{item, told};

fn n(number: &str) -> Value {
    Value::N(number.to_owned())
}

fn texts(members: &[&str]) -> Vec<String> {
    members.iter().map(|&member| member.to_owned()).collect()
}

fn map(members: &[(&str, Value)]) -> Value {
    Value::M(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// A value of each type, as DynamoDB writes it.
fn values() -> Vec<(&'static str, Value)> {
    let bytes = |bytes: &[u8]| Blob::new(bytes);
    let all_bytes: Vec<u8> = (0..=255).collect();
    let deep = (0..20).fold(text("core"), |value, level| match level % 2 {
        0 => Value::L(vec![value, Value::Null(true)]),
        _ => map(&[("in", value)]),
    });
    vec![
        ("text", text("x")),
        ("empty text", text("")),
        ("text beyond ASCII", text("ünï\u{0}\u{1F600}e\u{301}")),
        ("zero", n("0")),
        ("38 digits", n("12345678901234567890123456789012345678")),
        ("38 digits less than nothing", n("-99999999999999999999999999999999999999")),
        ("38 digits behind the point", n("0.12345678901234567890123456789012345678")),
        ("more than a double holds", n("9007199254740993")),
        ("bytes", Value::B(bytes(&all_bytes))),
        ("no bytes", Value::B(bytes(b""))),
        ("texts", Value::Ss(texts(&["a", "b", "ü"]))),
        ("numbers", Value::Ns(texts(&["-1", "0.5", "12345678901234567890123456789012345678"]))),
        ("sets of bytes", Value::Bs(vec![bytes(b"\x00"), bytes(b"\xff\x00")])),
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("null", Value::Null(true)),
        ("empty list", Value::L(Vec::new())),
        ("empty map", map(&[])),
        ("list of all", Value::L(vec![text("1"), n("1"), Value::B(bytes(b"1")), Value::Bool(true), Value::Null(true)])),
        ("map", map(&[("a.b", n("1")), ("set", Value::Ss(texts(&["x"])))])),
        ("twenty levels", deep),
    ]
}

#[tokio::test]
async fn every_type_is_written_read_and_compared_bit_by_bit() {
    for (name, value) in values() {
        let database = Database::start().await.unwrap();
        let records = database.records(&["data"]);
        let (bare, full) = (item("a", &[]), item("a", &[("data", value)]));
        assert_eq!(told(records.write(&[Change::Create(full.clone())]).await), "written", "{name}");
        let read = records.read("p", "a").await.unwrap().unwrap();
        assert!(same(&read, &full, &[]), "{name}: {read:?}");
        let page = records.page("p", None).await.unwrap();
        assert!(page.items.iter().all(|found| same(found, &full, &[])), "{name}: {page:?}");
        let stale = Change::Remove(bare.clone());
        assert_eq!(told(records.write(&[stale]).await), "0 differs", "{name}: it was not always there");
        let away = Change::Replace { old: read.clone(), new: bare.clone() };
        assert_eq!(told(records.write(&[away]).await), "written", "{name}: as it was read");
        let back = Change::Replace { old: bare, new: read.clone() };
        assert_eq!(told(records.write(&[back, Change::Create(item("b", &[]))]).await), "written", "{name}");
        assert_eq!(
            told(records.write(&[Change::Remove(read), Change::Remove(item("b", &[]))]).await),
            "written",
            "{name}"
        );
        assert_eq!(database.items().await.unwrap(), Vec::<Item>::new(), "{name}");
    }
}

/// Each type stands for each other, and no two are alike.
#[tokio::test]
async fn no_value_is_taken_for_another() {
    let values = values();
    let database = Database::start().await.unwrap();
    let records = database.records(&["data"]);
    for (index, (name, value)) in values.iter().enumerate() {
        database.put(item("a", &[("data", value.clone())])).await.unwrap();
        for (other_index, (other_name, other)) in values.iter().enumerate() {
            let replaced = item("a", &[("data", other.clone())]);
            let change = Change::Replace { old: replaced, new: item("a", &[("data", value.clone())]) };
            let twin = [change, Change::Create(item(&format!("{index}-{other_index}"), &[]))];
            let expected = if index == other_index { "written" } else { "0 differs" };
            assert_eq!(told(records.write(&twin).await), expected, "{name} for {other_name}");
        }
    }
}

#[test]
fn sets_are_compared_without_order_and_lists_with_it() {
    let set = |members: &[&str]| item("a", &[("data", Value::Ss(texts(members)))]);
    let list = |members: &[&str]| item("a", &[("data", Value::L(members.iter().map(|&one| text(one)).collect()))]);
    let nested = |members: &[&str]| item("a", &[("data", map(&[("in", Value::Ns(texts(members)))]))]);
    let bytes =
        |members: &[&[u8]]| item("a", &[("data", Value::Bs(members.iter().map(|one| Blob::new(*one)).collect()))]);
    let table = [
        ("a set", set(&["x", "y"]), set(&["y", "x"]), true),
        ("a larger set", set(&["x", "y"]), set(&["x", "y", "z"]), false),
        ("another set", set(&["x", "y"]), set(&["x", "z"]), false),
        ("a list", list(&["x", "y"]), list(&["y", "x"]), false),
        ("the same list", list(&["x", "y"]), list(&["x", "y"]), true),
        ("a set in a map", nested(&["1", "2"]), nested(&["2", "1"]), true),
        ("a set of bytes", bytes(&[b"1", b"2"]), bytes(&[b"2", b"1"]), true),
        ("no bytes and one", bytes(&[b"1"]), bytes(&[b""]), false),
        ("a set and a list", set(&["x"]), list(&["x"]), false),
        ("nothing", item("a", &[]), set(&["x"]), false),
    ];
    for (name, one, other, expected) in table {
        assert_eq!(same(&one, &other, &[]), expected, "{name}");
        assert_eq!(same(&other, &one, &[]), expected, "{name}, the other way round");
        assert!(same(&one, &other, &["data"]), "{name}: left out");
    }
}

/// Any value that a table could hold.
fn any_value() -> impl Strategy<Value = Value> {
    let digits = "(0|-?[1-9][0-9]{0,36}|-?0\\.[0-9]{0,20}[1-9])";
    let leaf = prop_oneof![
        "\\PC{0,8}".prop_map(Value::S),
        digits.prop_map(Value::N),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| Value::B(Blob::new(bytes))),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null(true)),
        prop::collection::btree_set("[a-z]{1,4}", 1..4).prop_map(|set| Value::Ss(set.into_iter().collect())),
        prop::collection::btree_set("[1-9][0-9]{0,30}", 1..4).prop_map(|set| Value::Ns(set.into_iter().collect())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::L),
            prop::collection::hash_map("[a-z.#:]{1,4}", inner, 0..4).prop_map(Value::M),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// What was read can be expected: no value is lost on its way into a condition.
    #[test]
    fn whatever_is_read_can_be_removed(data in any_value(), other in any_value()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = Database::start().await.unwrap();
            let records = database.records(&["data", "other"]);
            let written = item("a", &[("data", data), ("other", other)]);
            prop_assert_eq!(told(records.write(&[Change::Create(written.clone())]).await), "written");
            let read = records.read("p", "a").await.unwrap().unwrap();
            prop_assert!(same(&read, &written, &[]), "{read:?}");
            prop_assert_eq!(told(records.write(&[Change::Remove(read)]).await), "written");
            Ok(())
        })?;
    }
}
