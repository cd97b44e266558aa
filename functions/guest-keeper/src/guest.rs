//! One guest of a batch: what he has, what becomes of it, the ends.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fmt;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use records::{Change, Expiry, Item, ReadError, Records, Store, Value, WriteError};
use shared::guests::keep::{self, Ending, Kept, Partition};
use shared::guests::{GuestRules, IdentityId};

/// How many ends are set at the same time.
const AT_ONCE: usize = 16;

/// A guest who wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) identity: IdentityId,
    /// The names of what he wrote, in order.
    pub(crate) names: Vec<String>,
    /// The place in the stream from which to try him again.
    pub(crate) first: String,
}

/// A record, without what the guest put into it.
struct Found {
    name: String,
    /// Without its end.
    bytes: usize,
    /// Its end as it stands there.
    end: Option<Value>,
    ends_at: Option<u64>,
}

/// Why a guest has to be tried again.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// His records, or whether he is promoted, could not be read.
    Unread(ReadError),
    /// An end could not be set.
    Unwritten(WriteError),
}

impl Unfinished {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unread(_) => "RecordsUnread",
            Self::Unwritten(_) => "RecordsUnwritten",
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Error for Unfinished {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unread(cause) => Some(cause),
            Self::Unwritten(cause) => Some(cause),
        }
    }
}

/// Brings a guest's records within the rules. Says whether one was over a limit.
pub(crate) async fn keep(
    records: &Records,
    rules: &GuestRules,
    most_pages: u64,
    guest: &Guest,
    now: u64,
) -> Result<bool, Unfinished> {
    let pk = records::guest(&guest.identity);
    let (found, whole) = read(records, &pk, guest, most_pages, now).await.map_err(Unfinished::Unread)?;
    let written: Vec<&str> = guest.names.iter().map(String::as_str).collect();
    let kept: Vec<Kept<'_>> = found.iter().map(Found::kept).collect();
    let endings = keep::decide(rules, &Partition { records: &kept, written: &written, whole }, now);
    let limited = endings.iter().any(|ending| ending.reason.is_limit());
    let known: HashMap<&str, Option<&Value>> =
        found.iter().map(|record| (record.name.as_str(), record.end.as_ref())).collect();
    let known = |ending: &Ending<'_>| known.get(ending.name).copied().flatten();
    let ends = stream::iter(endings).map(|ending| end(records, &pk, known(&ending), ending));
    let ends = ends.buffer_unordered(AT_ONCE);
    ends.try_collect::<()>().await.map_err(Unfinished::Unwritten)?;
    Ok(limited)
}

/// The records that have not ended, and whether they are all. What the guest has
/// just written is among them in any case.
async fn read(
    records: &Records,
    pk: &str,
    guest: &Guest,
    most_pages: u64,
    now: u64,
) -> Result<(Vec<Found>, bool), ReadError> {
    let mut found = Vec::new();
    let mut after = None;
    for _ in 0..most_pages {
        let page = records.living(pk, after.as_deref(), now).await?;
        found.extend(page.items.into_iter().filter_map(Found::of));
        after = page.next;
        if after.is_none() {
            return Ok((found, true));
        }
    }
    let seen: BTreeSet<&str> = found.iter().map(|record| record.name.as_str()).collect();
    let unseen: BTreeSet<&str> = guest.names.iter().map(String::as_str).filter(|name| !seen.contains(name)).collect();
    let mut rest = Vec::new();
    for name in unseen {
        rest.extend(records.read(pk, name).await?.and_then(Found::of));
    }
    found.extend(rest);
    Ok((found, false))
}

impl Found {
    /// `None` of an item that is not one of the table's: it cannot be.
    ///
    /// The end does not count: it is not the guest's, and a record that fits must
    /// not become too large by the end that it gets.
    fn of(mut item: Item) -> Option<Self> {
        let name = records::key_of(&item)?.1.to_owned();
        let ends_at = records::ends_at(&item);
        let end = item.remove(records::EXPIRES_AT);
        Some(Self { name, bytes: records::item_bytes(&item), end, ends_at })
    }

    fn kept(&self) -> Kept<'_> {
        Kept { name: &self.name, bytes: u64::try_from(self.bytes).unwrap_or(u64::MAX), ends_at: self.ends_at }
    }
}

/// Sets one end. A record that was changed in the meantime comes through the
/// stream again, one that is gone needs no end.
async fn end(records: &Records, pk: &str, known: Option<&Value>, ending: Ending<'_>) -> Result<(), WriteError> {
    match records.expire((pk, ending.name), known, ending.ends_at).await {
        Ok(Expiry::Set | Expiry::Changed) => Ok(()),
        Err(WriteError::Invalid(_)) => without_room(records, pk, ending.name).await,
        Err(error) => Err(error),
    }
}

/// A guest could fill a record to the last byte so that no end fits in. It is
/// removed. Any other record that the table refuses to change stays, with a
/// line in the log: trying again would hold up all other guests.
async fn without_room(records: &Records, pk: &str, name: &str) -> Result<(), WriteError> {
    let item = records.read(pk, name).await.map_err(|error| WriteError::Unknown(error.into()))?;
    let Some(item) = item else { return Ok(()) };
    let bytes = u64::try_from(records::item_bytes(&item)).unwrap_or(u64::MAX);
    if keep::has_room_for_an_end(bytes) {
        tracing::error!(code = "EndRefused", bytes, "a record gets no end");
        return Ok(());
    }
    match records.write(&[Change::Remove(item)]).await {
        Ok(()) | Err(WriteError::Stale(_)) => {
            tracing::warn!(code = "NoRoomForAnEnd", bytes, "a record was removed");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
