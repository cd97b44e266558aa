//! When a guest's records end.
//!
//! What a guest keeps outlives his last write by some days, and is never more
//! than the rules say. Both are brought about by the same means: an end, after
//! which DynamoDB deletes a record.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>

use std::collections::HashMap;

use super::{CLAIM, GRANT, GuestRules};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// A record, as far as its end depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Its name in the guest's partition, which has each once.
    pub name: &'a str,
    /// Its size without its end, as DynamoDB counts it.
    pub bytes: u64,
    /// When it ends, in seconds since 1970; `None` when nothing says so yet.
    pub ends_at: Option<u64>,
}

/// What is known of a guest who wrote.
#[derive(Clone, Copy, Debug)]
pub struct Partition<'a> {
    /// His records.
    pub records: &'a [Kept<'a>],
    /// The names of those that he has just written, in that order.
    pub written: &'a [&'a str],
    /// Whether `records` are all that he has. `false` when there is so much that
    /// it was not read to its end.
    pub whole: bool,
}

/// An end that a record is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending<'a> {
    /// The record's name.
    pub name: &'a str,
    /// Its new end, in seconds since 1970.
    pub ends_at: u64,
    /// Why it gets one.
    pub reason: Reason,
}

/// Why a record gets an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The guest is still there, so it is kept for as long as the rules say.
    Written,
    /// With it the guest would have more records than he may.
    TooMany,
    /// With it the guest would have more bytes than he may.
    TooLarge,
    /// The guest has so much that nobody can say how much.
    Unread,
}

impl Reason {
    /// Whether the record ends at once.
    pub fn is_limit(self) -> bool {
        self != Self::Written
    }
}

/// Decides which records get a new end.
///
/// Whoever came first stays: records that had their end before count first, then
/// those just written, then those that nobody has looked at yet, which were
/// written since. Ended records count nothing and stay as they are: DynamoDB may
/// take days to delete them. A record that stays gets a new end only when its
/// own is half over, so however often a guest writes, each costs one more write
/// in half a period.
///
/// Taking the ends twice does no harm, and the second time there are none.
pub fn decide<'a>(rules: &GuestRules, partition: &Partition<'a>, now: u64) -> Vec<Ending<'a>> {
    let keep_s = rules.keep_days.saturating_mul(DAY_S);
    let mut tally = Tally::default();
    let mut endings = Vec::new();
    for (place, record) in in_order(partition, now) {
        let limit = match place {
            Place::Written(_) | Place::Since if !partition.whole => Some(Reason::Unread),
            _ if is_mark(&record) => None,
            _ => tally.take(rules, record.bytes),
        };
        let (ends_at, reason) = match limit {
            Some(limit) => (now, limit),
            None if is_due(record.ends_at, now, keep_s) => (now.saturating_add(keep_s), Reason::Written),
            None => continue,
        };
        endings.push(Ending { name: record.name, ends_at, reason });
    }
    endings
}

/// Whether a record is one of the two marks by which a guest proves himself.
/// They cost him nothing: who keeps as much as he may can still be promoted.
fn is_mark(record: &Kept<'_>) -> bool {
    /// More than a mark needs.
    const MOST_MARK_BYTES: u64 = 512;
    [GRANT, CLAIM].contains(&record.name) && record.bytes <= MOST_MARK_BYTES
}

/// Whether DynamoDB has room for an end beside what is in a record of this size.
/// A record without room could be kept for ever.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub fn has_room_for_an_end(bytes: u64) -> bool {
    /// The attribute's name, and a number of ten digits.
    const END_BYTES: u64 = 17;
    const MOST_RECORD_BYTES: u64 = 400 * 1024;
    bytes.saturating_add(END_BYTES) <= MOST_RECORD_BYTES
}

/// When a record came, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// It has an end, so an earlier decision kept it.
    Before,
    /// It is among those just written, at this position.
    Written(usize),
    /// Nobody has looked at it yet.
    Since,
}

/// The records that have not ended, first come first.
fn in_order<'a>(partition: &Partition<'a>, now: u64) -> Vec<(Place, Kept<'a>)> {
    let mut written = HashMap::new();
    for (position, name) in partition.written.iter().enumerate() {
        written.entry(*name).or_insert(position);
    }
    let place = |record: &Kept<'a>| match (written.get(record.name), record.ends_at) {
        (Some(position), _) => Place::Written(*position),
        (None, Some(_)) => Place::Before,
        (None, None) => Place::Since,
    };
    let living = partition.records.iter().filter(|record| record.ends_at.is_none_or(|end| end > now));
    let mut records: Vec<_> = living.map(|record| (place(record), *record)).collect();
    records.sort_by_key(|(place, _)| *place);
    records
}

/// What a guest has so far.
#[derive(Default)]
struct Tally {
    items: u64,
    bytes: u64,
}

impl Tally {
    /// Counts a record that fits. One that does not is not counted, and the
    /// limit that it would break is named.
    fn take(&mut self, rules: &GuestRules, bytes: u64) -> Option<Reason> {
        let (items, bytes) = (self.items.saturating_add(1), self.bytes.saturating_add(bytes));
        if items > rules.most_items {
            return Some(Reason::TooMany);
        }
        if bytes > rules.most_bytes {
            return Some(Reason::TooLarge);
        }
        *self = Self { items, bytes };
        None
    }
}

/// Whether a record that stays needs a new end: it has none, less than half of
/// the time is left, or the rules gave more time once than they do now.
fn is_due(ends_at: Option<u64>, now: u64, keep_s: u64) -> bool {
    ends_at.is_none_or(|end| {
        let left = end.saturating_sub(now);
        left < keep_s / 2 || left > keep_s
    })
}

#[cfg(test)]
mod tests;
