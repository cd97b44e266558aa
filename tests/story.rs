//! The story of `cargo local`, told by the built program against a local AWS,
//! and what it leaves behind: nothing.

#![expect(clippy::unwrap_used, reason = "in a test, a failure to set the scene is a failure")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Each run is a whole AWS: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every process that a run starts inherits this.
const MARKER: &str = "POOLHOUSE_TEST_RUN";

fn start(arguments: &[&str]) -> (Child, String) {
    let marker = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().to_string();
    let mut command = Command::new(tests::binary("local").unwrap());
    command.args(["--port", "0"]).args(arguments).env(MARKER, &marker);
    command.env("CARGO", env!("CARGO")).current_dir(tests::workspace_root());
    (command.stdout(Stdio::piped()).spawn().unwrap(), marker)
}

/// Those that still live and carry the marker.
fn left_behind(marker: &str) -> Vec<u32> {
    let wanted = format!("{MARKER}={marker}");
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
    };
    pids.filter(carries).collect()
}

fn nothing_left(marker: &str) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if left_behind(marker).is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn every_step_of_the_story_is_right_and_nothing_secret_is_told() {
    let _alone = alone();
    let (mut child, marker) = start(&["--once"]);
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    let told = lines.join("\n");
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}\n{told}");
    let with = |sign: &str| lines.iter().filter(|line| line.trim_start().starts_with(sign)).count();
    assert_eq!(with("✗"), 0, "{told}");
    assert!(with("✓") > 50, "only {} steps\n{told}", with("✓"));
    for chapter in
        ["Scenario 1", "Scenario 2", "Scenario 3", "Scenario 4", "Scenario 5", "An API of one's own", "Moving in"]
    {
        assert!(told.contains(chapter), "{chapter} is missing\n{told}");
    }
    // A JWT begins with the base64url of `{"`; a password of the story ends so; a
    // hash of an old one begins with one of the last three.
    for secret in ["eyJ", "-Secrets!", "$2a$", "$2b$", "$2y$"] {
        assert!(!told.contains(secret), "{secret} was told\n{told}");
    }
    // What proves a guest is 43 characters long, as some tables' names are.
    let of_secrets = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
    let is_secret = |word: &&str| word.len() == 43 && !word.starts_with("poolhouse-");
    let secret = told.split(|sign: char| !of_secrets(sign)).find(is_secret);
    assert_eq!(secret, None, "{told}");
    assert!(nothing_left(&marker), "left behind: {:?}", left_behind(&marker));
}

#[test]
fn a_pool_that_was_there_before_is_afterwards_what_it_was() {
    let _alone = alone();
    let (mut child, marker) = start(&["--existing"]);
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    let told = lines.join("\n");
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}\n{told}");
    assert!(!told.contains('✗'), "{told}");
    // Each step of these two chapters, and what the story of the users says at its end.
    for step in [
        "✓ a careless update, on another pool, is seen",
        "✓ the stack's triggers are in the existing pool, and nothing else moved",
        "✓ it was sent as it was, once",
        "steps were right",
        "✓ the stack is gone, and the pool is what it was",
        "✓ it was sent back as it was, once",
    ] {
        assert!(told.contains(step), "{step} is missing\n{told}");
    }
    assert!(nothing_left(&marker), "left behind: {:?}", left_behind(&marker));
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_behind_by_a_run_that_is_killed() {
    let _alone = alone();
    let (mut child, marker) = start(&[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // By the first sign-in the local AWS, and functions below it, are running.
    let (mut told, mut ports) = (Vec::new(), Vec::new());
    while !told.last().is_some_and(|line: &String| line.contains("Ann signs in")) {
        let Some(line) = lines.next() else { panic!("the story ended early\n{}", told.join("\n")) };
        ports.extend(line.split("127.0.0.1:").skip(1).filter_map(port));
        told.push(line);
    }
    assert!(left_behind(&marker).len() > 3, "too few processes to prove anything: {:?}", left_behind(&marker));
    assert!(ports.len() >= 2, "no ports were told\n{}", told.join("\n"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(nothing_left(&marker), "left behind: {:?}", left_behind(&marker));
    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "somebody still listens on {port}");
    }
}

/// The number that a text begins with.
#[cfg(target_os = "linux")]
fn port(text: &str) -> Option<u16> {
    text.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn a_busy_port_is_said_in_one_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let local = tests::binary("local").unwrap();
    let output = Command::new(local).args(["--once", "--port", &port]).output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = told.lines().filter(|line| !line.is_empty()).collect();
    assert!(matches!(lines[..], [line] if line.contains(&format!("port {port} is in use"))), "{told}");
}
