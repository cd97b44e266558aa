//! Changes of whole items, and what can become of them.

use std::error::Error;
use std::fmt;

use crate::Item;

/// A change of one item, which holds only if the item is as it is expected to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Writes an item where there is none of its key.
    Create(Item),
    /// Writes `new` in place of `old`, which has the same key.
    Replace {
        /// The item as it was read.
        old: Item,
        /// The item as it is to be.
        new: Item,
    },
    /// Deletes an item that is still as it was read.
    Remove(Item),
}

/// A change that did not find what it expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
    /// Its position among the changes, from 0.
    pub index: usize,
    /// What stands there instead; `None` when nothing does, or it was not said.
    pub found: Option<Item>,
}

/// Why changes were not written. Except after [`WriteError::Unknown`], nothing
/// was.
#[derive(Debug)]
pub enum WriteError {
    /// These did not find what they expected; at least one.
    Stale(Vec<Stale>),
    /// Others wrote at the same time, or the table is busy. Trying again may help.
    Busy,
    /// The table takes these changes never, for instance because an item is too
    /// large. Positions are those that it names; empty when it names none.
    Invalid(Vec<usize>),
    /// No answer came: all may be written or nothing.
    Unknown(Box<dyn Error + Send + Sync>),
}

/// Why something could not be read. Trying again may help.
#[derive(Debug)]
pub struct ReadError(pub Box<dyn Error + Send + Sync>);

/// A part of a partition, in the order of the sort key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The items; there may be none although more follow.
    pub items: Vec<Item>,
    /// The sort key to go on after; `None` on the last page.
    pub next: Option<String>,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale(stale) => write!(f, "{} records were changed in the meantime", stale.len()),
            Self::Busy => f.write_str("the table is busy"),
            Self::Invalid(_) => f.write_str("the table does not take these changes"),
            Self::Unknown(_) => f.write_str("it is not known whether the changes were written"),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unknown(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the records cannot be read")
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}
