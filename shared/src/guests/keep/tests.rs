use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::guests::Conflict;

const NOW: u64 = 1_800_000_000;
const KEEP_S: u64 = 30 * DAY_S;
const END: u64 = NOW + KEEP_S;

fn rules(most_items: u64, most_bytes: u64) -> GuestRules {
    GuestRules {
        keep_days: 30,
        most_items,
        most_bytes,
        attributes: BTreeSet::new(),
        on_conflict: Conflict::KeepUser,
        newer_by: None,
        aside_days: 90,
        most_proof_age_s: 600,
        groups: Vec::new(),
        delete_merged_identities: false,
    }
}

fn kept(name: &str, bytes: u64, ends_at: Option<u64>) -> Kept<'_> {
    Kept { name, bytes, ends_at }
}

/// Ends as `name+` where the record is kept, `name-` and why where it is not.
fn decided(rules: &GuestRules, records: &[Kept<'_>], written: &[&str]) -> Vec<String> {
    told(&decide(rules, &Partition { records, written, whole: true }, NOW))
}

fn told(endings: &[Ending<'_>]) -> Vec<String> {
    let told = endings.iter().map(|ending| match ending.reason {
        Reason::Written => {
            assert_eq!(ending.ends_at, END, "{ending:?}");
            format!("{}+", ending.name)
        }
        limit => {
            assert_eq!(ending.ends_at, NOW, "{ending:?}");
            format!("{}-{limit:?}", ending.name)
        }
    });
    told.collect()
}

#[test]
fn a_record_is_given_an_end_once_in_half_a_period() {
    let table = [
        ("no end yet", None, true),
        ("the whole time is left", Some(END), false),
        ("more than the whole time, as under earlier rules", Some(END + 1), true),
        ("half the time is left", Some(NOW + KEEP_S / 2), false),
        ("less than half", Some(NOW + KEEP_S / 2 - 1), true),
        ("about to end", Some(NOW + 1), true),
        ("ending now", Some(NOW), false),
        ("ended, not yet deleted", Some(NOW - DAY_S), false),
        ("an end at the beginning of time", Some(0), false),
        ("no end within our days", Some(u64::MAX), true),
    ];
    for (name, ends_at, renewed) in table {
        for written in [[].as_slice(), &["a"]] {
            let endings = decided(&rules(9, 9), &[kept("a", 1, ends_at)], written);
            assert_eq!(endings == ["a+"], renewed, "{name}, written {written:?}: {endings:?}");
            assert_eq!(endings.is_empty(), !renewed, "{name}");
        }
    }
}

#[test]
fn only_what_was_written_is_kept() {
    use Reason::{TooLarge, TooMany, Unread, Written};
    assert_eq!([Written, TooMany, TooLarge, Unread].map(Reason::is_limit), [false, true, true, true]);
}

#[test]
fn who_came_first_stays() {
    let old = Some(END);
    type Row<'a> = (&'a str, Vec<Kept<'a>>, &'a [&'a str], &'a [&'a str]);
    let table: [Row<'_>; 14] = [
        ("within both limits", vec![kept("a", 4, None), kept("b", 4, None)], &["a", "b"], &["a+", "b+"]),
        (
            "the third of two is too much",
            vec![kept("a", 1, old), kept("b", 1, old), kept("c", 1, None)],
            &["c"],
            &["c-TooMany"],
        ),
        (
            "the order of writing counts, not of names",
            vec![kept("a", 1, None), kept("b", 1, None), kept("c", 1, None)],
            &["c", "b", "a"],
            &["c+", "b+", "a-TooMany"],
        ),
        (
            "a name written twice keeps its first place",
            vec![kept("a", 1, None), kept("b", 1, None), kept("c", 1, None)],
            &["c", "b", "a", "c"],
            &["c+", "b+", "a-TooMany"],
        ),
        (
            "what was kept before gives way to nothing new",
            vec![kept("a", 1, None), kept("x", 1, old), kept("y", 1, old)],
            &["a"],
            &["a-TooMany"],
        ),
        (
            "what was written since comes after what was just written",
            vec![kept("a", 1, None), kept("b", 1, None), kept("x", 1, old)],
            &["b"],
            &["b+", "a-TooMany"],
        ),
        (
            "a mark costs nothing",
            vec![kept("#grant", 90, None), kept("a", 5, old), kept("b", 5, old)],
            &["#grant"],
            &["#grant+"],
        ),
        (
            "a large record under a mark's name is no mark",
            vec![kept("#grant", 513, None), kept("a", 5, old)],
            &["#grant"],
            &["#grant-TooLarge"],
        ),
        (
            "nor is every name with its sign",
            vec![kept("#game", 1, None), kept("a", 5, old), kept("b", 5, old)],
            &["#game"],
            &["#game-TooMany"],
        ),
        ("bytes up to the limit", vec![kept("a", 10, None)], &["a"], &["a+"]),
        ("one byte more", vec![kept("a", 11, None)], &["a"], &["a-TooLarge"]),
        (
            "what is too large takes no place",
            vec![kept("a", 6, old), kept("b", 5, None), kept("c", 4, None)],
            &["b", "c"],
            &["b-TooLarge", "c+"],
        ),
        (
            "a record that grew counts by its new size",
            vec![kept("a", 9, old), kept("b", 2, old)],
            &["a"],
            &["a-TooLarge"],
        ),
        (
            "what has ended takes no place",
            vec![kept("a", 9, Some(NOW)), kept("b", 9, Some(1)), kept("c", 9, None)],
            &["c"],
            &["c+"],
        ),
    ];
    for (name, records, written, expected) in table {
        assert_eq!(decided(&rules(2, 10), &records, written), expected, "{name}");
    }
}

#[test]
fn a_guest_who_has_more_than_can_be_read_gets_nothing_more() {
    let records = [kept("a", 1, Some(END)), kept("b", 1, Some(NOW + 1)), kept("c", 1, None), kept("d", 1, None)];
    let partition = Partition { records: &records, written: &["d", "not read"], whole: false };
    let endings = decide(&rules(9, 9), &partition, NOW);
    assert_eq!(told(&endings), ["b+", "d-Unread", "c-Unread"], "what was kept before stays");
}

#[test]
fn lowered_limits_end_what_is_over_them() {
    let records = [kept("a", 4, Some(END)), kept("b", 4, Some(END)), kept("c", 4, Some(END))];
    assert_eq!(decided(&rules(3, 12), &records, &[]), [""; 0]);
    assert_eq!(decided(&rules(2, 12), &records, &[]), ["c-TooMany"]);
    assert_eq!(decided(&rules(3, 11), &records, &[]), ["c-TooLarge"]);
}

#[test]
fn sizes_do_not_overflow() {
    let records = [kept("a", u64::MAX, None), kept("b", u64::MAX, None)];
    assert_eq!(decided(&rules(9, u64::MAX), &records, &[]), ["a+", "b+"], "saturated, like the limit");
    assert_eq!(decided(&rules(9, u64::MAX - 1), &records, &[]), ["a-TooLarge", "b-TooLarge"]);
}

#[test]
fn a_record_that_fills_an_item_has_no_room_for_an_end() {
    for (bytes, room) in [(0, true), (409_583, true), (409_584, false), (409_600, false), (u64::MAX, false)] {
        assert_eq!(has_room_for_an_end(bytes), room, "{bytes}");
    }
}

proptest! {
    /// What is left is within the limits, nothing is ended without need, and the
    /// stream's echo of our own writes finds nothing to do.
    #[test]
    fn decisions_hold(
        sizes in prop::collection::vec((1_u64..20, prop::option::of(NOW - 9..NOW + 2 * KEEP_S)), 0..12),
        written in prop::collection::vec(0_usize..12, 0..8),
        most_items in 1_u64..10,
        most_bytes in 1_u64..60,
    ) {
        let rules = rules(most_items, most_bytes);
        let names: Vec<String> = (0..12).map(|number| format!("n{number:02}")).collect();
        let mut records: Vec<Kept<'_>> =
            sizes.iter().zip(&names).map(|((bytes, ends_at), name)| kept(name, *bytes, *ends_at)).collect();
        let written: Vec<&str> = written.iter().map(|index| names[*index].as_str()).collect();
        let before = records.clone();
        let endings = decide(&rules, &Partition { records: &before, written: &written, whole: true }, NOW);
        for ending in &endings {
            records.iter_mut().filter(|record| record.name == ending.name).for_each(|record| {
                record.ends_at = Some(ending.ends_at);
            });
        }
        let living: Vec<_> = records.iter().filter(|record| record.ends_at.is_none_or(|end| end > NOW)).collect();
        let (items, bytes) = (living.len() as u64, living.iter().map(|record| record.bytes).sum::<u64>());
        prop_assert!(items <= most_items && bytes <= most_bytes, "{items} items, {bytes} bytes");
        prop_assert!(living.iter().all(|record| record.ends_at.is_some_and(|end| end <= END)));
        for ending in endings.iter().filter(|ending| ending.reason.is_limit()) {
            let own = before.iter().find(|record| record.name == ending.name).map_or(0, |record| record.bytes);
            prop_assert!(items == most_items || bytes + own > most_bytes, "{ending:?} would have had a place");
        }
        let echoed: Vec<&str> = endings.iter().map(|ending| ending.name).collect();
        for written in [echoed.as_slice(), &written] {
            let again = decide(&rules, &Partition { records: &records, written, whole: true }, NOW);
            prop_assert_eq!(again, Vec::<Ending<'_>>::new());
        }
    }
}
