use std::collections::BTreeSet;

use shared::guests::{Conflict, IdentityId};
use shared::names::{Subject, TenantId};

use super::*;

fn ledger() -> Ledger {
    let guest = IdentityId::parse("us-east-1:0a1b2c3d-1111-4222-8333-444455556666").unwrap();
    Ledger::claimed(guest, Subject::parse("u-1").unwrap(), TenantId::parse("acme"), "m".to_owned(), 1_000)
}

fn rules(on_conflict: Conflict) -> GuestRules {
    GuestRules {
        keep_days: 30,
        most_items: 10,
        most_bytes: 10_000,
        attributes: BTreeSet::from(["data".to_owned(), "updated_at".to_owned()]),
        on_conflict,
        newer_by: Some("updated_at".to_owned()),
        aside_days: 2,
        most_proof_age_s: 600,
        groups: Vec::new(),
        delete_merged_identities: false,
    }
}

fn record(pk: &str, sk: &str, more: &[(&str, Value)]) -> Item {
    let key = [(PK, text(pk)), (SK, text(sk))];
    key.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn guests(sk: &str, more: &[(&str, Value)]) -> Item {
    record("GUEST#us-east-1:0a1b2c3d-1111-4222-8333-444455556666", sk, more)
}

fn users(sk: &str, more: &[(&str, Value)]) -> Item {
    record("USER#u-1", sk, more)
}

/// The changes with their parts left out.
fn changes(planned: &Move, rules: &GuestRules) -> Vec<Change> {
    planned.changes(rules, &ledger(), 7).into_iter().map(|(_, change)| change).collect()
}

#[test]
fn a_record_goes_to_the_user_whole_and_without_its_end() {
    let data = ("data", Value::M(Item::from([("x".to_owned(), Value::L(vec![Value::Null(true)]))])));
    let source = guests("score", &[data.clone(), (EXPIRES_AT, number(5_000)), ("tenant", text("acme"))]);
    let planned = Move::plan(&ledger(), source.clone()).unwrap();
    let given = users("score", &[data, ("tenant", text("acme"))]);
    assert_eq!(changes(&planned, &rules(Conflict::KeepUser)), [Change::Create(given), Change::Remove(source)]);
    assert_eq!(planned.counts(), Counts { moved: 1, ..Counts::default() });
}

#[test]
fn what_is_set_aside_is_kept_whole_for_its_time_and_a_mark_is_only_removed() {
    let source = guests("LEDGER#x", &[("data", text("d"))]);
    let planned = Move::plan(&ledger(), source.clone()).unwrap();
    let kept = record(
        "ASIDE#us-east-1:0a1b2c3d-1111-4222-8333-444455556666",
        "0000000000-07",
        &[
            ("reason", text("reserved-name")),
            ("record", Value::M(source.clone())),
            (EXPIRES_AT, number(1_000 + 2 * 86_400)),
        ],
    );
    assert_eq!(changes(&planned, &rules(Conflict::KeepUser)), [Change::Create(kept), Change::Remove(source)]);
    let mark = guests("#grant", &[("data", text("u-1"))]);
    let planned = Move::plan(&ledger(), mark.clone()).unwrap();
    assert_eq!(changes(&planned, &rules(Conflict::KeepUser)), [Change::Remove(mark)]);
    assert_eq!(planned.counts(), Counts::default());
}

#[test]
fn beside_the_users_record_the_rule_decides_and_nothing_is_overwritten_silently() {
    let old = ("updated_at", number(1));
    let new = ("updated_at", number(2));
    let mine = ("data", text("guest"));
    let yours = ("data", text("user"));
    let table = [
        (Conflict::KeepUser, [mine.clone(), new.clone()], [yours.clone(), old.clone()], "aside"),
        (Conflict::KeepNewer, [mine.clone(), new.clone()], [yours.clone(), old.clone()], "replace"),
        (Conflict::KeepNewer, [mine.clone(), old.clone()], [yours.clone(), new.clone()], "aside"),
        (Conflict::KeepNewer, [mine.clone(), old.clone()], [yours.clone(), old.clone()], "aside"),
        (Conflict::KeepBoth, [mine.clone(), new.clone()], [yours, old], "rename"),
        (Conflict::KeepBoth, [mine.clone(), new.clone()], [mine, new], "one"),
    ];
    for (rule, of_guest, of_user, expected) in table {
        let (source, standing) = (guests("score", &of_guest), users("score", &of_user));
        let planned = Move::plan(&ledger(), source.clone()).unwrap();
        let planned = planned.beside(&rules(rule), &ledger(), standing.clone()).unwrap();
        let found = match changes(&planned, &rules(rule)).as_slice() {
            [Change::Create(aside), Change::Remove(gone)] if aside.contains_key("reason") => {
                assert_eq!((&aside["record"], gone), (&Value::M(source.clone()), &source));
                "aside"
            }
            [Change::Replace { old, new }, Change::Create(aside), Change::Remove(gone)] => {
                assert_eq!((old, &aside["record"]), (&standing, &Value::M(standing.clone())));
                assert_eq!((new, gone), (&users("score", &of_guest), &source));
                "replace"
            }
            [Change::Create(given), Change::Remove(gone)] => {
                assert_eq!((given, gone), (&users("score~0a1b2c3d", &of_guest), &source));
                "rename"
            }
            [Change::Remove(gone)] => {
                assert_eq!(gone, &source);
                "one"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{rule:?} {of_guest:?} {of_user:?}");
    }
}

#[test]
fn a_name_that_is_taken_again_gets_another_one_until_none_fits() {
    let rules = rules(Conflict::KeepBoth);
    let mut planned = Move::plan(&ledger(), guests("score", &[("data", text("guest"))])).unwrap();
    for expected in ["score~0a1b2c3d", "score~0a1b2c3d-2", "score~0a1b2c3d-3"] {
        planned = planned.beside(&rules, &ledger(), users("any", &[("data", text("user"))])).unwrap();
        let Some(Change::Create(given)) = changes(&planned, &rules).into_iter().next() else { panic!("{planned:?}") };
        assert_eq!(key_of(&given), Some(("USER#u-1", expected)));
    }
    let long = guests(&"s".repeat(1_020), &[("data", text("guest"))]);
    let planned = Move::plan(&ledger(), long).unwrap().beside(&rules, &ledger(), users("any", &[])).unwrap();
    assert_eq!(planned.counts(), Counts { set_aside: 1, ..Counts::default() });
}

#[test]
fn what_would_be_too_large_is_told_before_anything_is_sent() {
    let bytes = |room: usize| guests("score", &[("data", text("d".repeat(room)))]);
    let own = item_bytes(&users("score", &[("data", text(""))]));
    assert!(Move::plan(&ledger(), bytes(MOST_ITEM_BYTES - own)).is_ok());
    let stuck = Move::plan(&ledger(), bytes(MOST_ITEM_BYTES - own + 1)).unwrap_err();
    assert_eq!(stuck.name, "score");
    // A further name makes it larger than the user's own would have been.
    let rules = rules(Conflict::KeepBoth);
    let planned = Move::plan(&ledger(), bytes(MOST_ITEM_BYTES - own)).unwrap();
    assert_eq!(planned.beside(&rules, &ledger(), users("score", &[])).unwrap_err().name, "score");
}

#[test]
fn a_key_that_is_not_made_of_texts_is_left_alone() {
    let mut odd = guests("score", &[]);
    odd.insert(SK.to_owned(), number(1));
    assert_eq!(Move::plan(&ledger(), odd.clone()), Err(Stuck { name: "?".to_owned(), source: odd }));
}
