//! The table in memory and the adapter on DynamoDB answer alike.
//!
//! Both are asked the same, thousands of times; a seed decides what. A failure
//! names the seed, and `POOLHOUSE_SEED=<seed>` asks that once more.

#![expect(clippy::expect_used, reason = "a check fails by panicking")]

use std::collections::{HashMap, HashSet};

use records::memory::Memory;
use records::schedule::Random;
use records::testing::{Database, binary};
use records::{Change, Item, PK, SK, Stale, Store, Value, WriteError, number, same, text};

const GUARDED: [&str; 2] = ["data", "note"];

/// One table twice.
struct Both {
    memory: Memory,
    database: Database,
    random: Random,
    seed: u64,
}

impl Both {
    async fn start(seed: u64) -> Self {
        let database = Database::start().await.expect("a database starts");
        Self { memory: Memory::new(&GUARDED), database, random: Random::new(seed), seed }
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let expected = self.database.records(&GUARDED).write(changes).await;
        let given = self.memory.write(changes).await;
        let (one, other) = (&expected, &given);
        assert!(alike(one, other), "seed {}: DynamoDB {one:?}, memory {other:?}: {}", self.seed, told(changes));
        given
    }

    async fn compare(&self, pk: &str) {
        let mut after: Option<String> = None;
        loop {
            let expected = self.database.records(&GUARDED).page(pk, after.as_deref()).await.expect("a page is read");
            let given = self.memory.page(pk, after.as_deref()).await.expect("a page is read");
            let count = (expected.items.len(), given.items.len());
            assert_eq!(expected.next, given.next, "seed {}: {pk} after {after:?}, {count:?}", self.seed);
            assert_eq!(count.0, count.1, "seed {}: {pk} after {after:?}", self.seed);
            for (one, other) in expected.items.iter().zip(&given.items) {
                assert!(same(one, other, &[]), "seed {}: {one:?} {other:?}", self.seed);
            }
            let Some(next) = given.next else { break };
            after = Some(next);
        }
    }
}

fn told(changes: &[Change]) -> String {
    format!("{changes:?}").chars().take(2000).collect()
}

fn alike(one: &Result<(), WriteError>, other: &Result<(), WriteError>) -> bool {
    match (one, other) {
        (Ok(()), Ok(())) | (Err(WriteError::Busy), Err(WriteError::Busy)) => true,
        (Err(WriteError::Invalid(one)), Err(WriteError::Invalid(other))) => one == other,
        (Err(WriteError::Stale(one)), Err(WriteError::Stale(other))) => {
            let found = |one: &Stale, other: &Stale| match (&one.found, &other.found) {
                (None, None) => true,
                (Some(one), Some(other)) => same(one, other, &[]),
                _ => false,
            };
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| one.index == other.index && found(one, other))
        }
        _ => false,
    }
}

/// A value of some type; every one with a small chance of being refused.
fn value(random: &mut Random, level: usize) -> Value {
    let word = |random: &mut Random| random.pick(&["a", "b", "c", "", "é"]).copied().unwrap_or_default().to_owned();
    match random.below(if level < 3 { 10 } else { 8 }) {
        0 => text(word(random)),
        1 => number(random.draw() % 1000),
        2 => binary(word(random)),
        3 => Value::Bool(random.happens(500)),
        4 => Value::Null(true),
        5 => Value::Ss((0..1 + random.below(3)).map(|_| word(random)).collect()),
        6 => Value::Ns((0..1 + random.below(3)).map(|_| random.below(5).to_string()).collect()),
        7 => Value::S("x".repeat(random.below(2000))),
        8 => Value::L((0..random.below(3)).map(|_| value(random, level + 1)).collect()),
        _ => Value::M((0..random.below(3)).map(|_| (word(random) + "m", value(random, level + 1))).collect()),
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null(true), |inside, _| Value::L(vec![inside]))
}

fn item(random: &mut Random, pk: &str, sk: &str) -> Item {
    let mut item = Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))]);
    for name in ["data", "note", "other", "expires_at"] {
        if random.happens(500) {
            item.insert(name.to_owned(), value(random, 0));
        }
    }
    match random.below(300) {
        0..4 => drop(item.insert("deep".to_owned(), nested(29 + random.below(5)))),
        4..8 => item.extend((0..many(random)).map(|index| (format!("n{index}"), number(1)))),
        8 => drop(item.insert("data".to_owned(), text("x".repeat(409_500 + random.below(120))))),
        _ => {}
    }
    item
}

/// DynamoDB takes 300 operators in a condition, dynoxide any number: so there are
/// never so many that only this counts.
fn many(random: &mut Random) -> usize {
    if random.happens(500) { random.below(140) } else { 250 + random.below(50) }
}

fn key(random: &mut Random) -> (String, String) {
    let pk = random.pick(&["GUEST#a", "USER#b"]).copied().unwrap_or_default();
    let sk = match random.below(200) {
        0 => String::new(),
        1 => "k".repeat(1023 + random.below(3)),
        _ => random.pick(&["a", "A", "b", "é", "#grant", "zz"]).copied().unwrap_or_default().to_owned(),
    };
    (pk.to_owned(), sk)
}

/// A change that often meets what it expects, and else misses it narrowly.
fn change(both: &mut Both) -> Change {
    let (pk, sk) = key(&mut both.random);
    let new = item(&mut both.random, &pk, &sk);
    let there = both.memory.get(&pk, &sk).map(|item| (*item).clone());
    let random = &mut both.random;
    if random.happens(250) {
        // Now and then exactly what is there already.
        return Change::Create(if random.happens(200) { there.unwrap_or(new) } else { new });
    }
    let mut old = match there {
        Some(there) if random.happens(900) => there,
        _ => item(random, &pk, &sk),
    };
    // What was read was once written. How a condition is answered with a value that
    // cannot have been, too deep or a set with a member twice, is not of interest.
    old.remove("deep").filter(is_shallow).into_iter().for_each(|deep| drop(old.insert("deep".to_owned(), deep)));
    match random.below(8) {
        0 => drop(old.remove("data")),
        1 => drop(old.remove("other")),
        2 => drop(old.insert("other".to_owned(), value(random, 0))),
        3 => old.values_mut().for_each(reverse),
        _ => {}
    }
    old.values_mut().for_each(let_each_member_be_once);
    if random.happens(500) { Change::Replace { old, new } } else { Change::Remove(old) }
}

fn is_shallow(deep: &Value) -> bool {
    (0..31).try_fold(deep, |value, _| value.as_l().ok()?.first()).is_none()
}

fn let_each_member_be_once(value: &mut Value) {
    match value {
        Value::Ss(set) | Value::Ns(set) => {
            let mut seen = HashSet::new();
            set.retain(|member| seen.insert(member.clone()));
        }
        Value::L(values) => values.iter_mut().for_each(let_each_member_be_once),
        Value::M(members) => members.values_mut().for_each(let_each_member_be_once),
        _ => {}
    }
}

/// Sets have no order.
fn reverse(value: &mut Value) {
    match value {
        Value::Ss(set) | Value::Ns(set) => set.reverse(),
        Value::L(values) => values.iter_mut().for_each(reverse),
        Value::M(members) => members.values_mut().for_each(reverse),
        _ => {}
    }
}

async fn play(seed: u64, steps: usize) -> HashMap<&'static str, usize> {
    let mut both = Both::start(seed).await;
    let mut answers = HashMap::new();
    for _ in 0..steps {
        let count = if both.random.happens(500) { 1 } else { 1 + both.random.below(4) };
        let changes: Vec<Change> = (0..count).map(|_| change(&mut both)).collect();
        let answer = match (both.write(&changes).await, changes.len()) {
            (Ok(()), 1) => "one written",
            (Ok(()), _) => "many written",
            (Err(WriteError::Stale(_)), 1) => "one stale",
            (Err(WriteError::Stale(_)), _) => "many stale",
            (Err(WriteError::Invalid(_)), 1) => "one invalid",
            (Err(WriteError::Invalid(at)), _) if at.is_empty() => "many invalid",
            (Err(WriteError::Invalid(_)), _) => "many invalid, told where",
            (Err(_), _) => "other",
        };
        *answers.entry(answer).or_default() += 1;
        if both.random.happens(100) {
            both.compare("GUEST#a").await;
            both.compare("USER#b").await;
        }
    }
    both.compare("GUEST#a").await;
    both.compare("USER#b").await;
    answers
}

#[tokio::test]
async fn random_changes_are_answered_alike() {
    let seeds = match std::env::var("POOLHOUSE_SEED") {
        Ok(seed) => vec![seed.parse().expect("POOLHOUSE_SEED is a number")],
        Err(_) => (1..=8).collect(),
    };
    let mut answers: HashMap<&str, usize> = HashMap::new();
    for seed in &seeds {
        for (answer, count) in play(*seed, 400).await {
            *answers.entry(answer).or_default() += count;
        }
    }
    println!("{answers:?}");
    if seeds.len() > 1 {
        let all = ["one written", "many written", "one stale", "many stale", "one invalid", "many invalid"];
        assert!(all.iter().all(|answer| answers.get(answer) > Some(&20)), "some answers hardly came: {answers:?}");
        assert_eq!(answers.get("other"), None);
    }
}

#[tokio::test]
async fn the_limits_are_the_same() {
    let both = Both::start(0).await;
    let sized = |sk: String, bytes: usize| {
        let rest = PK.len() + "GUEST#a".len() + SK.len() + sk.len() + "data".len();
        let data = text("x".repeat(bytes - rest));
        Item::from([(PK.to_owned(), text("GUEST#a")), (SK.to_owned(), text(sk)), ("data".to_owned(), data)])
    };
    let create = |count: usize, bytes: usize, prefix: &str| -> Vec<Change> {
        (0..count).map(|index| Change::Create(sized(format!("{prefix}{index:03}"), bytes))).collect()
    };
    let most = records::MOST_BYTES;
    let rows = [
        ("an item of 400 KB", create(1, records::MOST_ITEM_BYTES, "a"), true),
        ("an item of a byte more", create(1, records::MOST_ITEM_BYTES + 1, "b"), false),
        ("100 changes", create(100, 60, "c"), true),
        ("101 changes", create(101, 60, "d"), false),
        ("4 MB", create(16, most / 16, "e"), true),
        ("4 MB and 16 bytes", create(16, most / 16 + 1, "f"), false),
        ("one key twice", [create(1, 60, "g"), create(1, 60, "g")].concat(), false),
        ("one of two too large", [create(1, 60, "h"), create(1, 409_601, "i")].concat(), false),
    ];
    for (row, changes, is_taken) in rows {
        assert_eq!(both.write(&changes).await.is_ok(), is_taken, "{row}");
    }
    // 5 MB and more: several pages.
    both.compare("GUEST#a").await;
}

#[tokio::test]
async fn a_condition_has_as_many_attributes_as_dynamodb_reads() {
    let both = Both::start(0).await;
    let wide = |count: usize| {
        let mut item = Item::from([(PK.to_owned(), text("USER#b")), (SK.to_owned(), text(format!("w{count}")))]);
        item.extend((0..count).map(|index| (format!("n{index}"), number(1))));
        item
    };
    let mut answers = Vec::new();
    for count in (100..140).chain(250..300).step_by(10) {
        both.write(&[Change::Create(wide(count))]).await.expect("a wide item can be written");
        answers.push(both.write(&[Change::Remove(wide(count))]).await.is_ok());
    }
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");
}
