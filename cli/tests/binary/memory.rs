//! However long the file, only a few rows of it are held.

use serde_json::json;

use crate::support::legacy_table::{LegacyTable, TABLE};
use crate::support::proxy::{Call, Fate, Proxy};
use crate::support::tool::{Folder, command, sample};

/// How many rows the long file has. `POOLHOUSE_TEST_ROWS=100000` makes it longer.
fn rows() -> usize {
    std::env::var("POOLHOUSE_TEST_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// A Firebase export, the format of which a careless reader holds whole.
fn export(rows: usize) -> String {
    let long = "x".repeat(1_000);
    let user = |index: usize| {
        let claims = json!({"plan": long}).to_string();
        json!({"localId": index.to_string(), "email": format!("user-{index}@example.com"), "customAttributes": claims})
    };
    let users: Vec<String> = (0..rows).map(|index| user(index).to_string()).collect();
    format!("{{\"users\": [\n{}\n]}}\n", users.join(",\n"))
}

/// The most memory that the tool has had by the time it writes the last row, in KiB.
async fn peak(table: &LegacyTable, rows: usize) -> usize {
    let folder = Folder::new();
    let (file, parameters) = (folder.write("users.json", export(rows)), sample("firebase-hash.txt"));
    let last = format!("user-{}@", rows - 1);
    let proxy = Proxy::start(table.endpoint(), move |call: &Call| match call.operation.as_str() {
        "BatchGetItem" => Fate::Answered(json!({"Responses": {TABLE: []}})),
        "BatchWriteItem" if call.body.to_string().contains(&last) => Fate::Held,
        "BatchWriteItem" => Fate::Answered(json!({})),
        _ => Fate::Served,
    });
    let arguments =
        ["import", "--format", "firebase", "--firebase-config", &parameters, "--table", TABLE, file.as_str()];
    let mut command = command(proxy.url(), &arguments);
    let measured = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the binary starts");
        proxy.wait_until_held();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
        child.kill().and_then(|()| child.wait()).expect("it ends");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel says it");
        peak.trim().trim_end_matches(" kB").parse().expect("a number")
    });
    measured.await.expect("the thread ends")
}

#[tokio::test]
async fn a_long_file_takes_hardly_more_memory_than_a_short_one() {
    let table = LegacyTable::start().await;
    let (short, long) = (1_000, rows());
    let (before, after) = (peak(&table, short).await, peak(&table, long).await);
    // A digest of each key stays, so that users who share a name are found.
    let allowed = 3_000 + (long - short) * 150 / 1_024;
    let file = export(long).len() / 1_024;
    assert!(after < before + allowed, "{before} KiB, then {after} KiB, for a file of {file} KiB");
    assert!(allowed < file / 2, "the limit tells a reader that holds the file from one that does not");
}
