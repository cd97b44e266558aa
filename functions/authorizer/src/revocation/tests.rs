//! How often is asked, what is kept, and for how long.

use std::sync::atomic::{AtomicUsize, Ordering};

use shared::names::{SessionId, Subject};
use shared::revocation::{Key, Mode};
use shared::token::Session;

use super::kept::MOST_KEPT;
use super::*;

const NOW: u64 = 1_800_000_000;

fn question(session: &str) -> Question {
    let user = Subject::parse("u-1").unwrap();
    Question { keys: vec![Key::Session(SessionId::parse(session).unwrap()), Key::User(user)] }
}

fn token(issued_at: u64) -> Session {
    Session { id: SessionId::parse("s-1"), authenticated_at: NOW - 100, issued_at }
}

fn until(issued: u64) -> Vec<Mark> {
    vec![Mark::Before { authenticated: None, issued: Some(issued) }]
}

/// So many seconds after the beginning, by each clock.
fn after(begin: Instant, wall: u64, steady: u64) -> Moment {
    Moment { wall: NOW + wall, steady: begin + Duration::from_secs(steady) }
}

#[test]
fn a_yes_is_kept_for_moments_and_a_no_for_longer() {
    // Seconds that a yes is kept, marks, seconds that pass by both clocks, what is known then.
    let refused = Some(Decision::Refuse(Refusal::RightsChanged));
    let table = [
        ("never", 0, vec![], 0, 0, None),
        ("at once", 5, vec![], 0, 0, Some(Decision::InForce)),
        ("shortly after", 5, vec![], 4, 4, Some(Decision::InForce)),
        ("its end", 5, vec![], 5, 5, None),
        ("its end by the wall clock alone, after a freeze", 5, vec![], 5, 0, None),
        ("its end by the other alone, the clock was set back", 5, vec![], 0, 5, None),
        ("a no", 0, until(NOW), 59, 59, refused),
        ("the end of a no", 0, until(NOW), 60, 60, None),
    ];
    let begin = Instant::now();
    for (name, seconds, marks, wall, steady, expected) in table {
        let mut kept = Kept::new(seconds);
        let decision = decide(&token(NOW - 1), &marks);
        kept.keep(question("s-1"), marks, decision, after(begin, 0, 0));
        let then = after(begin, wall, steady);
        assert_eq!(kept.decision(&question("s-1"), &token(NOW - 1), then), expected, "{name}");
        assert_eq!(kept.decision(&question("s-2"), &token(NOW - 1), then), None, "{name}, of another session");
    }
    let mut kept = Kept::new(5);
    kept.keep(question("s-1"), vec![], Decision::InForce, after(begin, 1, 0));
    assert_eq!(kept.decision(&question("s-1"), &token(NOW - 1), after(begin, 0, 0)), None, "from the future");
}

#[test]
fn a_kept_no_is_no_answer_to_a_newer_token() {
    let (begin, mut kept) = (Instant::now(), Kept::new(0));
    kept.keep(question("s-1"), until(NOW), Decision::Refuse(Refusal::RightsChanged), after(begin, 0, 0));
    let then = after(begin, 1, 1);
    assert!(kept.decision(&question("s-1"), &token(NOW), then).is_some(), "made until then");
    assert_eq!(kept.decision(&question("s-1"), &token(NOW + 1), then), None, "made later: asked again");
}

#[test]
fn what_is_kept_is_bounded() {
    let (begin, mut kept) = (Instant::now(), Kept::new(5));
    for round in 0..2 {
        for number in 0..3 * MOST_KEPT {
            kept.keep(question(&format!("s-{number}")), vec![], Decision::InForce, after(begin, round, round));
            assert!(kept.len() <= MOST_KEPT, "{number}");
        }
    }
    let newest = question(&format!("s-{}", 3 * MOST_KEPT - 1));
    let then = after(begin, 1, 1);
    assert!(kept.decision(&newest, &token(NOW - 1), then).is_some());
    assert_eq!(kept.decision(&question("s-0"), &token(NOW - 1), then), None, "the oldest gave way");
    // The same question again and again takes one place.
    let mut kept = Kept::new(5);
    for _ in 0..3 * MOST_KEPT {
        kept.keep(question("s-1"), vec![], Decision::InForce, then);
    }
    assert_eq!(kept.len(), 1);
}

/// How long the table takes here.
const TAKES: Duration = Duration::from_millis(50);

/// A table that takes its time.
struct Slow {
    asked: AtomicUsize,
    answers: bool,
}

impl Marks for Slow {
    async fn find(&self, _: &Question, _: u64) -> Result<Vec<Mark>, Unknown> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(TAKES).await;
        if self.answers { Ok(vec![]) } else { Err(Unknown("nobody is there".into())) }
    }
}

fn revocations(answers: bool, unavailable: Unavailable, cache_seconds: u64) -> Revocations<Slow> {
    let rules = RevocationRules { mode: Mode::On, unavailable, cache_seconds };
    Revocations::new(Slow { asked: AtomicUsize::new(0), answers }, rules)
}

#[tokio::test]
async fn many_who_wait_for_the_same_answer_ask_once() {
    let revocations = revocations(true, Unavailable::Refuse, 5);
    let session = token(NOW - 1);
    let ask = || revocations.answer(question("s-1"), &session, NOW, BUDGET);
    let all = tokio::join!(ask(), ask(), ask(), ask());
    for standing in [all.0, all.1, all.2, all.3] {
        assert!(matches!(standing, Standing::InForce), "{standing:?}");
    }
    assert_eq!(revocations.marks.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_nobody_can_tell_is_decided_by_the_rules_and_in_time() {
    for (unavailable, passes) in [(Unavailable::Refuse, false), (Unavailable::Allow, true)] {
        for (name, answers, left) in [("no answer", false, BUDGET), ("too late", true, TAKES / 5)] {
            let revocations = revocations(answers, unavailable, 5);
            let standing = revocations.answer(question("s-1"), &token(NOW - 1), NOW, left).await;
            let as_expected = match &standing {
                Standing::Unchecked(why) => passes && why.starts_with("the marks cannot be read"),
                Standing::Refused(failure) => !passes && failure.code() == "RevocationUnknown",
                _ => false,
            };
            assert!(as_expected, "{name}, {unavailable:?}: {standing:?}");
            // What nobody could tell is not kept.
            assert_eq!(revocations.kept.lock().await.len(), 0, "{name}");
        }
    }
}
