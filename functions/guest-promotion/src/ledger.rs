//! The ledger: who owns a guest, and how far his promotion has come.
//!
//! There is one entry a guest, and it is never deleted once a record has moved:
//! one guest, one owner, for ever. Every change of it names the entry as it was
//! read, so of two who change it at the same time one learns that he was late.

use records::{Item, PK, PROMOTION, SK, Value, ledger, number, text};
use shared::guests::IdentityId;
use shared::names::{Subject, TenantId};

/// The form of the entries that this build writes and reads.
const FORMAT: u64 = 1;

/// How long a mover may be silent before another one takes over, in seconds. It
/// only keeps two from getting into each other's way; what must hold, holds
/// because each write names the entry as it was.
pub const LEASE_S: u64 = 20;

/// A guest's promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The guest.
    pub guest: IdentityId,
    /// The user who gets everything.
    pub owner: Subject,
    /// The tenant in which the user acted when he claimed the guest.
    pub tenant: Option<TenantId>,
    /// How far it has come.
    pub state: State,
    /// The user's identity, once Cognito has said which one it is.
    pub identity: Option<IdentityId>,
    /// When the guest was claimed, in seconds since 1970.
    pub claimed_at: u64,
    /// When everything had moved, in seconds since 1970.
    pub finished_at: Option<u64>,
    /// Whoever moves now.
    pub mover: String,
    /// Until when nobody else moves, in seconds since 1970.
    pub lease_until: u64,
    /// Rises with every change.
    pub revision: u64,
    /// What has moved until it was finished.
    pub counts: Counts,
    /// The records that came after that and followed the others.
    pub late: u64,
    /// Whether the event of this promotion is on its way.
    pub announced: bool,
    /// Whether the guest's merged identity still has to be deleted.
    pub deletes_identity: bool,
}

/// How far a promotion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The guest is taken; his login is not linked yet. Nothing has moved.
    Claimed,
    /// Records move, or could.
    Moving,
    /// Everything has moved. What the guest writes now follows.
    Done,
}

/// How many records went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Given to the user under their own names.
    pub moved: u64,
    /// Given to the user under another name, beside his own.
    pub renamed: u64,
    /// Given to the user in place of his own, which were set aside.
    pub replaced: u64,
    /// Not given, because the user had the very same.
    pub same: u64,
    /// Not given and set aside.
    pub set_aside: u64,
}

impl Counts {
    /// These and those together.
    pub fn and(self, more: Self) -> Self {
        Self {
            moved: self.moved.saturating_add(more.moved),
            renamed: self.renamed.saturating_add(more.renamed),
            replaced: self.replaced.saturating_add(more.replaced),
            same: self.same.saturating_add(more.same),
            set_aside: self.set_aside.saturating_add(more.set_aside),
        }
    }

    fn total(self) -> u64 {
        [self.moved, self.renamed, self.replaced, self.same, self.set_aside].into_iter().fold(0, u64::saturating_add)
    }
}

/// An entry that this build does not understand. Nothing may be done about that
/// guest until somebody has looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt(pub &'static str);

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the entry has no usable {}", self.0)
    }
}

impl std::error::Error for Corrupt {}

impl Ledger {
    /// A guest who was just claimed.
    pub fn claimed(guest: IdentityId, owner: Subject, tenant: Option<TenantId>, mover: String, now: u64) -> Self {
        Self {
            guest,
            owner,
            tenant,
            state: State::Claimed,
            identity: None,
            claimed_at: now,
            finished_at: None,
            mover,
            lease_until: now.saturating_add(LEASE_S),
            revision: 0,
            counts: Counts::default(),
            late: 0,
            announced: false,
            deletes_identity: false,
        }
    }

    /// Whether another mover may be at work. A lease that ends further away than
    /// any lease does was given by a clock that has jumped, and is none.
    pub fn is_held(&self, now: u64) -> bool {
        now < self.lease_until && self.lease_until <= now.saturating_add(LEASE_S)
    }

    /// The next revision, held by `mover`.
    pub fn held_by(&self, mover: &str, now: u64) -> Self {
        self.next(|next| {
            next.mover = mover.to_owned();
            next.lease_until = now.saturating_add(LEASE_S);
        })
    }

    /// The next revision, after these records went where they belong.
    pub fn after(&self, counts: Counts, now: u64) -> Self {
        self.next(|next| {
            match next.state {
                State::Done => next.late = next.late.saturating_add(counts.total()),
                State::Claimed | State::Moving => next.counts = next.counts.and(counts),
            }
            next.lease_until = now.saturating_add(LEASE_S);
        })
    }

    /// The next revision, changed in this way.
    pub fn next(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        next.revision = next.revision.saturating_add(1);
        change(&mut next);
        next
    }

    /// The entry as it is kept.
    pub fn to_item(&self) -> Item {
        let mut item = Item::from([
            (PK.to_owned(), text(ledger(&self.guest))),
            (SK.to_owned(), text(PROMOTION)),
            ("format".to_owned(), number(FORMAT)),
            ("owner".to_owned(), text(self.owner.as_str())),
            ("state".to_owned(), text(self.state.code())),
            ("claimed_at".to_owned(), number(self.claimed_at)),
            ("mover".to_owned(), text(&self.mover)),
            ("lease_until".to_owned(), number(self.lease_until)),
            ("revision".to_owned(), number(self.revision)),
            ("moved".to_owned(), number(self.counts.moved)),
            ("renamed".to_owned(), number(self.counts.renamed)),
            ("replaced".to_owned(), number(self.counts.replaced)),
            ("same".to_owned(), number(self.counts.same)),
            ("set_aside".to_owned(), number(self.counts.set_aside)),
            ("late".to_owned(), number(self.late)),
            ("announced".to_owned(), Value::Bool(self.announced)),
            ("deletes_identity".to_owned(), Value::Bool(self.deletes_identity)),
        ]);
        let optional = [
            ("owners_tenant", self.tenant.as_ref().map(|tenant| text(tenant.as_str()))),
            ("identity", self.identity.as_ref().map(|identity| text(identity.as_str()))),
            ("finished_at", self.finished_at.map(number)),
        ];
        item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        item
    }

    /// Reads an entry.
    pub fn from_item(guest: &IdentityId, item: &Item) -> Result<Self, Corrupt> {
        let entry = Entry(item);
        if entry.number("format")? != FORMAT {
            return Err(Corrupt("format"));
        }
        let state = State::parse(entry.text("state")?).ok_or(Corrupt("state"))?;
        let ledger = Self {
            guest: guest.clone(),
            owner: Subject::parse(entry.text("owner")?).ok_or(Corrupt("owner"))?,
            tenant: entry.optional("owners_tenant", TenantId::parse)?,
            state,
            identity: entry.optional("identity", IdentityId::parse)?,
            claimed_at: entry.number("claimed_at")?,
            finished_at: item.get("finished_at").map(|_| entry.number("finished_at")).transpose()?,
            mover: entry.text("mover")?.to_owned(),
            lease_until: entry.number("lease_until")?,
            revision: entry.number("revision")?,
            counts: Counts {
                moved: entry.number("moved")?,
                renamed: entry.number("renamed")?,
                replaced: entry.number("replaced")?,
                same: entry.number("same")?,
                set_aside: entry.number("set_aside")?,
            },
            late: entry.number("late")?,
            announced: entry.flag("announced")?,
            deletes_identity: entry.flag("deletes_identity")?,
        };
        if ledger.state != State::Claimed && ledger.identity.is_none() {
            return Err(Corrupt("identity"));
        }
        if (ledger.state == State::Done) != ledger.finished_at.is_some() {
            return Err(Corrupt("finished_at"));
        }
        Ok(ledger)
    }
}

impl State {
    fn code(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Moving => "moving",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Claimed, Self::Moving, Self::Done].into_iter().find(|state| state.code() == text)
    }
}

struct Entry<'a>(&'a Item);

impl Entry<'_> {
    fn text(&self, name: &'static str) -> Result<&str, Corrupt> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(Corrupt(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, Corrupt> {
        let found = self.0.get(name).and_then(|value| value.as_n().ok());
        found.and_then(|number| number.parse().ok()).ok_or(Corrupt(name))
    }

    fn flag(&self, name: &'static str) -> Result<bool, Corrupt> {
        self.0.get(name).and_then(|value| value.as_bool().ok()).copied().ok_or(Corrupt(name))
    }

    fn optional<T>(&self, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Corrupt> {
        match self.0.get(name) {
            None => Ok(None),
            Some(_) => parse(self.text(name)?).map(Some).ok_or(Corrupt(name)),
        }
    }
}

#[cfg(test)]
mod tests;
