//! The supervisor ends everything when its parent is gone.

#![expect(clippy::unwrap_used, reason = "in a test, a failure to set the scene is a failure")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Two sleepers, one of which leaves the process group as a daemon would; each
/// tells its process id.
const FAMILY: &str = "sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & wait";

fn supervised(script: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["supervise", "--", "sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn two_pids(child: &mut Child) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.take(2).map(Result::unwrap).collect()
}

fn lives(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

fn all_gone_within(pids: &[String], time: Duration) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if !pids.iter().any(|pid| lives(pid)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_parent_that_goes_away_takes_everything_along() {
    let mut child = supervised(FAMILY);
    let pids = two_pids(&mut child);
    assert!(pids.iter().all(|pid| lives(pid)), "{pids:?}");
    // What the system does to the pipe when it kills the parent.
    drop(child.stdin.take());
    assert!(all_gone_within(&pids, Duration::from_secs(8)), "{pids:?}");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_request_to_end_takes_everything_along() {
    let mut child = supervised(FAMILY);
    let pids = two_pids(&mut child);
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(all_gone_within(&pids, Duration::from_secs(8)), "{pids:?}");
    child.wait().unwrap();
}

#[test]
fn a_program_that_ignores_the_request_is_ended_all_the_same() {
    let mut child = supervised("trap '' TERM; echo $$; echo $$; while true; do sleep 1; done");
    let pids = two_pids(&mut child);
    drop(child.stdin.take());
    assert!(all_gone_within(&pids, Duration::from_secs(8)), "{pids:?}");
    child.wait().unwrap();
}

#[test]
fn the_programs_own_end_is_passed_on() {
    let table = [("exit 0", Some(0)), ("exit 7", Some(7)), ("kill -KILL $$", Some(137))];
    for (script, code) in table {
        let mut child = supervised(script);
        // Held open: the program ends first.
        let pipe = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), code, "{script}");
        drop(pipe);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let missing = command.args(["supervise", "--", "/nowhere/program"]).stdin(Stdio::piped()).status().unwrap();
    assert_eq!(missing.code(), Some(127));
}
