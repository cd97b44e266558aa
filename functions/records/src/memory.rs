//! The records table in memory, with DynamoDB's rules.
//!
//! It answers as the adapter does; `tests/conformance.rs` holds the two together.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::item::same_value;
use crate::{
    Change, Item, MOST_ACTIONS, MOST_BYTES, MOST_ITEM_BYTES, PK, Page, ReadError, SK, Stale, Store, Value, WriteError,
    item_bytes, key_of, same,
};

/// The most bytes of items in a page.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>
const MOST_PAGE_BYTES: usize = 1024 * 1024;
/// The most bytes of a partition's name and of a sort key, and the deepest value.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MOST_PK_BYTES: usize = 2048;
const MOST_SK_BYTES: usize = 1024;
const MOST_LEVELS: usize = 32;
/// The most bytes of a condition, and the most operators and functions in it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_Scenario_ExpressionOperatorCounting_section.html>
const MOST_CONDITION_BYTES: usize = 4096;
const MOST_OPERATORS: usize = 300;

type Partition = BTreeMap<String, Arc<Item>>;

/// A records table. Clones are the same table.
#[derive(Clone)]
pub struct Memory {
    guarded: Arc<BTreeSet<String>>,
    paging: Paging,
    table: Arc<Mutex<Table>>,
}

/// How a partition is cut into pages.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// The most bytes of items in a page; one item is always taken.
    pub bytes: usize,
    /// The most items in a page, at least 1.
    pub items: usize,
    /// Whether every page is preceded by an empty one, as DynamoDB may answer.
    pub empty_first: bool,
    /// Whether a transaction names the positions of items that are too large.
    /// DynamoDB does so for some reasons and not for others.
    pub names_positions: bool,
}

impl Default for Paging {
    fn default() -> Self {
        Self { bytes: MOST_PAGE_BYTES, items: usize::MAX, empty_first: false, names_positions: false }
    }
}

/// What was used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls that write.
    pub writes: u64,
    /// Calls that read.
    pub reads: u64,
    /// Write capacity units: one for each begun KB of the larger of the old and
    /// the new item, two in a transaction; whoever fails a condition pays too.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
    pub write_units: u64,
}

#[derive(Default)]
struct Table {
    partitions: BTreeMap<String, Partition>,
    used: Used,
    /// Where the last page was left empty.
    emptied: HashSet<(String, Option<String>)>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("guarded", &self.guarded).field("paging", &self.paging).finish_non_exhaustive()
    }
}

impl Memory {
    /// An empty table. Guests may write the attributes that are named.
    pub fn new(guarded: &[&str]) -> Self {
        let guarded = guarded.iter().map(|name| (*name).to_owned()).collect();
        Self { guarded: Arc::new(guarded), paging: Paging::default(), table: Arc::default() }
    }

    /// The same table with other pages.
    pub fn with(self, paging: Paging) -> Self {
        Self { paging, ..self }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was used so far.
    pub fn used(&self) -> Used {
        self.table().used
    }

    /// All items in the order of their keys.
    pub fn items(&self) -> Vec<Arc<Item>> {
        self.table().partitions.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The items of a partition.
    pub fn partition(&self, pk: &str) -> Vec<Arc<Item>> {
        self.table().partitions.get(pk).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// An item as it is.
    pub fn get(&self, pk: &str, sk: &str) -> Option<Arc<Item>> {
        self.table().get(pk, sk).cloned()
    }

    /// Writes an item whatever stands there, as somebody with credentials of his
    /// own does. What stood there is returned.
    pub fn put(&self, item: Item) -> Option<Arc<Item>> {
        self.table().put(item)
    }

    /// Deletes an item whatever it is. What stood there is returned.
    pub fn delete(&self, pk: &str, sk: &str) -> Option<Arc<Item>> {
        self.table().delete(pk, sk)
    }
}

impl Store for Memory {
    async fn read(&self, pk: &str, sk: &str) -> Result<Option<Item>, ReadError> {
        let mut table = self.table();
        table.used.reads += 1;
        if !is_key(pk, sk) {
            return Err(ReadError("no key".into()));
        }
        Ok(table.get(pk, sk).map(|item| (**item).clone()))
    }

    async fn page(&self, pk: &str, after: Option<&str>) -> Result<Page, ReadError> {
        let mut table = self.table();
        table.used.reads += 1;
        if !is_key(pk, after.unwrap_or("any")) {
            return Err(ReadError("no key".into()));
        }
        // A page that begins at the beginning cannot be empty and go on: it would
        // have to name an item that it passed over.
        let place = (pk.to_owned(), after.map(str::to_owned));
        if self.paging.empty_first && after.is_some() && table.emptied.insert(place) {
            return Ok(Page { items: Vec::new(), next: after.map(str::to_owned) });
        }
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let Some(partition) = table.partitions.get(pk) else { return Ok(Page::default()) };
        let mut following = partition.range::<str, _>((start, Bound::Unbounded)).peekable();
        let (mut page, mut bytes, mut last) = (Page::default(), 0, None);
        while let Some((sk, item)) = following.peek() {
            bytes += item_bytes(item);
            let is_full = bytes > self.paging.bytes || page.items.len() >= self.paging.items;
            if is_full && !page.items.is_empty() {
                page.next = last;
                break;
            }
            page.items.push((***item).clone());
            last = Some((*sk).clone());
            following.next();
        }
        Ok(page)
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let mut table = self.table();
        table.used.writes += 1;
        match changes {
            [] => Ok(()),
            [change] => table.write_one(change, &self.guarded),
            changes => table.write_all(changes, &self.guarded, self.paging.names_positions),
        }
    }
}

impl Table {
    fn get(&self, pk: &str, sk: &str) -> Option<&Arc<Item>> {
        self.partitions.get(pk)?.get(sk)
    }

    fn put(&mut self, mut item: Item) -> Option<Arc<Item>> {
        item.values_mut().for_each(sort_sets);
        let (pk, sk) = key_of(&item).map(|(pk, sk)| (pk.to_owned(), sk.to_owned()))?;
        self.partitions.entry(pk).or_default().insert(sk, Arc::new(item))
    }

    fn delete(&mut self, pk: &str, sk: &str) -> Option<Arc<Item>> {
        let partition = self.partitions.get_mut(pk)?;
        let old = partition.remove(sk);
        if partition.is_empty() {
            self.partitions.remove(pk);
        }
        old
    }

    fn write_one(&mut self, change: &Change, guarded: &BTreeSet<String>) -> Result<(), WriteError> {
        let key = key_of(item_of(change)).filter(|(pk, sk)| is_key(pk, sk));
        let (Some((pk, sk)), true, true) = (key, is_writable(change, guarded), !is_too_large(change)) else {
            return Err(WriteError::Invalid(Vec::new()));
        };
        let found = self.get(pk, sk).cloned();
        let holds = holds(change, found.as_deref(), guarded);
        self.used.write_units += units(found.as_deref(), holds.then(|| new_of(change)).flatten());
        if holds {
            self.apply(change);
            return Ok(());
        }
        // As the adapter: a retry that meets its own write has succeeded.
        if found.as_deref().zip(new_of(change)).is_some_and(|(found, new)| same(found, new, &[])) {
            return Ok(());
        }
        Err(WriteError::Stale(vec![Stale { index: 0, found: found.map(|item| (*item).clone()) }]))
    }

    fn write_all(
        &mut self,
        changes: &[Change],
        guarded: &BTreeSet<String>,
        names_positions: bool,
    ) -> Result<(), WriteError> {
        if let Some(positions) = invalid(changes, guarded, names_positions) {
            return Err(WriteError::Invalid(positions));
        }
        let mut stale = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            let found = key_of(item_of(change)).and_then(|(pk, sk)| self.get(pk, sk)).cloned();
            self.used.write_units += 2 * units(found.as_deref(), new_of(change));
            if !holds(change, found.as_deref(), guarded) {
                // A removal in a transaction does not ask what it found.
                let told = !matches!(change, Change::Remove(_));
                stale.push(Stale { index, found: found.filter(|_| told).map(|item| (*item).clone()) });
            }
        }
        if !stale.is_empty() {
            return Err(WriteError::Stale(stale));
        }
        changes.iter().for_each(|change| self.apply(change));
        Ok(())
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(new) | Change::Replace { new, .. } => {
                self.put(new.clone());
            }
            Change::Remove(old) => {
                if let Some((pk, sk)) = key_of(old) {
                    self.delete(pk, sk);
                }
            }
        }
    }
}

/// The item that names the key: the new one, or the one that goes.
fn item_of(change: &Change) -> &Item {
    match change {
        Change::Create(item) | Change::Replace { new: item, .. } | Change::Remove(item) => item,
    }
}

fn old_of(change: &Change) -> Option<&Item> {
    match change {
        Change::Create(_) => None,
        Change::Replace { old, .. } | Change::Remove(old) => Some(old),
    }
}

fn new_of(change: &Change) -> Option<&Item> {
    match change {
        Change::Create(new) | Change::Replace { new, .. } => Some(new),
        Change::Remove(_) => None,
    }
}

/// Whether a change finds what it expects: every attribute that it knows, and
/// none of the guarded ones that it does not know.
fn holds(change: &Change, found: Option<&Item>, guarded: &BTreeSet<String>) -> bool {
    let (expected, found) = match (old_of(change), found) {
        (None, found) => return found.is_none(),
        (Some(_), None) => return false,
        (Some(expected), Some(found)) => (expected, found),
    };
    let is_same = |name: &String, value: &Value| found.get(name).is_some_and(|found| same_value(value, found));
    expected.iter().filter(|(name, _)| *name != PK && *name != SK).all(|(name, value)| is_same(name, value))
        && guarded.iter().filter(|name| !expected.contains_key(*name)).all(|name| !found.contains_key(name))
}

/// Why a transaction is never taken: the positions to blame, which may be none.
fn invalid(changes: &[Change], guarded: &BTreeSet<String>, names_positions: bool) -> Option<Vec<usize>> {
    let at = |is_bad: &dyn Fn(&Change) -> bool| -> Vec<usize> {
        changes.iter().enumerate().filter(|(_, change)| is_bad(change)).map(|(index, _)| index).collect()
    };
    if changes.len() > MOST_ACTIONS || !at(&|change| !is_writable(change, guarded)).is_empty() {
        return Some(Vec::new());
    }
    let large = at(&is_too_large);
    if !large.is_empty() {
        return Some(if names_positions { large } else { Vec::new() });
    }
    let keys: HashSet<_> = changes.iter().map(|change| key_of(item_of(change))).collect();
    let bytes: usize = changes.iter().map(|change| item_bytes(item_of(change))).sum();
    let lacks_key = |change: &Change| key_of(item_of(change)).is_none_or(|(pk, sk)| pk.is_empty() || sk.is_empty());
    if keys.len() < changes.len() || bytes > MOST_BYTES || changes.iter().any(lacks_key) {
        return Some(Vec::new());
    }
    let misnamed = at(&|change| key_of(item_of(change)).is_none_or(|(pk, sk)| !is_key(pk, sk)));
    (!misnamed.is_empty()).then_some(misnamed)
}

fn is_key(pk: &str, sk: &str) -> bool {
    (1..=MOST_PK_BYTES).contains(&pk.len()) && (1..=MOST_SK_BYTES).contains(&sk.len())
}

fn is_too_large(change: &Change) -> bool {
    new_of(change).is_some_and(|new| item_bytes(new) > MOST_ITEM_BYTES)
}

/// Whether DynamoDB reads the values and the condition at all.
fn is_writable(change: &Change, guarded: &BTreeSet<String>) -> bool {
    let values = new_of(change).into_iter().chain(old_of(change)).flat_map(Item::values);
    let is_readable = values.into_iter().all(|value| is_readable(value, 0));
    is_readable && old_of(change).is_none_or(|old| is_short(old, guarded))
}

/// Whether DynamoDB takes the condition that the adapter writes for an expected item.
fn is_short(old: &Item, guarded: &BTreeSet<String>) -> bool {
    let digits = |index: usize| index.to_string().len();
    let held = old.keys().filter(|name| *name != PK && *name != SK).count();
    let lacking = guarded.iter().filter(|name| !old.contains_key(*name)).count();
    let operators = 1 + 2 * (held + lacking);
    let held: usize = (0..held).map(|index| " AND #a = :a".len() + 2 * digits(index)).sum();
    let lacking: usize = (0..lacking).map(|index| " AND attribute_not_exists(#g)".len() + digits(index)).sum();
    operators <= MOST_OPERATORS && "attribute_exists(#pk)".len() + held + lacking <= MOST_CONDITION_BYTES
}

fn is_readable(value: &Value, level: usize) -> bool {
    let is_set = |members: &HashSet<&[u8]>, count: usize| count > 0 && members.len() == count;
    level < MOST_LEVELS
        && match value {
            Value::Ss(set) | Value::Ns(set) => is_set(&set.iter().map(String::as_bytes).collect(), set.len()),
            Value::Bs(set) => is_set(&set.iter().map(AsRef::as_ref).collect(), set.len()),
            Value::L(values) => values.iter().all(|value| is_readable(value, level + 1)),
            Value::M(members) => members.values().all(|value| is_readable(value, level + 1)),
            _ => true,
        }
}

/// Sets come back in an order of their own.
fn sort_sets(value: &mut Value) {
    match value {
        Value::Ss(set) => set.sort_unstable(),
        Value::Ns(set) => set.sort_by(|one, other| {
            let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
            number(one).total_cmp(&number(other))
        }),
        Value::Bs(set) => set.sort_by(|one, other| one.as_ref().cmp(other.as_ref())),
        Value::L(values) => values.iter_mut().for_each(sort_sets),
        Value::M(members) => members.values_mut().for_each(sort_sets),
        _ => {}
    }
}

fn units(old: Option<&Item>, new: Option<&Item>) -> u64 {
    let bytes = old.map_or(0, item_bytes).max(new.map_or(0, item_bytes));
    bytes.div_ceil(1024).max(1) as u64
}
