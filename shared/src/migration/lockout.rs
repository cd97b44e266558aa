//! How many passwords may be tried.
//!
//! The users are not in the pool yet, so the pool's own lock-out does not
//! count for them. Attempts are limited for each name ([`crate::lockout`]), and
//! for all names together.

use serde::Deserialize;

use crate::lockout::Limits;
use crate::rules::Problems;

/// How many passwords may be tried.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LockoutRules {
    /// The attempts for one name before any waiting: 1 to 10.
    pub free_attempts: u64,
    /// The first waiting time, in seconds. It doubles with every further attempt.
    pub first_wait_s: u64,
    /// The longest waiting time, in seconds: at most one hour.
    pub longest_wait_s: u64,
    /// The attempts for all names together in one minute that do not succeed.
    /// At the limit nobody is moved in until the minute is over.
    pub overall_per_minute: u64,
}

/// The minute that an attempt counts in.
pub fn window(now: u64) -> u64 {
    now / 60
}

/// Whether an attempt may go on after the attempts of all names in this minute,
/// this one included.
pub fn overall_allows(rules: &LockoutRules, count: u64) -> bool {
    count <= rules.overall_per_minute
}

impl LockoutRules {
    /// What is allowed for one name.
    pub fn of_a_name(&self) -> Limits {
        Limits {
            free_attempts: self.free_attempts,
            first_wait_s: self.first_wait_s,
            longest_wait_s: self.longest_wait_s,
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let mut add = |key: &str, message: &str| problems.add(format!("migration.lockout.{key}"), message);
        if !(1..=10).contains(&self.free_attempts) {
            add("free_attempts", "1 to 10 attempts are free");
        }
        if self.first_wait_s == 0 {
            add("first_wait_s", "without waiting nothing stops a guesser");
        }
        if self.longest_wait_s < self.first_wait_s {
            add("longest_wait_s", "the longest waiting time is shorter than the first");
        }
        if self.longest_wait_s > 3_600 {
            add("longest_wait_s", "more than an hour would let anyone lock others out");
        }
        if self.overall_per_minute == 0 {
            add("overall_per_minute", "nobody could be moved in");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: LockoutRules =
        LockoutRules { free_attempts: 5, first_wait_s: 60, longest_wait_s: 900, overall_per_minute: 300 };

    #[test]
    fn the_minute_is_full_at_its_limit() {
        assert_eq!((window(59), window(60)), (0, 1));
        for (count, expected) in [(1, true), (300, true), (301, false)] {
            assert_eq!(overall_allows(&RULES, count), expected, "{count}");
        }
    }

    #[test]
    fn a_limit_that_limits_nothing_is_a_problem() {
        let table = [
            (RULES, None),
            (LockoutRules { free_attempts: 1, ..RULES }, None),
            (LockoutRules { free_attempts: 10, ..RULES }, None),
            (LockoutRules { free_attempts: 0, ..RULES }, Some("free_attempts")),
            (LockoutRules { free_attempts: 11, ..RULES }, Some("free_attempts")),
            (LockoutRules { first_wait_s: 1, ..RULES }, None),
            (LockoutRules { first_wait_s: 0, ..RULES }, Some("first_wait_s")),
            (LockoutRules { longest_wait_s: 60, ..RULES }, None),
            (LockoutRules { longest_wait_s: 59, ..RULES }, Some("longest_wait_s")),
            (LockoutRules { longest_wait_s: 3_600, ..RULES }, None),
            (LockoutRules { longest_wait_s: 3_601, ..RULES }, Some("longest_wait_s")),
            (LockoutRules { overall_per_minute: 1, ..RULES }, None),
            (LockoutRules { overall_per_minute: 0, ..RULES }, Some("overall_per_minute")),
        ];
        for (rules, key) in table {
            let mut problems = Problems::default();
            rules.check(&mut problems);
            let found: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
            let expected: Vec<String> = key.iter().map(|key| format!("migration.lockout.{key}")).collect();
            assert_eq!(found, expected, "{rules:?}");
        }
    }
}
