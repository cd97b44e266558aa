//! Trigger events that come twice, side by side, and are interrupted anywhere:
//! what they are for happens once.
//!
//! Cognito delivers an event at least once. The real handlers and the real SDK
//! run here against a directory and a pool in memory; calls and answers get
//! lost, functions are killed between any two calls, administrators write in
//! between, and a seed decides about all of it.
//!
//! `POOLHOUSE_SCHEDULES` says how many schedules are played (200 otherwise), and
//! `POOLHOUSE_SEED` which is the first; alone, it plays that one again.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a check fails by panicking")]

mod actors;
mod checker;
mod schedule;
mod world;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use records::schedule::Random;

use schedule::{Task, run};
use world::{Break, Rates, World, lock};

/// Plays the schedule of a seed.
fn play(seed: u64, is_broken: Option<Break>) -> Arc<World> {
    // Time-outs are made in a runtime. Nobody drives it: here they never come.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let world = World::new(seed, is_broken);
    let mut random = Random::new(!seed);
    actors::set(&world);
    let functions = Rc::new(actors::Functions::before(&world));
    let task = |role| -> Task { Box::pin(actors::play(Arc::clone(&world), Rc::clone(&functions), role)) };
    let cast = actors::cast(&mut random);
    run(&world.gate, &mut random, cast.into_iter().map(task).collect());
    *lock(&world.rates) = Rates::default();
    for role in actors::encore() {
        run(&world.gate, &mut random, vec![task(role)]);
    }
    checker::check_end(&world, &actors::USERS, &actors::EXTERNALS);
    world
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}

#[test]
fn repeated_and_interrupted_events_have_their_effect_once() {
    let (seed, schedules) = (setting("POOLHOUSE_SEED"), setting("POOLHOUSE_SCHEDULES"));
    let first = seed.unwrap_or(1);
    let last = first + schedules.unwrap_or(if seed.is_some() { 1 } else { 200 }) - 1;
    let (next, failed) = (AtomicU64::new(first), Mutex::new(BTreeMap::new()));
    let answers = Mutex::new(BTreeMap::<String, u64>::new());
    let turns = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed > last {
                        break;
                    }
                    let world = play(seed, None);
                    turns.fetch_add(world.gate.turns(), Ordering::SeqCst);
                    let seen = lock(&world.seen);
                    for answer in &seen.answers {
                        *lock(&answers).entry(answer.clone()).or_default() += 1;
                    }
                    if !seen.faults.is_empty() {
                        lock(&failed).insert(seed, seen.faults.clone());
                    }
                }
            });
        }
    });
    let failed = lock(&failed);
    println!("{} schedules, {} turns; answers: {:#?}", last + 1 - first, turns.into_inner(), lock(&answers));
    let again =
        failed.keys().next().map(|seed| format!("POOLHOUSE_SEED={seed} cargo test -p tests --test repetitions"));
    assert!(failed.is_empty(), "{} failed: {failed:#?}\n{again:?}", failed.len());
}

#[test]
fn one_seed_is_one_schedule() {
    for seed in 1..12 {
        let (one, other) = (play(seed, None), play(seed, None));
        assert_eq!(one.items(), other.items(), "seed {seed}");
        assert_eq!(one.gate.turns(), other.gate.turns(), "seed {seed}");
        assert_eq!(lock(&one.seen).answers, lock(&other.seen).answers, "seed {seed}");
    }
}

/// Each way to break the services, and what the checker then says.
#[test]
fn the_checker_catches_every_broken_promise() {
    let table = [
        (Break::Conditions, "was changed"),
        (Break::Atomicity, "was taken for 0 profiles"),
        (Break::Users, "users with"),
    ];
    for (is_broken, expected) in table {
        let noticed = (1..=100).find(|seed| {
            let world = play(*seed, Some(is_broken));
            let seen = lock(&world.seen);
            seen.faults.iter().any(|fault| fault.contains(expected))
        });
        println!("{is_broken:?}: noticed with seed {noticed:?}");
        assert!(noticed.is_some(), "{is_broken:?} is not noticed");
    }
}
