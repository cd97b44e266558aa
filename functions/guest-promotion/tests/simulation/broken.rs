//! A table that does not keep what it promises, each time in one way: with it a
//! mover makes the mistakes that the checker has to notice.

use std::collections::BTreeSet;

use records::memory::Memory;
use records::{Change, EXPIRES_AT, Item, PK, Page, ReadError, SK, Store, Value, WriteError, key_of, text};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// A record is deleted although the guest has changed it since.
    Guard,
    /// A record stays with the guest when the user gets it.
    Deletion,
    /// A record of the user's is overwritten.
    Overwriting,
    /// A guest who has an owner gets another.
    SecondOwner,
    /// A record of another tenant goes to the user instead of aside.
    Tenant,
    /// A record that has ended, or with a reserved name, goes to the user.
    Unfit,
    /// The user's record keeps the guest's end.
    End,
    /// What is set aside is not kept.
    Aside,
    /// Changes are written one by one: whoever dies in between leaves half.
    OneByOne,
    /// Pages lack a record.
    Page,
    /// Nobody is held back by another who moves.
    Ledger,
    /// A record loses an attribute on its way.
    Attribute,
    /// A record of one guest goes to a user who is not his owner.
    OtherUser,
}

/// A table with a break in it, or none.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) memory: Memory,
    pub(crate) is_broken: Option<Break>,
}

impl Store for Table {
    async fn read(&self, pk: &str, sk: &str) -> Result<Option<Item>, ReadError> {
        let mut found = self.memory.read(pk, sk).await?;
        if let Some(lease) = found.as_mut().filter(|_| self.is_broken == Some(Break::Ledger)).and_then(lease_of) {
            *lease = records::number(0);
        }
        Ok(found)
    }

    async fn page(&self, pk: &str, after: Option<&str>) -> Result<Page, ReadError> {
        let mut page = self.memory.page(pk, after).await?;
        if self.is_broken == Some(Break::Page) {
            page.items.retain(|item| !name(item).ends_with('7'));
        }
        Ok(page)
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let Some(is_broken) = self.is_broken else { return self.memory.write(changes).await };
        if is_broken == Break::OneByOne {
            for change in changes {
                self.memory.write(std::slice::from_ref(change)).await?;
            }
            return Ok(());
        }
        let owner = changes.iter().find_map(|change| match change {
            Change::Replace { new, .. } if name(new) == "PROMOTION" => Some(new.get("owner")?.as_s().ok()?.clone()),
            _ => None,
        });
        let mut changes: Vec<Change> =
            changes.iter().filter_map(|change| self.spoil(is_broken, change.clone(), owner.as_deref())).collect();
        // A spoilt write may name a key twice.
        let mut seen = BTreeSet::new();
        changes.retain(|change| seen.insert(key_of(item_of(change)).map(|(pk, sk)| (pk.to_owned(), sk.to_owned()))));
        self.memory.write(&changes).await
    }
}

impl Table {
    fn spoil(&self, is_broken: Break, change: Change, owner: Option<&str>) -> Option<Change> {
        let pk = key_of(item_of(&change)).map_or("", |(pk, _)| pk).to_owned();
        let (of_user, of_guest, aside) = (pk.starts_with("USER#"), pk.starts_with("GUEST#"), pk.starts_with("ASIDE#"));
        let there = |item: &Item| {
            let (pk, sk) = key_of(item)?;
            self.memory.get(pk, sk).map(|item| (*item).clone())
        };
        let whatever = |new: Item| match there(&new) {
            Some(old) => Change::Replace { old, new },
            None => Change::Create(new),
        };
        Some(match (is_broken, change) {
            (Break::Guard, Change::Remove(old)) if of_guest => Change::Remove(there(&old)?),
            (Break::Deletion, Change::Remove(_)) if of_guest && !self.memory.partition(&pk).len().is_multiple_of(3) => {
                return None;
            }
            (Break::Overwriting, Change::Create(new)) if of_user => whatever(new),
            (Break::SecondOwner, Change::Create(new)) if pk.starts_with("LEDGER#") => whatever(new),
            (Break::Tenant, Change::Create(new)) if aside && is_for(&new, &["other-tenant"]) => {
                given(&new, owner?).map(whatever)?
            }
            (Break::Unfit, Change::Create(new)) if aside && is_for(&new, &["expired", "reserved-name"]) => {
                given(&new, owner?).map(whatever)?
            }
            (Break::End, Change::Create(mut new)) if of_user => {
                new.insert(EXPIRES_AT.to_owned(), records::number(1));
                Change::Create(new)
            }
            (Break::Aside, Change::Create(_)) if aside => return None,
            (Break::Ledger, Change::Replace { new, .. }) if pk.starts_with("LEDGER#") => whatever(new),
            (Break::Attribute, Change::Create(mut new)) if of_user => {
                new.remove("tenant");
                Change::Create(new)
            }
            (Break::OtherUser, Change::Create(mut new)) if of_user && name(&new).ends_with('3') => {
                new.insert(PK.to_owned(), text("USER#bob"));
                Change::Create(new)
            }
            (_, change) => change,
        })
    }
}

fn lease_of(ledger: &mut Item) -> Option<&mut Value> {
    ledger.get_mut("lease_until")
}

fn name(item: &Item) -> &str {
    key_of(item).map_or("", |(_, name)| name)
}

fn is_for(aside: &Item, reasons: &[&str]) -> bool {
    aside.get("reason").and_then(|reason| reason.as_s().ok()).is_some_and(|reason| reasons.contains(&reason.as_str()))
}

/// What was to be set aside, as the user's.
fn given(aside: &Item, owner: &str) -> Option<Item> {
    let mut record = aside.get("record")?.as_m().ok()?.clone();
    record.insert(PK.to_owned(), text(format!("USER#{owner}")));
    record.remove(EXPIRES_AT);
    record.contains_key(SK).then_some(record)
}

fn item_of(change: &Change) -> &Item {
    match change {
        Change::Create(item) | Change::Replace { new: item, .. } | Change::Remove(item) => item,
    }
}
