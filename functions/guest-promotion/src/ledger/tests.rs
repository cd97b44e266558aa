use super::*;

fn guest() -> IdentityId {
    IdentityId::parse("us-east-1:0a1b2c3d-1111-4222-8333-444455556666").unwrap()
}

fn entry() -> Ledger {
    let owner = Subject::parse("u-1").unwrap();
    let claimed = Ledger::claimed(guest(), owner, TenantId::parse("acme"), "m-1".to_owned(), 1_000);
    claimed.next(|ledger| {
        ledger.state = State::Moving;
        ledger.identity = Some(guest());
    })
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let moving = entry().after(Counts { moved: 3, set_aside: 1, ..Counts::default() }, 1_001);
    let done = moving.next(|ledger| {
        ledger.state = State::Done;
        ledger.finished_at = Some(1_002);
        ledger.announced = true;
        ledger.deletes_identity = true;
    });
    let claimed = Ledger::claimed(guest(), Subject::parse("u").unwrap(), None, "m".to_owned(), 1);
    for ledger in [claimed, moving, done] {
        assert_eq!(Ledger::from_item(&guest(), &ledger.to_item()).unwrap(), ledger);
    }
}

#[test]
fn an_entry_that_is_not_understood_is_no_entry() {
    let table: [(&str, Option<Value>, &str); 12] = [
        ("format", Some(number(2)), "format"),
        ("format", None, "format"),
        ("state", Some(text("paused")), "state"),
        ("state", Some(text("done")), "finished_at"),
        ("owner", Some(text("u#1")), "owner"),
        ("owner", None, "owner"),
        ("owners_tenant", Some(text("Acme")), "owners_tenant"),
        ("owners_tenant", Some(number(1)), "owners_tenant"),
        ("identity", None, "identity"),
        ("identity", Some(text("u-1")), "identity"),
        ("moved", Some(Value::N("-1".to_owned())), "moved"),
        ("announced", Some(text("true")), "announced"),
    ];
    for (name, value, says) in table {
        let mut item = entry().to_item();
        match value.clone() {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
        assert_eq!(Ledger::from_item(&guest(), &item), Err(Corrupt(says)), "{name} = {value:?}");
        assert_eq!(Corrupt(says).to_string(), format!("the entry has no usable {says}"));
    }
}

#[test]
fn a_lease_holds_for_its_time_and_no_jump_of_a_clock_makes_it_longer() {
    let ledger = entry().held_by("m-2", 1_000);
    let table = [(1_000, true), (1_000 + LEASE_S - 1, true), (1_000 + LEASE_S, false), (999, false), (0, false)];
    for (now, held) in table {
        assert_eq!(ledger.is_held(now), held, "at {now}");
    }
    assert!(!entry().next(|ledger| ledger.lease_until = 0).is_held(1_000), "released");
}

#[test]
fn what_comes_late_changes_no_answer() {
    let counts = Counts { moved: 2, renamed: 1, replaced: 1, same: 1, set_aside: 1 };
    let moving = entry().after(counts, 1_000).after(counts, 1_000);
    assert_eq!((moving.counts.moved, moving.late), (4, 0));
    let done = moving.next(|ledger| ledger.state = State::Done).after(counts, 1_000);
    assert_eq!((done.counts, done.late), (moving.counts, 6));
}
