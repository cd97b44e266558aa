//! How many attempts at a secret may be made under one name.
//!
//! After some free attempts one more is let through in each waiting time, which
//! doubles up to a limit: nobody is locked out for good, and waiting attempts
//! change nothing but a count.
//!
//! Counting needs one atomic addition for each attempt ([`after_charge`] is
//! told what it made of the record) and now and then a conditional write, which
//! of many callers at once only one wins.

/// How long a record of attempts is kept after the last one: a day, in seconds.
pub const FORGET_AFTER_S: u64 = 86_400;

/// How many attempts may be made under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The attempts before any waiting.
    pub free_attempts: u64,
    /// The first waiting time, in seconds. It doubles with every further attempt.
    pub first_wait_s: u64,
    /// The longest waiting time, in seconds.
    pub longest_wait_s: u64,
}

/// A name's record, as it is after an attempt was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// All attempts since the last success, this one included.
    pub count: u64,
    /// The waiting times that have begun.
    pub waits: u64,
    /// When the waiting time ends, in seconds since 1970; `None` while none has begun.
    pub open_at: Option<u64>,
}

/// What the count allows, and what has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The attempt may go on.
    Go,
    /// The attempt may go on once the waiting time is written; if another has
    /// written one, too. The last free attempt does this.
    GoAndWait(Wait),
    /// The waiting time is over: the attempt may go on only if this very caller
    /// writes the next one in place of `ended`.
    Claim {
        /// The end of the waiting time that is over.
        ended: u64,
        /// The next waiting time.
        next: Wait,
    },
    /// The attempt is refused, and a waiting time begins unless there is one:
    /// whoever should have written it did not.
    RefuseAndWait(Wait),
    /// The attempt is refused.
    Refuse,
}

/// A waiting time to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How many there have been, this one included.
    pub waits: u64,
    /// When it ends, in seconds since 1970.
    pub open_at: u64,
}

/// Decides whether an attempt that was just counted may go on.
pub fn after_charge(limits: Limits, record: Record, now: u64) -> Step {
    let wait = |waits: u64| Wait { waits, open_at: now.saturating_add(limits.wait_s(waits)) };
    match record {
        Record { count, .. } if count < limits.free_attempts => Step::Go,
        Record { count, .. } if count == limits.free_attempts => Step::GoAndWait(wait(1)),
        Record { open_at: None, .. } => Step::RefuseAndWait(wait(1)),
        Record { open_at: Some(open_at), .. } if now < open_at => Step::Refuse,
        Record { open_at: Some(ended), waits, .. } => Step::Claim { ended, next: wait(waits.saturating_add(1)) },
    }
}

impl Limits {
    /// The length of the `n`th waiting time, from 1.
    fn wait_s(&self, n: u64) -> u64 {
        let doublings = u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.first_wait_s.saturating_mul(factor).min(self.longest_wait_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { free_attempts: 5, first_wait_s: 60, longest_wait_s: 900 };
    const NOW: u64 = 1_000_000;

    fn wait(waits: u64, seconds: u64) -> Wait {
        Wait { waits, open_at: NOW + seconds }
    }

    #[test]
    fn five_attempts_are_free_and_then_each_has_to_wait() {
        let record = |count, waits, open_at| Record { count, waits, open_at };
        let table = [
            ("the first", record(1, 0, None), Step::Go),
            ("the fourth", record(4, 0, None), Step::Go),
            ("the last free one", record(5, 0, None), Step::GoAndWait(wait(1, 60))),
            ("the last free one, overtaken", record(5, 1, Some(NOW + 60)), Step::GoAndWait(wait(1, 60))),
            ("one more", record(6, 1, Some(NOW + 60)), Step::Refuse),
            ("in the last second", record(7, 1, Some(NOW + 1)), Step::Refuse),
            ("after the wait", record(8, 1, Some(NOW)), Step::Claim { ended: NOW, next: wait(2, 120) }),
            ("long after", record(9, 3, Some(7)), Step::Claim { ended: 7, next: wait(4, 480) }),
            ("the longest", record(9, 5, Some(7)), Step::Claim { ended: 7, next: wait(6, 900) }),
            ("no wait was written", record(6, 0, None), Step::RefuseAndWait(wait(1, 60))),
        ];
        for (name, record, expected) in table {
            assert_eq!(after_charge(LIMITS, record, NOW), expected, "{name}");
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let table = [(1, 60), (2, 120), (3, 240), (4, 480), (5, 900), (6, 900), (64, 900), (65, 900), (u64::MAX, 900)];
        for (n, expected) in table {
            assert_eq!(LIMITS.wait_s(n), expected, "{n}");
        }
    }

    proptest! {
        #[test]
        fn no_record_keeps_anybody_out_for_longer_than_the_longest_wait(
            count in 0..u64::MAX, waits in 0..u64::MAX, begun in proptest::option::of(0..NOW),
        ) {
            // Whatever the record, the wait in it ends within the limit of its beginning.
            let open_at = begun.map(|begun| begun + LIMITS.wait_s(waits));
            let step = after_charge(LIMITS, Record { count, waits, open_at }, NOW + 900);
            prop_assert!(!matches!(step, Step::Refuse), "{step:?}");
            if let Step::GoAndWait(wait) | Step::RefuseAndWait(wait) | Step::Claim { next: wait, .. } = step {
                prop_assert!(wait.open_at <= NOW + 1_800);
            }
        }
    }
}
