//! Times as policies write them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The last second of the year 9999, beyond which a date has no such form.
const LAST: u64 = 253_402_300_799;

/// A time in seconds since 1970, as `2027-01-15T08:00:00Z`; behind the last that
/// can be written, that one.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date>
pub(super) fn write(seconds: u64) -> String {
    let time =
        i64::try_from(seconds.min(LAST)).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    // Nothing fails within these years. A time that could not be written would let nobody in.
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_the_calendar_has_it() {
        let table = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, expected) in table {
            assert_eq!(write(seconds), expected, "{seconds}");
        }
    }
}
