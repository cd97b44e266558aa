//! Row K22: unknown key names leave nothing behind. A test of its own process,
//! because it weighs the process.

#![cfg(test)]

mod support;

use shell::key_set::{KeySets, Limits};
use support::{ISSUER, KEY, Published, key_set};

/// Resident memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_million_unknown_key_names_weigh_nothing() {
    let sets = KeySets::new(vec![(ISSUER.to_owned(), String::new())], Published(key_set(&[&KEY])), Limits::default());
    let ask = async |from: u32, to: u32| {
        for n in from..to {
            assert!(!sets.get(ISSUER, &format!("unknown-{n}")).await.unwrap().has("unknown"));
        }
    };
    ask(0, 10_000).await;
    let before = resident();
    ask(10_000, 1_000_000).await;
    let growth = resident().saturating_sub(before);
    assert!(growth <= 1_024, "{growth} KiB");
}
