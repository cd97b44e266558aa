//! What has to be remembered between attaching and detaching.
//!
//! It is written before the pool is, so that an interruption loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::slot::Slot;

/// The version of the text that this build writes and reads.
const VERSION: u32 = 1;

/// What stood in a place of `LambdaConfig`, raw.
pub type Held = Map<String, Value>;

/// What is remembered of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The functions that were put into each place. While one is replaced by
    /// another both are here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ours: BTreeMap<Slot, BTreeSet<String>>,
    /// What stood in a place before, and is put back there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<Slot, Held>,
    /// While a write is under way: a fingerprint of each other setting before
    /// it. One that is found after an interruption tells what moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<BTreeMap<String, String>>,
}

/// What was remembered cannot be read by this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUnreadable;

#[derive(Serialize, Deserialize)]
struct Versioned {
    version: u32,
    #[serde(flatten)]
    rest: Value,
}

impl Memory {
    /// Reads what [`Self::text`] wrote.
    pub fn read(text: &str) -> Result<Self, MemoryUnreadable> {
        let versioned: Versioned = serde_json::from_str(text).map_err(|_| MemoryUnreadable)?;
        if versioned.version != VERSION {
            return Err(MemoryUnreadable);
        }
        serde_json::from_value(versioned.rest).map_err(|_| MemoryUnreadable)
    }

    /// One JSON document of at most `most` bytes where that can be: without the
    /// fingerprints if need be, which only make an interruption easier to judge.
    pub fn text(&self, most: usize) -> String {
        let written = self.written();
        if written.len() <= most || self.pending.is_none() {
            return written;
        }
        Self { pending: None, ..self.clone() }.written()
    }

    fn written(&self) -> String {
        let rest = serde_json::to_value(self).unwrap_or_default();
        serde_json::to_string(&Versioned { version: VERSION, rest }).unwrap_or_default()
    }

    /// Every function that was put into the pool.
    pub fn functions(&self) -> BTreeSet<&str> {
        self.ours.values().flatten().map(String::as_str).collect()
    }
}

impl fmt::Display for MemoryUnreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was remembered of this pool was written by another version")
    }
}

impl std::error::Error for MemoryUnreadable {}
