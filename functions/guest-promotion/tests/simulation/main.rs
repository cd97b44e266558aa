//! Promotions under every kind of trouble, in an order that a seed decides.
//!
//! Rows R15, R16, R17, R18, R19, R23, R24, R25, R26, R28 and R29 of
//! `tests/attacks.md` happen in it all the time.
//!
//! `POOLHOUSE_SCHEDULES` says how many schedules of each size are played, and
//! `POOLHOUSE_SEED` plays one of them again.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a check fails by panicking"
)]

mod actors;
mod broken;
mod checker;
mod history;
mod world;

use std::sync::Arc;

use broken::Break;
use records::schedule::{End, Random, run};
use world::{Role, World, create};

/// More turns than any schedule needs.
const MOST_TURNS: u64 = 100_000;
/// On a broken table some movers never end.
const MOST_TURNS_BROKEN: u64 = 2_000;

/// Plays the schedule of a seed and says what is wrong at its end.
fn play(seed: u64, size: usize, is_broken: Option<Break>) -> (Arc<World>, Vec<String>) {
    let world = create(seed, size, is_broken);
    let mut random = Random::new(!seed);
    let stickiness = [0, 500, 950][random.below(3)];
    let roles = world.roles.iter().enumerate();
    let tasks = roles.map(|(number, role)| actors::play(Arc::clone(&world), role.clone(), format!("m-{number}")));
    let most_turns = if is_broken.is_some() { MOST_TURNS_BROKEN } else { MOST_TURNS };
    let ends = run(&world.turns, &mut random, stickiness, most_turns, tasks);
    for (role, _) in world.roles.iter().zip(&ends).filter(|(_, end)| **end == End::Endless) {
        world.fault(format!("{role:?} does not end"));
    }
    let calm = [actors::play(Arc::clone(&world), Role::Calm, "calm".to_owned())];
    if run(&world.turns, &mut random, 0, most_turns, calm) != [End::Returned(())] {
        world.fault("it does not come to rest".to_owned());
    }
    checker::check_end(&world);
    let faults = std::mem::take(&mut *world.faults());
    (world, faults)
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}

/// Plays so many schedules of one size, or the one that is asked for.
fn play_all(test: &str, size: usize, schedules: u64) {
    let seeds = match setting("POOLHOUSE_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=setting("POOLHOUSE_SCHEDULES").unwrap_or(schedules),
    };
    let (mut failed, mut told) = (Vec::new(), String::new());
    for seed in seeds {
        let (world, faults) = play(seed, size, None);
        let Some(first) = faults.first() else { continue };
        failed.push(format!("seed {seed}: {first}"));
        if told.is_empty() {
            told = format!("{faults:#?}\n{:?}\n{:?}\n{:?}", world.roles, world.rates, world.rules);
            told += &format!("\nPOOLHOUSE_SEED={seed} cargo test -p guest-promotion --test simulation {test}");
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}\nThe first:\n{told}", failed.len(), failed.join("\n"));
}

#[test]
fn a_guest_with_nothing() {
    play_all("a_guest_with_nothing", 0, 300);
}

#[test]
fn a_guest_with_one_record() {
    play_all("a_guest_with_one_record", 1, 300);
}

#[test]
fn a_guest_with_25_records() {
    play_all("a_guest_with_25_records", 25, 300);
}

#[test]
fn a_guest_with_100_records() {
    play_all("a_guest_with_100_records", 100, 100);
}

#[test]
fn a_guest_with_101_records() {
    play_all("a_guest_with_101_records", 101, 100);
}

#[test]
fn a_guest_with_1000_records() {
    play_all("a_guest_with_1000_records", 1_000, 10);
}

#[test]
fn one_seed_is_one_schedule() {
    for seed in 1..20 {
        let (one, _) = play(seed, 25, None);
        let (other, _) = play(seed, 25, None);
        assert_eq!(one.memory.items(), other.memory.items(), "seed {seed}");
        assert_eq!((one.turns.count(), one.memory.used()), (other.turns.count(), other.memory.used()), "seed {seed}");
    }
}

/// After how many schedules on a broken table the checker says one of these.
fn noticed_after(is_broken: Break, expected: &[&str]) -> Option<(u64, String)> {
    (1..=100).find_map(|seed| {
        let (_, faults) = play(seed, 25, Some(is_broken));
        let said = faults.into_iter().find(|fault| expected.iter().any(|expected| fault.contains(expected)));
        Some((seed, said?))
    })
}

/// Each way to break the table, and what the checker then says, among other things.
#[test]
fn the_checker_catches_every_broken_promise() {
    let table = [
        (Break::Guard, &["lost", "and back"][..]),
        (Break::Deletion, &["doubled"]),
        (Break::Overwriting, &["lost"]),
        (Break::SecondOwner, &["was said to be user", "became"]),
        (Break::Tenant, &["across a tenant"]),
        (Break::Unfit, &["was given"]),
        (Break::End, &["the user's record ends"]),
        (Break::Aside, &["lost"]),
        (Break::OneByOne, &["doubled"]),
        (Break::Page, &["still has"]),
        (Break::Ledger, &["counted", "became", "not the same events"]),
        (Break::Attribute, &["not as it was written"]),
        (Break::OtherUser, &["a user who does not own the guest"]),
    ];
    for (is_broken, expected) in table {
        let noticed = noticed_after(is_broken, expected);
        println!("{is_broken:?}: {noticed:?}");
        assert!(noticed.is_some(), "{is_broken:?} is not noticed");
    }
}
