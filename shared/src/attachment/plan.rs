//! What is written to attach, and what to detach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::compare::{Snapshot, fingerprints};
use super::document::{mfa_request, pool_request};
use super::memory::{Held, Memory};
use super::slot::{Slot, TriggerVersion, Wanted, arns};

/// What becomes of somebody else's trigger in a place that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It stays, and nothing is attached.
    Refuse,
    /// It is replaced, remembered, and put back when detaching.
    TakeOver,
}

/// What is to be done. Planning again after it was done plans nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The `UpdateUserPool` request; `None` when the triggers stand as they are
    /// wanted.
    pub update: Option<Value>,
    /// The request that undoes it.
    pub restore: Option<Value>,
    /// The triggers afterwards.
    pub triggers: Map<String, Value>,
    /// What is to be remembered before the pool is written.
    pub during: Memory,
    /// What is to be remembered afterwards; `None` when nothing is.
    pub afterwards: Option<Memory>,
    /// What changes, place by place.
    pub changes: Vec<Change>,
    /// Places that are left alone because what stands there is not ours.
    pub left: Vec<(Slot, String)>,
}

/// What changes in one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The place.
    pub slot: Slot,
    /// What stands there; empty when nothing does.
    pub before: Held,
    /// What will.
    pub after: Held,
    /// Whether what stands there is somebody else's, and is remembered.
    pub taken_over: bool,
}

/// Why nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else's triggers stand where ours would.
    ForeignTriggers(Vec<(Slot, String)>),
    /// The document has members that this build does not know how to send back.
    UnknownMembers {
        /// The operation that answered so.
        read_by: &'static str,
        /// Their names.
        names: Vec<String>,
    },
    /// What this operation answered is not a document of its kind.
    Unreadable(&'static str),
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ForeignTriggers(_) => "ForeignTriggers",
            Self::UnknownMembers { .. } => "UnknownMembers",
            Self::Unreadable(_) => "DocumentUnreadable",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignTriggers(places) => {
                let places: Vec<String> = places.iter().map(|(slot, arn)| format!("{slot} ({arn})")).collect();
                write!(
                    f,
                    "somebody else's triggers stand in the way: {}; take them over or remove them",
                    places.join(", ")
                )
            }
            Self::UnknownMembers { read_by, names } => {
                write!(
                    f,
                    "{read_by} answers with settings that this build cannot send back, so a write would lose them: {}",
                    names.join(", ")
                )
            }
            Self::Unreadable(read_by) => write!(f, "the answer of {read_by} is not what it should be"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Plans to put triggers in, and to take those out that were ours and are not
/// wanted any more.
pub fn attach(snapshot: &Snapshot, wanted: &Wanted, memory: &Memory, foreign: Foreign) -> Result<Plan, Refusal> {
    let mut merge = Merge::new(snapshot, wanted, memory);
    for slot in Slot::ALL {
        match wanted.held(slot) {
            Some(held) => merge.put_in(slot, held, foreign),
            None => merge.take_out(slot),
        }
    }
    let settled = |slot: &Slot, arn: &String| (*slot, BTreeSet::from([arn.clone()]));
    let ours = wanted.functions().iter().map(|(slot, arn)| settled(slot, arn)).collect();
    merge.plan(snapshot, Some(ours))
}

/// Plans to take triggers out and to put back what was there: `known` names
/// those that are ours, besides what is remembered.
pub fn detach(snapshot: &Snapshot, known: &Wanted, memory: &Memory) -> Result<Plan, Refusal> {
    let mut merge = Merge::new(snapshot, known, memory);
    for slot in Slot::ALL {
        merge.take_out(slot);
    }
    merge.plan(snapshot, None)
}

struct Merge {
    before: Map<String, Value>,
    triggers: Map<String, Value>,
    ours: BTreeMap<Slot, BTreeSet<String>>,
    /// What is remembered once the write is done, and until then.
    replaced: BTreeMap<Slot, Held>,
    replaced_during: BTreeMap<Slot, Held>,
    changes: Vec<Change>,
    left: Vec<(Slot, String)>,
    in_the_way: Vec<(Slot, String)>,
}

impl Merge {
    fn new(snapshot: &Snapshot, wanted: &Wanted, memory: &Memory) -> Self {
        let before = snapshot.triggers();
        let mut ours = memory.ours.clone();
        for (slot, arn) in wanted.functions() {
            ours.entry(*slot).or_default().insert(arn.clone());
        }
        let (replaced, replaced_during) = (memory.replaced.clone(), memory.replaced.clone());
        let (changes, left, in_the_way) = (Vec::new(), Vec::new(), Vec::new());
        Self { triggers: before.clone(), before, ours, replaced, replaced_during, changes, left, in_the_way }
    }

    /// Whether all that a place names are functions of ours.
    fn is_ours(&self, slot: Slot, held: &Held) -> bool {
        let ours = self.ours.get(&slot);
        let named = arns(held);
        !named.is_empty() && named.iter().all(|arn| ours.is_some_and(|ours| ours.contains(*arn)))
    }

    fn put_in(&mut self, slot: Slot, wanted: Held, foreign: Foreign) {
        let held = slot.held(&self.before);
        if satisfies(&held, &wanted) {
            return;
        }
        let taken_over = !held.is_empty() && !self.is_ours(slot, &held);
        if taken_over && foreign == Foreign::Refuse {
            self.in_the_way.push((slot, arns(&held).first().copied().unwrap_or_default().to_owned()));
            return;
        }
        for replaced in [&mut self.replaced, &mut self.replaced_during] {
            if taken_over {
                replaced.insert(slot, held.clone());
            } else if held.is_empty() {
                // What was remembered is gone from the pool, by somebody's will.
                replaced.remove(&slot);
            }
        }
        self.change(slot, wanted, taken_over);
    }

    fn take_out(&mut self, slot: Slot) {
        let held = slot.held(&self.before);
        // Until the write is done it may still be needed, so not from the other.
        let replaced = self.replaced.remove(&slot).unwrap_or_default();
        if self.is_ours(slot, &held) {
            self.change(slot, replaced, false);
        } else if self.ours.contains_key(&slot) && held != replaced {
            self.left.push((slot, arns(&held).first().copied().unwrap_or_default().to_owned()));
        }
    }

    fn change(&mut self, slot: Slot, after: Held, taken_over: bool) {
        let before = slot.held(&self.before);
        slot.put(&mut self.triggers, after.clone());
        self.changes.push(Change { slot, before, after, taken_over });
    }

    fn plan(self, snapshot: &Snapshot, settled: Option<BTreeMap<Slot, BTreeSet<String>>>) -> Result<Plan, Refusal> {
        if !self.in_the_way.is_empty() {
            return Err(Refusal::ForeignTriggers(self.in_the_way));
        }
        let (mut update, mut restore) = (None, None);
        if !self.changes.is_empty() {
            update = Some(pool_request(&snapshot.pool, &self.triggers)?);
            restore = Some(pool_request(&snapshot.pool, &self.before)?);
            // It could not be put back, should the update move it.
            mfa_request("", &snapshot.mfa)?;
        }
        let pending = update.is_some().then(|| fingerprints(snapshot));
        let afterwards = settled.map(|ours| Memory { ours, replaced: self.replaced, pending: None });
        let during = Memory { ours: self.ours, replaced: self.replaced_during, pending };
        Ok(Plan {
            update,
            restore,
            triggers: self.triggers,
            during,
            afterwards,
            changes: self.changes,
            left: self.left,
        })
    }
}

/// A token trigger without a version has the first.
fn satisfies(held: &Held, wanted: &Held) -> bool {
    let mut first = wanted.clone();
    let version = wanted.get("PreTokenGenerationConfig").and_then(|config| config.get("LambdaVersion"));
    if version.and_then(Value::as_str) == Some(TriggerVersion::V1.as_str()) {
        first.remove("PreTokenGenerationConfig");
    }
    held == wanted || *held == first
}
