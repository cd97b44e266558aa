//! What is written for each record of a guest.

use records::{
    Change, EXPIRES_AT, Item, MOST_ITEM_BYTES, PK, SK, Value, aside, item_bytes, key_of, number, same, text,
};
use shared::guests::{
    Disposition, Facts, GuestRules, Pair, Reason, Record, Resolution, TenantTag, dispose, renamed, resolve,
};

use crate::ledger::{Counts, Ledger};

/// The attribute that tags a record with a tenant.
const TENANT: &str = "tenant";

/// One record of a guest, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move {
    /// As the guest has it.
    source: Item,
    /// As the user gets it; `None` when he does not.
    gives: Option<Item>,
    /// The user's own record, in whose place it comes.
    replaces: Option<Item>,
    /// What is set aside, and why.
    aside: Option<(Reason, Item)>,
    counts: Counts,
    /// How many further names were tried.
    renamings: u32,
    /// Whether it is written apart from others, because together the table did
    /// not take them.
    pub(crate) alone: bool,
}

/// What a change of a move is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The record in the user's partition.
    Gift,
    /// What is set aside.
    Aside,
    /// The record in the guest's partition.
    Source,
}

/// A record that cannot be moved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stuck {
    /// Its name, for whoever has to look at it.
    pub(crate) name: String,
    /// As the guest has it.
    pub(crate) source: Item,
}

impl Stuck {
    /// Whether it has an end after this time, in seconds since 1970.
    pub(crate) fn ends_after(&self, time: u64) -> bool {
        whole(self.source.get(EXPIRES_AT)).is_some_and(|end| end > time)
    }
}

impl Move {
    /// Plans a record's way, as if the user had none of its name.
    pub(crate) fn plan(ledger: &Ledger, source: Item) -> Result<Self, Stuck> {
        let Some((_, name)) = key_of(&source) else {
            // The table's keys are texts, so this is no record of it.
            return Err(Stuck { name: "?".to_owned(), source });
        };
        let record = Record { name, tenant: tenant_tag(&source), expires_at: whole(source.get(EXPIRES_AT)) };
        let facts = Facts { tenant: ledger.tenant.as_ref(), claimed_at: ledger.claimed_at };
        let plain = |source| Self {
            source,
            gives: None,
            replaces: None,
            aside: None,
            counts: Counts::default(),
            renamings: 0,
            alone: false,
        };
        let planned = match dispose(record, facts) {
            Disposition::Drop => plain(source),
            Disposition::SetAside(reason) => plain(source).set_aside(reason),
            Disposition::Give => {
                let gives = gift(ledger, &source);
                Self { gives: Some(gives), counts: Counts { moved: 1, ..Counts::default() }, ..plain(source) }
            }
        };
        planned.fitting()
    }

    /// Plans it anew, now that the user has a record of its name.
    pub(crate) fn beside(self, rules: &GuestRules, ledger: &Ledger, users: Item) -> Result<Self, Stuck> {
        let Some(gives) = self.gives.clone() else { return Ok(self) };
        let newer_by = |item: &Item| {
            let name = rules.newer_by.as_deref()?;
            item.get(name)?.as_n().ok().cloned()
        };
        let (of_guest, of_user) = (newer_by(&gives), newer_by(&users));
        let same = same(&gives, &users, &[PK, SK]);
        let bare = Self { gives: None, replaces: None, aside: None, ..self };
        let planned = match resolve(rules, Pair { same, guests: of_guest.as_deref(), users: of_user.as_deref() }) {
            Resolution::One => Self { counts: Counts { same: 1, ..Counts::default() }, ..bare },
            Resolution::UsersStays => bare.set_aside(Reason::UsersStays),
            Resolution::Replace => Self {
                aside: Some((Reason::Replaced, users.clone())),
                gives: Some(gives),
                replaces: Some(users),
                counts: Counts { replaced: 1, ..Counts::default() },
                ..bare
            },
            Resolution::Rename => bare.rename(ledger, gives),
        };
        planned.fitting()
    }

    fn rename(self, ledger: &Ledger, mut gives: Item) -> Self {
        let renamings = self.renamings.saturating_add(1);
        let name = renamed(self.name(), &ledger.guest, renamings);
        match name {
            None => self.set_aside(Reason::NoName),
            Some(name) => {
                gives.insert(SK.to_owned(), text(name));
                Self { gives: Some(gives), renamings, counts: Counts { renamed: 1, ..Counts::default() }, ..self }
            }
        }
    }

    fn set_aside(self, reason: Reason) -> Self {
        let aside = Some((reason, self.source.clone()));
        Self { gives: None, replaces: None, aside, counts: Counts { set_aside: 1, ..Counts::default() }, ..self }
    }

    /// Plans to leave the user's record where it is, because the table does not
    /// take that it gives way: it may be too large to be set aside, or have too
    /// many attributes to be compared. `Err` when it was not to give way.
    pub(crate) fn beside_what_stays(self) -> Result<Self, Box<Self>> {
        if self.replaces.is_some() { Ok(self.set_aside(Reason::UsersStays)) } else { Err(Box::new(self)) }
    }

    /// Refuses what DynamoDB would refuse, before anything is sent.
    fn fitting(self) -> Result<Self, Stuck> {
        let too_large = self.gives.as_ref().is_some_and(|item| item_bytes(item) > MOST_ITEM_BYTES);
        if too_large { Err(self.stuck()) } else { Ok(self) }
    }

    /// Gives it up.
    pub(crate) fn stuck(self) -> Stuck {
        Stuck { name: self.name().to_owned(), source: self.source }
    }

    /// The name under which the guest has it.
    pub(crate) fn name(&self) -> &str {
        key_of(&self.source).map_or("?", |(_, name)| name)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// What is written. What is set aside gets a place that no other has, by the
    /// revision of the ledger with which it goes and its number among those.
    pub(crate) fn changes(&self, rules: &GuestRules, ledger: &Ledger, number_in_write: usize) -> Vec<(Part, Change)> {
        let gift = match (&self.gives, &self.replaces) {
            (Some(new), Some(old)) => Some(Change::Replace { old: old.clone(), new: new.clone() }),
            (Some(new), None) => Some(Change::Create(new.clone())),
            (None, _) => None,
        };
        let aside = self
            .aside
            .as_ref()
            .map(|(reason, record)| Change::Create(aside_item(rules, ledger, number_in_write, *reason, record)));
        let parts =
            [(Part::Gift, gift), (Part::Aside, aside), (Part::Source, Some(Change::Remove(self.source.clone())))];
        parts.into_iter().filter_map(|(part, change)| Some((part, change?))).collect()
    }

    /// The bytes of its changes in a transaction, and how many there are.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let bytes = |item: &Option<Item>| item.as_ref().map(item_bytes);
        let parts = [bytes(&self.gives), self.aside.as_ref().map(|(_, item)| ASIDE_BYTES + item_bytes(item))];
        let given = parts.into_iter().flatten();
        (given.clone().sum::<usize>() + item_bytes(&self.source), given.count() + 1)
    }
}

/// The user's record: the guest's under the user's key, without an end.
fn gift(ledger: &Ledger, source: &Item) -> Item {
    let mut gives = source.clone();
    gives.remove(EXPIRES_AT);
    gives.insert(PK.to_owned(), text(records::user(&ledger.owner)));
    gives
}

/// The most that is around a record that is set aside.
const ASIDE_BYTES: usize = 2_048;

/// A record out of everybody's reach, whole and under its own names.
fn aside_item(rules: &GuestRules, ledger: &Ledger, number_in_write: usize, reason: Reason, record: &Item) -> Item {
    let end = ledger.claimed_at.saturating_add(rules.aside_days.saturating_mul(24 * 60 * 60));
    Item::from([
        (PK.to_owned(), text(aside(&ledger.guest))),
        (SK.to_owned(), text(format!("{:010}-{number_in_write:02}", ledger.revision))),
        ("reason".to_owned(), text(reason.code())),
        ("record".to_owned(), Value::M(record.clone())),
        (EXPIRES_AT.to_owned(), number(end)),
    ])
}

fn tenant_tag(item: &Item) -> TenantTag<'_> {
    match item.get(TENANT) {
        None => TenantTag::None,
        Some(Value::S(tenant)) => TenantTag::Named(tenant),
        Some(_) => TenantTag::Unreadable,
    }
}

/// A whole number; an end that is none is no end, as for DynamoDB.
fn whole(value: Option<&Value>) -> Option<u64> {
    value?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
