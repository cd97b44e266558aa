use std::sync::Mutex;

use records::testing::Database;
use records::{Item, SK, Value, ends_at, item_bytes, number, text};
use serde_json::{Value as Json, json};

use super::*;

const NOW: u64 = 1_800_000_001;
const END: u64 = NOW + 30 * 86_400;
const ANN: &str = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";
const BOB: &str = "us-east-1:0b1b2c3d-1111-4222-8333-444455556666";

/// Promotions that go on, by identity; `None` when the queue takes none.
#[derive(Debug)]
struct Queue(Option<Mutex<Vec<String>>>);

impl Promotions for Queue {
    async fn go_on(&self, identity: &IdentityId) -> Result<(), Unsent> {
        let Some(sent) = &self.0 else { return Err("the queue is down".into()) };
        sent.lock().unwrap().push(identity.to_string());
        Ok(())
    }
}

fn rules(most_items: u64, most_bytes: u64) -> GuestRules {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/rules.toml");
    let rules = shell::rules(&|key| (key == "RULES_FILE").then(|| path.to_owned())).unwrap();
    GuestRules { keep_days: 30, most_items, most_bytes, ..rules.guests.unwrap() }
}

fn keeper(records: Records, rules: GuestRules) -> GuestKeeper<Queue> {
    GuestKeeper::new(rules, records, Queue(Some(Mutex::default())))
}

fn item(identity: &str, name: &str, attributes: &[(&str, Value)]) -> Item {
    let key = [("pk".to_owned(), text(format!("GUEST#{identity}"))), (SK.to_owned(), text(name))];
    key.into_iter().chain(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
}

fn ledger(identity: &str) -> Item {
    Item::from([("pk".to_owned(), text(format!("LEDGER#{identity}"))), (SK.to_owned(), text("PROMOTION"))])
}

/// The stream's record of a write; its number is the position, from 100.
fn batch(writes: &[(&str, &str)]) -> Json {
    let record = |(position, (identity, name)): (usize, &(&str, &str))| {
        json!({
            "eventName": if position % 2 == 0 { "INSERT" } else { "MODIFY" },
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": {"pk": {"S": format!("GUEST#{identity}")}, "sk": {"S": name}},
                "SequenceNumber": (100 + position).to_string(),
                "StreamViewType": "KEYS_ONLY",
            },
        })
    };
    json!({ "Records": writes.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// The code, and the numbers from which to try again.
async fn handle<P: Promotions>(keeper: &GuestKeeper<P>, event: &Json) -> (&'static str, Vec<String>) {
    let event = event.to_string();
    let invocation = Invocation { request_id: "1".to_owned(), now: NOW };
    let answer = keeper.handle(&event, &invocation).await.unwrap();
    let reply: Json = serde_json::from_str(answer.body.as_str()).unwrap();
    let failures = reply["batchItemFailures"].as_array().unwrap();
    assert_eq!(failures.is_empty(), answer.cause.is_none(), "{:?}", answer.cause);
    let cause = answer.cause.unwrap_or_default();
    assert!(!cause.contains(ANN) && !cause.contains(BOB), "whoever has the id is the guest: {cause}");
    (answer.code, failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect())
}

/// The ends of all records, by name.
async fn ends(database: &Database) -> Vec<(String, Option<u64>)> {
    let items = database.items().await.unwrap();
    let mut ends: Vec<_> = items.iter().map(|item| (item[SK].as_s().unwrap().clone(), ends_at(item))).collect();
    ends.sort();
    ends
}

fn named(ends: &[(&str, Option<u64>)]) -> Vec<(String, Option<u64>)> {
    ends.iter().map(|(name, end)| ((*name).to_owned(), *end)).collect()
}

#[tokio::test]
async fn what_a_guest_wrote_gets_an_end_and_the_echo_changes_nothing() {
    let database = Database::start().await.unwrap();
    database.put(item(ANN, "cart", &[("data", text("x"))])).await.unwrap();
    database.put(item(ANN, "old", &[("expires_at", number(NOW + 5))])).await.unwrap();
    database.put(item(BOB, "other", &[])).await.unwrap();
    let keeper = keeper(database.records(&[]), rules(10, 1000));
    let kept = named(&[("cart", Some(END)), ("old", Some(END)), ("other", None)]);
    for round in ["the write", "the echo", "the same again"] {
        assert_eq!(handle(&keeper, &batch(&[(ANN, "cart"), (ANN, "old")])).await, ("Kept", vec![]), "{round}");
        assert_eq!(ends(&database).await, kept, "{round}");
    }
    let cart = item(ANN, "cart", &[("data", text("x")), ("expires_at", number(END))]);
    assert!(database.items().await.unwrap().contains(&cart), "nothing else of a record changes");
}

#[tokio::test]
async fn what_is_over_a_limit_ends_at_once() {
    let size = u64::try_from(item_bytes(&item(ANN, "a", &[]))).unwrap();
    let table = [
        ("items", rules(2, 10_000)),
        // The ends are not the guest's and do not count.
        ("bytes", rules(10, 3 * size - 1)),
    ];
    for (name, rules) in table {
        let database = Database::start().await.unwrap();
        let keeper = keeper(database.records(&[]), rules);
        database.put(item(ANN, "b", &[])).await.unwrap();
        assert_eq!(handle(&keeper, &batch(&[(ANN, "b")])).await, ("Kept", vec![]), "{name}");
        for record in ["a", "c"] {
            database.put(item(ANN, record, &[])).await.unwrap();
        }
        let writes = batch(&[(ANN, "c"), (ANN, "a")]);
        assert_eq!(handle(&keeper, &writes).await, ("LimitReached", vec![]), "{name}");
        let expected = named(&[("a", Some(NOW)), ("b", Some(END)), ("c", Some(END))]);
        assert_eq!(ends(&database).await, expected, "{name}");
        assert_eq!(handle(&keeper, &writes).await, ("Kept", vec![]), "{name}: what has ended counts nothing");
        assert_eq!(ends(&database).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_record_does_not_grow_too_large_by_its_own_end() {
    let database = Database::start().await.unwrap();
    database.put(item(ANN, "a", &[])).await.unwrap();
    let size = u64::try_from(item_bytes(&item(ANN, "a", &[]))).unwrap();
    let keeper = keeper(database.records(&[]), rules(10, size));
    for round in ["the write", "the echo"] {
        assert_eq!(handle(&keeper, &batch(&[(ANN, "a")])).await, ("Kept", vec![]), "{round}");
        assert_eq!(ends(&database).await, named(&[("a", Some(END))]), "{round}");
    }
}

#[tokio::test]
async fn a_late_write_of_a_promoted_guest_is_handed_over() {
    let database = Database::start().await.unwrap();
    for late in [item(ANN, "late", &[]), item(BOB, "cart", &[]), ledger(ANN)] {
        database.put(late).await.unwrap();
    }
    let keeper = keeper(database.records(&[]), rules(10, 1000));
    assert_eq!(handle(&keeper, &batch(&[(ANN, "late"), (BOB, "cart"), (ANN, "late")])).await, ("Kept", vec![]));
    assert_eq!(*keeper.promotions.0.as_ref().unwrap().lock().unwrap(), [ANN], "once");
    assert_eq!(ends(&database).await, named(&[("PROMOTION", None), ("cart", Some(END)), ("late", None)]));
}

#[tokio::test]
async fn a_guest_who_cannot_be_handed_over_comes_again_and_holds_up_nobody() {
    let database = Database::start().await.unwrap();
    for record in [item(ANN, "late", &[]), item(BOB, "cart", &[]), ledger(ANN)] {
        database.put(record).await.unwrap();
    }
    let keeper = GuestKeeper::new(rules(10, 1000), database.records(&[]), Queue(None));
    let writes = batch(&[(BOB, "cart"), (ANN, "late"), (BOB, "cart"), (ANN, "late")]);
    assert_eq!(handle(&keeper, &writes).await, ("TryAgain", vec!["101".to_owned()]), "from his first write");
    assert_eq!(ends(&database).await, named(&[("PROMOTION", None), ("cart", Some(END)), ("late", None)]));
}

#[tokio::test]
async fn what_cannot_be_read_comes_again() {
    let gone = Database::start().await.unwrap();
    let keeper = keeper(gone.records(&[]), rules(10, 1000));
    drop(gone);
    tokio::task::yield_now().await;
    let writes = batch(&[(ANN, "a"), (BOB, "b"), (ANN, "c")]);
    assert_eq!(handle(&keeper, &writes).await, ("TryAgain", vec!["100".to_owned(), "101".to_owned()]));
    // A name that is empty makes Lambda try the whole batch again.
    let mut unnumbered = writes;
    unnumbered["Records"][0]["dynamodb"].as_object_mut().unwrap().remove("SequenceNumber");
    assert_eq!(handle(&keeper, &unnumbered).await, ("TryAgain", vec![String::new(), "101".to_owned()]));
}

#[tokio::test]
async fn who_is_left_over_when_the_time_is_up_comes_again() {
    let database = Database::start().await.unwrap();
    database.put(item(ANN, "cart", &[])).await.unwrap();
    let mut keeper = keeper(database.records(&[]), rules(10, 1000));
    let writes = batch(&[(ANN, "cart"), (ANN, "cart"), (BOB, "cart")]);
    keeper.work = Duration::ZERO;
    assert_eq!(handle(&keeper, &writes).await, ("TryAgain", vec!["100".to_owned(), "102".to_owned()]));
    keeper.work = WORK;
    assert_eq!(handle(&keeper, &writes).await, ("Kept", vec![]));
    assert_eq!(ends(&database).await, named(&[("cart", Some(END))]));
}

#[tokio::test]
async fn a_strange_record_is_left_out_and_a_strange_event_is_refused() {
    let database = Database::start().await.unwrap();
    database.put(item(ANN, "cart", &[])).await.unwrap();
    let keeper = keeper(database.records(&[]), rules(10, 1000));
    let mut event = batch(&[(ANN, "cart")]);
    let records = event["Records"].as_array_mut().unwrap();
    records.insert(0, json!({"kinesis": {}}));
    records.push(json!(null));
    records.extend(batch(&[("nobody", "x")])["Records"].as_array().unwrap().clone());
    assert_eq!(handle(&keeper, &event).await, ("Kept", vec![]));
    assert_eq!(ends(&database).await, named(&[("cart", Some(END))]));
    assert_eq!(handle(&keeper, &json!({"Records": []})).await, ("NothingToKeep", vec![]));
    for event in [json!({}), json!({"Records": null}), json!({"Records": "x"}), json!([]), json!(null)] {
        let invocation = Invocation { request_id: "1".to_owned(), now: NOW };
        let failure = keeper.handle(&event.to_string(), &invocation).await.unwrap_err();
        assert_eq!(failure.code(), "EventUnreadable", "{event}");
    }
}

/// R23: records end, are deleted and are moved while the stream still tells of them.
#[tokio::test]
async fn a_record_that_is_gone_is_no_error() {
    let database = Database::start().await.unwrap();
    database.put(item(ANN, "ended", &[("expires_at", number(NOW - 1))])).await.unwrap();
    let keeper = keeper(database.records(&[]), rules(10, 1000));
    assert_eq!(handle(&keeper, &batch(&[(ANN, "ended"), (ANN, "moved"), (BOB, "x")])).await, ("Kept", vec![]));
    assert_eq!(ends(&database).await, named(&[("ended", Some(NOW - 1))]), "and nothing comes into being");
}

#[tokio::test]
async fn a_record_filled_to_the_last_byte_is_removed() {
    let full = |more: usize| {
        let bare = item_bytes(&item(ANN, "full", &[("data", text(""))]));
        item(ANN, "full", &[("data", text("x".repeat(400 * 1024 - 17 + more - bare)))])
    };
    for (more, expected) in [(0, Some(END)), (17, None)] {
        let database = Database::start().await.unwrap();
        database.put(full(more)).await.unwrap();
        database.put(item(ANN, "small", &[])).await.unwrap();
        let keeper = keeper(database.records(&["data"]), rules(10, 1 << 20));
        assert_eq!(handle(&keeper, &batch(&[(ANN, "full"), (ANN, "small")])).await, ("Kept", vec![]), "{more}");
        let full = expected.map(|end| ("full", Some(end)));
        let expected: Vec<_> = full.into_iter().chain([("small", Some(END))]).collect();
        assert_eq!(ends(&database).await, named(&expected), "{more}");
    }
}

#[tokio::test]
async fn a_partition_too_large_to_be_read_gets_nothing_more() {
    let database = Database::start().await.unwrap();
    let large = |name: &str, end: Option<u64>| {
        let end = end.map(|end| ("expires_at", number(end)));
        let attributes = [Some(("data", text("x".repeat(300_000)))), end];
        item(ANN, name, &attributes.into_iter().flatten().collect::<Vec<_>>())
    };
    for name in ["a", "b", "c", "d", "e"] {
        database.put(large(name, Some(END))).await.unwrap();
    }
    database.put(large("z", None)).await.unwrap();
    database.put(large("y", Some(NOW - 7))).await.unwrap();
    let mut keeper = keeper(database.records(&[]), rules(1000, 1 << 40));
    keeper.most_pages = 1;
    let writes = batch(&[(ANN, "z"), (ANN, "y"), (ANN, "gone"), (ANN, "z")]);
    assert_eq!(handle(&keeper, &writes).await, ("LimitReached", vec![]));
    let kept = ["a", "b", "c", "d", "e"].map(|name| (name, Some(END)));
    let ended = [("y", Some(NOW - 7)), ("z", Some(NOW))];
    assert_eq!(ends(&database).await, named(&[kept.as_slice(), &ended].concat()));
    keeper.most_pages = 9;
    database.put(large("z", None)).await.unwrap();
    assert_eq!(handle(&keeper, &writes).await, ("Kept", vec![]), "it can be read after all");
}

#[tokio::test]
async fn many_records_are_kept_in_one_go() {
    let database = Database::start().await.unwrap();
    let names: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    for name in &names {
        database.put(item(ANN, name, &[])).await.unwrap();
    }
    let keeper = keeper(database.records(&[]), rules(150, 1 << 20));
    let writes: Vec<(&str, &str)> = names.iter().map(|name| (ANN, name.as_str())).collect();
    assert_eq!(handle(&keeper, &batch(&writes)).await, ("LimitReached", vec![]));
    let expected: Vec<_> = (0..200).map(|number| if number < 150 { Some(END) } else { Some(NOW) }).collect();
    assert_eq!(ends(&database).await.into_iter().map(|(_, end)| end).collect::<Vec<_>>(), expected);
}
