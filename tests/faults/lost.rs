//! Answers that are lost after the work was done: the call is made again by the
//! SDK, and what it is for happens once.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::faults::Fault;
use tests::{DIRECTORY_TABLE, ITEMS_TABLE, LEGACY_USERS_TABLE};

use crate::subject::{Bench, run_all, subject};

/// A writing call, and what there has to be of its effect afterwards.
struct Row {
    subject: &'static str,
    operation: &'static str,
    effect: fn(&Bench) -> Result<usize>,
    expected: usize,
}

fn items(bench: &Bench, table: &str, wanted: impl Fn(&Value) -> bool) -> Result<usize> {
    Ok(bench.services.items(table)?.iter().filter(|item| wanted(item)).count())
}

fn profiles(bench: &Bench) -> Result<usize> {
    items(bench, DIRECTORY_TABLE, |item| item["sk"]["S"] == "PROFILE" && item["version"]["N"] == "1")
}

fn links(bench: &Bench) -> Result<usize> {
    Ok(bench.services.pool().users().iter().map(|user| user.identities.len()).sum())
}

fn arrivals(bench: &Bench) -> Result<usize> {
    items(bench, DIRECTORY_TABLE, |item| item["sk"]["S"] == "ARRIVAL")
}

fn notes(bench: &Bench) -> Result<usize> {
    items(bench, LEGACY_USERS_TABLE, |item| item["migrated_at"]["N"].is_string())
}

fn new_items(bench: &Bench) -> Result<usize> {
    items(bench, ITEMS_TABLE, |item| item["id"]["S"].as_str().is_some_and(|id| id.starts_with("0000")))
}

/// A profile counts its changes.
fn choices(bench: &Bench) -> Result<usize> {
    items(bench, DIRECTORY_TABLE, |item| item["sk"]["S"] == "PROFILE" && item["version"]["N"] == "2")
}

fn role_changes(bench: &Bench) -> Result<usize> {
    items(bench, DIRECTORY_TABLE, |item| {
        item["roles"]["SS"].as_array().is_some_and(|roles| roles.len() == 2) && item["version"]["N"] == "2"
    })
}

const ROWS: [Row; 9] = [
    Row { subject: "pre-sign-up, linking", operation: "AdminLinkProviderForUser", effect: links, expected: 1 },
    Row { subject: "post-confirmation", operation: "TransactWriteItems", effect: profiles, expected: 1 },
    Row { subject: "post-confirmation", operation: "AdminAddUserToGroup", effect: profiles, expected: 1 },
    Row {
        subject: "pre-token-generation, first token",
        operation: "TransactWriteItems",
        effect: profiles,
        expected: 1,
    },
    Row { subject: "user-migration", operation: "PutItem", effect: arrivals, expected: 1 },
    Row { subject: "user-migration", operation: "UpdateItem", effect: notes, expected: 1 },
    Row { subject: "user-api, writing", operation: "PutItem", effect: new_items, expected: 1 },
    Row { subject: "user-api, choosing", operation: "TransactWriteItems", effect: choices, expected: 1 },
    Row { subject: "admin-api, writing", operation: "TransactWriteItems", effect: role_changes, expected: 1 },
];

#[test]
fn a_lost_answer_is_neither_a_refusal_nor_a_second_effect() -> Result<()> {
    let lost = [Fault::LostReply, Fault::HeldReply, Fault::ResetInAnswer, Fault::Truncated];
    let rows: Vec<_> = ROWS.iter().flat_map(|row| lost.map(|fault| (row, fault))).collect();
    let name = |(row, fault): &(&Row, Fault)| format!("{} {} {fault:?}", row.subject, row.operation);
    run_all(rows, 8, name, |(row, fault)| {
        let mut bench = Bench::start(subject(row.subject)?)?;
        bench.proxy.fail_some(*fault, 1, row.operation);
        bench.serve()?;
        let made = bench.proxy.calls().iter().filter(|call| call.ends_with(row.operation)).count();
        ensure!(made >= 2, "{made} calls of {}: none was lost", row.operation);
        let effect = (row.effect)(&bench).context("the effect")?;
        ensure!(effect == row.expected, "{effect} instead of {}", row.expected);
        Ok(())
    })
}
