//! Imports that are stopped in the middle, and go on.

use std::collections::BTreeSet;
use std::process::Output;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::legacy_table::{LegacyTable, TABLE};
use crate::support::proxy::{Call, Fate, Proxy};
use crate::support::tool::{Folder, command, run};
use crate::writing::{keys_of_people, people, puts};

const ROWS: usize = 450;

/// Starts the tool, waits until one of its calls is held, and sends it a signal.
async fn stopped_by(signal: Signal, proxy: Proxy, arguments: &[&str]) -> (Output, Proxy) {
    let mut command = command(proxy.url(), arguments);
    let ended = tokio::task::spawn_blocking(move || {
        let child = command.spawn().expect("the binary starts");
        proxy.wait_until_held();
        let process = i32::try_from(child.id()).expect("a process id");
        kill(Pid::from_raw(process), signal).expect("the tool runs");
        (child.wait_with_output().expect("the tool ends"), proxy)
    });
    ended.await.expect("the thread ends")
}

#[tokio::test]
async fn killed_in_the_middle_and_resumed_every_row_is_there_once() {
    // Four puts make a window of 100 rows.
    let table: [(&str, usize, Fate, usize); 4] = [
        ("before the first put", 0, Fate::Held, 0),
        ("within a window, the put undone", 9, Fate::Held, 200),
        ("within a window, the put done", 9, Fate::ServedAndHeld, 200),
        ("at the end of a window", 11, Fate::ServedAndHeld, 200),
    ];
    for (name, put, fate, acknowledged) in table {
        let legacy = LegacyTable::start().await;
        let folder = Folder::new();
        let file = folder.write("users.csv", people(ROWS));
        let arguments = ["import", "--format", "csv", "--table", TABLE, "--resume", &file];
        let plan = move |call: &Call| match call.operation.as_str() {
            "BatchWriteItem" if call.earlier == put => fate.clone(),
            _ => Fate::Served,
        };
        let proxy = Proxy::start(legacy.endpoint(), plan);
        let (output, proxy) = stopped_by(Signal::SIGKILL, proxy, &arguments).await;
        assert_eq!(output.status.code(), None, "{name}: a signal ended it");
        proxy.take_calls();
        proxy.plan(|_| Fate::Served);
        let run = run(proxy.url(), &arguments).await;
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
        let keys: BTreeSet<_> = legacy.rows().await.into_keys().collect();
        assert_eq!(keys, keys_of_people(ROWS), "{name}");
        assert!(puts(&proxy.take_calls()) <= ROWS - acknowledged, "{name}: what was acknowledged is not put again");
        assert!(run.out.contains(&format!("Written   {ROWS} users")), "{name}: {}", run.out);
        assert_eq!(folder.files(), ["users.csv"], "{name}: no state is left");
    }
}

#[tokio::test]
async fn without_resume_it_begins_anew_and_says_so() {
    let legacy = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(ROWS));
    let arguments = ["import", "--format", "csv", "--table", TABLE, &file];
    let plan = |call: &Call| match call.operation.as_str() {
        "BatchWriteItem" if call.earlier == 9 => Fate::Held,
        _ => Fate::Served,
    };
    let proxy = Proxy::start(legacy.endpoint(), plan);
    stopped_by(Signal::SIGKILL, proxy, &arguments).await;
    assert_eq!(folder.files(), ["users.csv", "users.csv.import-state.json"]);
    let run = run(legacy.endpoint(), &arguments).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.err.contains("--resume would have gone on"), "{}", run.err);
    assert!(run.out.contains("(225 new, 225 anew)"), "{}", run.out);
    let keys: BTreeSet<_> = legacy.rows().await.into_keys().collect();
    assert_eq!(keys, keys_of_people(ROWS));
}

#[tokio::test]
async fn ctrl_c_ends_it_and_says_how_to_go_on() {
    let legacy = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(ROWS));
    let arguments = ["import", "--format", "csv", "--table", TABLE, &file];
    let plan = |call: &Call| match call.operation.as_str() {
        "BatchWriteItem" if call.earlier == 9 => Fate::Held,
        _ => Fate::Served,
    };
    let proxy = Proxy::start(legacy.endpoint(), plan);
    let (output, _) = stopped_by(Signal::SIGINT, proxy, &arguments).await;
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--resume goes on"), "{output:?}");
    let run = run(legacy.endpoint(), &[&arguments[..], &["--resume"]].concat()).await;
    assert!(run.out.contains("rows up to 201 by an earlier run"), "{run:?}");
    assert_eq!(legacy.rows().await.len(), ROWS);
}

#[tokio::test]
async fn a_state_counts_only_for_the_same_import() {
    let legacy = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.write("users.csv", people(ROWS));
    let plan = |call: &Call| match call.operation.as_str() {
        "BatchWriteItem" if call.earlier == 9 => Fate::Held,
        _ => Fate::Served,
    };
    let proxy = Proxy::start(legacy.endpoint(), plan);
    stopped_by(Signal::SIGKILL, proxy, &["import", "--format", "csv", "--table", TABLE, &file]).await;
    let state = folder.path("users.csv.import-state.json");
    let other = folder.write("other.csv", people(ROWS + 1));
    let table: [(&str, &[&str]); 3] = [
        ("another file", &["--format", "csv", "--state", &state, &other]),
        ("another format", &["--format", "django", &file]),
        ("other names", &["--format", "csv", "--sign-in", "email,username", &file]),
    ];
    for (name, arguments) in table {
        let run = run(legacy.endpoint(), &[&["import", "--table", TABLE, "--resume"], arguments].concat()).await;
        assert_eq!(run.code, Some(2), "{name}: {run:?}");
        assert!(run.err.contains("(StateUnlike)"), "{name}: {}", run.err);
    }
}
