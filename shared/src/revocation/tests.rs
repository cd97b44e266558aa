//! Row C37 and what belongs to it: which tokens a mark refuses.

use super::Decision::{InForce, Refuse};
use super::Refusal::{RightsChanged, SessionEnded, SessionsEnded};
use super::*;

/// When the marks of the tables here were written.
const AT: u64 = 1_800_000_000;

fn session(authenticated_at: u64, issued_at: u64) -> Session {
    Session { id: SessionId::parse("s-1"), authenticated_at, issued_at }
}

fn ended_until(authenticated: u64) -> Mark {
    Mark::Before { authenticated: Some(authenticated), issued: None }
}

fn issued_until(issued: u64) -> Mark {
    Mark::Before { authenticated: None, issued: Some(issued) }
}

#[test]
fn a_mark_refuses_what_is_older_and_nothing_that_is_newer() {
    let nothing = Mark::Before { authenticated: None, issued: None };
    let both = Mark::Before { authenticated: Some(AT), issued: Some(AT + 5) };
    let table: [(&str, u64, u64, &[Mark], Decision); 16] = [
        ("C37 no mark", AT - 60, AT - 60, &[], InForce),
        ("C37 a mark that says nothing", AT - 60, AT - 60, &[nothing], InForce),
        ("C37 the session", AT - 60, AT - 60, &[Mark::Ended], Refuse(SessionEnded)),
        ("C37 the session, refreshed since", AT - 60, AT + 600, &[Mark::Ended], Refuse(SessionEnded)),
        ("all sessions, begun before", AT - 1, AT - 1, &[ended_until(AT)], Refuse(SessionsEnded)),
        ("all sessions, begun in the same second", AT, AT, &[ended_until(AT)], Refuse(SessionsEnded)),
        ("all sessions, refreshed since", AT - 1, AT + 600, &[ended_until(AT)], Refuse(SessionsEnded)),
        ("all sessions, signed in a second later", AT + 1, AT + 1, &[ended_until(AT)], InForce),
        ("rights, a token from before", AT - 1, AT - 1, &[issued_until(AT + 5)], Refuse(RightsChanged)),
        ("rights, a token while they settle", AT - 1, AT + 5, &[issued_until(AT + 5)], Refuse(RightsChanged)),
        ("rights, refreshed afterwards", AT - 1, AT + 6, &[issued_until(AT + 5)], InForce),
        ("both, refreshed", AT - 1, AT + 600, &[both], Refuse(SessionsEnded)),
        ("both, signed in while rights settle", AT + 1, AT + 1, &[both], Refuse(RightsChanged)),
        ("both, signed in afterwards", AT + 6, AT + 6, &[both], InForce),
        ("one of two marks", AT - 1, AT - 1, &[nothing, ended_until(AT)], Refuse(SessionsEnded)),
        ("the last of three", AT - 1, AT - 1, &[nothing, nothing, Mark::Ended], Refuse(SessionEnded)),
    ];
    for (name, authenticated_at, issued_at, marks, expected) in table {
        assert_eq!(decide(&session(authenticated_at, issued_at), marks), expected, "{name}");
    }
}

#[test]
fn a_change_of_rights_waits_until_every_token_knows_of_it() {
    let marks = [issued_until(rights_settle_at(AT))];
    for seconds in 0..=SETTLING_SECONDS {
        assert_eq!(decide(&session(AT, AT + seconds), &marks), Refuse(RightsChanged), "{seconds} s later");
    }
    assert_eq!(decide(&session(AT, AT + SETTLING_SECONDS + 1), &marks), InForce);
}

#[test]
fn a_mark_outlives_all_that_it_refuses() {
    const DAY: u64 = 24 * 60 * 60;
    for refresh_days in [1, 30, 3_650] {
        // The last refresh of the session, and the longest token that it can bring.
        let last = AT + refresh_days * DAY + DAY;
        assert!(mark_expires_at(AT, refresh_days) > last, "{refresh_days} days");
    }
    assert_eq!(mark_expires_at(AT, u64::MAX), u64::MAX);
}

#[test]
fn keys_of_different_kinds_are_never_alike() {
    let subject = |text: &str| Subject::parse(text).unwrap();
    let tenant = |text: &str| TenantId::parse(text).unwrap();
    let table = [
        (Key::Session(SessionId::parse("s-1").unwrap()), "SESSION#s-1"),
        (Key::User(subject("s-1")), "USER#s-1"),
        (Key::Member(tenant("acme"), subject("s-1")), "acme#s-1"),
        (Key::Member(tenant("user"), subject("s-1")), "user#s-1"),
        (Key::Member(tenant("session"), subject("s-1")), "session#s-1"),
    ];
    for (key, expected) in &table {
        assert_eq!(key.to_string(), *expected);
    }
    assert!(TenantId::parse("USER").is_none() && TenantId::parse("SESSION").is_none());
    assert!(Subject::parse("a#b").is_none() && SessionId::parse("a#b").is_none());
}
