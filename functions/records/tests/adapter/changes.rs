//! Each change where it finds what it expects, and where it does not.

use records::testing::Database;
use records::{Change, Item, Stale, Store as _, Value, WriteError, number, same, text};

use crate::support::{item, told};

/// What a guest may write; `data` is what the tests write.
const GUARDED: [&str; 2] = ["data", "tenant"];

fn with(data: &str) -> Item {
    item("a", &[("data", text(data))])
}

/// One change, what stands there, what is told, and what stands there after.
type Row = (&'static str, Change, Option<Item>, &'static str, Option<Item>);

fn rows() -> Vec<Row> {
    let replace = |old: &Item, new: &Item| Change::Replace { old: old.clone(), new: new.clone() };
    let (one, two, three) = (with("1"), with("2"), with("3"));
    let bare = item("a", &[]);
    let richer = item("a", &[("data", text("1")), ("tenant", text("acme"))]);
    let unguarded = item("a", &[("data", text("1")), ("note", text("x"))]);
    let as_number = item("a", &[("data", number(1))]);
    vec![
        ("create where nothing is", Change::Create(one.clone()), None, "written", Some(one.clone())),
        ("create where another is", Change::Create(one.clone()), Some(two.clone()), "0 differs", Some(two.clone())),
        ("replace as read", replace(&one, &two), Some(one.clone()), "written", Some(two.clone())),
        ("replace what is gone", replace(&one, &two), None, "0 gone", None),
        ("replace what changed", replace(&one, &two), Some(three.clone()), "0 differs", Some(three.clone())),
        ("replace what changed its type", replace(&one, &two), Some(as_number.clone()), "0 differs", Some(as_number)),
        ("replace what lost an attribute", replace(&one, &two), Some(bare.clone()), "0 differs", Some(bare.clone())),
        ("replace what got an attribute", replace(&one, &two), Some(richer.clone()), "0 differs", Some(richer.clone())),
        (
            "a new item has only what is new",
            replace(&richer, &bare),
            Some(richer.clone()),
            "written",
            Some(bare.clone()),
        ),
        ("remove as read", Change::Remove(one.clone()), Some(one.clone()), "written", None),
        ("remove a bare key", Change::Remove(bare.clone()), Some(bare.clone()), "written", None),
        ("remove what is gone", Change::Remove(one.clone()), None, "0 gone", None),
        ("remove what changed", Change::Remove(one.clone()), Some(two.clone()), "0 differs", Some(two)),
        (
            "remove what lost an attribute",
            Change::Remove(richer.clone()),
            Some(one.clone()),
            "0 differs",
            Some(one.clone()),
        ),
        ("remove what got an attribute", Change::Remove(one.clone()), Some(richer.clone()), "0 differs", Some(richer)),
        ("remove a bare key that was filled", Change::Remove(bare), Some(one.clone()), "0 differs", Some(one.clone())),
        ("what nobody else writes is not asked for", Change::Remove(one), Some(unguarded), "written", None),
    ]
}

#[tokio::test]
async fn a_change_holds_only_if_it_finds_what_it_expects() {
    for (name, change, before, expected, after) in rows() {
        let database = Database::start().await.unwrap();
        if let Some(item) = before {
            database.put(item).await.unwrap();
        }
        let outcome = database.records(&GUARDED).write(&[change]).await;
        if let Err(WriteError::Stale(stale)) = &outcome {
            assert_eq!(stale.iter().find_map(|stale| stale.found.as_ref()), after.as_ref(), "{name}: what is there");
        }
        assert_eq!(told(outcome), expected, "{name}");
        assert_eq!(database.items().await.unwrap(), after.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn in_a_transaction_all_hold_or_none() {
    for (name, change, before, expected, after) in rows() {
        let database = Database::start().await.unwrap();
        if let Some(item) = before {
            database.put(item).await.unwrap();
        }
        let (first, last) = (item("0", &[]), item("z", &[]));
        let changes = [Change::Create(first.clone()), change.clone(), Change::Create(last.clone())];
        let outcome = database.records(&GUARDED).write(&changes).await;
        let removal = matches!(change, Change::Remove(_));
        let (held, expected) = match expected {
            "written" => (true, "written".to_owned()),
            // A transaction is not asked to tell what a deletion met.
            _ if removal => (false, "1 gone".to_owned()),
            stale => (false, stale.replace('0', "1")),
        };
        assert_eq!(told(outcome), expected, "{name}");
        let mut wanted: Vec<Item> = after.into_iter().collect();
        if held {
            wanted.extend([first, last]);
        }
        let found = database.items().await.unwrap();
        assert_eq!(found.len(), wanted.len(), "{name}: {found:?}");
        assert!(wanted.iter().all(|item| found.contains(item)), "{name}: {found:?}");
    }
}

#[tokio::test]
async fn all_that_is_stale_is_named_and_what_stands_there() {
    let database = Database::start().await.unwrap();
    let (b, d) = (item("b", &[("data", text("new"))]), item("d", &[]));
    database.put(b.clone()).await.unwrap();
    database.put(d.clone()).await.unwrap();
    let old = item("b", &[("data", text("old"))]);
    let changes = [
        Change::Create(item("a", &[])),
        Change::Replace { old: old.clone(), new: item("b", &[]) },
        Change::Remove(item("c", &[])),
        Change::Create(d.clone()),
    ];
    match database.records(&GUARDED).write(&changes).await {
        Err(WriteError::Stale(stale)) => {
            let expected = [(1, Some(b)), (2, None), (3, Some(d))];
            assert_eq!(stale, expected.map(|(index, found)| Stale { index, found }));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hundred_changes_hold_together_and_more_are_never_taken() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    assert_eq!(told(records.write(&[]).await), "written", "no change at all");
    let creations = |count: usize| -> Vec<Change> {
        (0..count).map(|number| Change::Create(item(&format!("{number:03}"), &[]))).collect()
    };
    assert_eq!(told(records.write(&creations(records::MOST_ACTIONS + 1)).await), "invalid []");
    assert_eq!(database.items().await.unwrap().len(), 0);
    assert_eq!(told(records.write(&creations(records::MOST_ACTIONS)).await), "written");
    assert_eq!(database.items().await.unwrap().len(), records::MOST_ACTIONS);
}

#[tokio::test]
async fn a_key_named_twice_is_never_taken() {
    let database = Database::start().await.unwrap();
    let changes = [Change::Create(with("1")), Change::Create(with("2"))];
    assert_eq!(told(database.records(&[]).write(&changes).await), "invalid []");
    assert_eq!(database.items().await.unwrap(), Vec::<Item>::new());
}

#[tokio::test]
async fn the_sdks_retry_after_a_lost_answer_meets_its_own_write() {
    let database = Database::start().await.unwrap();
    let records = database.records(&[]);
    let set = |members: &[&str]| Value::Ss(members.iter().map(|&member| member.to_owned()).collect());
    let (one, other_order) = (item("a", &[("data", set(&["x", "y"]))]), item("a", &[("data", set(&["y", "x"]))]));
    for created in [&one, &one, &other_order] {
        assert_eq!(told(records.write(&[Change::Create(created.clone())]).await), "written");
    }
    let replaced = item("a", &[("data", set(&["z"]))]);
    for _ in 0..2 {
        let change = Change::Replace { old: one.clone(), new: replaced.clone() };
        assert_eq!(told(records.write(&[change]).await), "written");
    }
    assert!(same(&database.items().await.unwrap()[0], &replaced, &[]));
}
