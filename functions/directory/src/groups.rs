//! The groups of the user pool, which a newcomer joins before the profile is
//! written.

use std::collections::BTreeSet;
use std::error;
use std::fmt;

use futures_util::future::join_all;

/// A user as the pool names him.
#[derive(Clone, Copy, Debug)]
pub struct PoolUser<'a> {
    /// The pool.
    pub pool_id: &'a str,
    /// The user's name in it, not the `sub`.
    pub name: &'a str,
}

/// The groups of a user pool.
pub trait Groups {
    /// Adds a user to a group; a user who is in it already stays there.
    fn add(&self, user: PoolUser<'_>, group: &str) -> impl Future<Output = Result<(), AddError>> + Send;
}

/// Why a user is not in a group.
#[derive(Debug)]
pub struct AddError {
    group: String,
    reason: AddFailure,
    cause: Box<dyn error::Error + Send + Sync>,
}

/// What kept a user out of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddFailure {
    /// The pool has no such group.
    GroupMissing,
    /// The pool has no such user.
    UserMissing,
    /// The pool did not answer, or refused the call.
    Unreachable,
}

impl AddError {
    /// The failure to add to this group.
    pub fn new(group: &str, reason: AddFailure, cause: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self { group: group.to_owned(), reason, cause: cause.into() }
    }

    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self.reason {
            AddFailure::GroupMissing => "GroupMissing",
            AddFailure::UserMissing => "UserMissing",
            AddFailure::Unreachable => "PoolUnreachable",
        }
    }

    /// Whether the same call could end otherwise. A group that the pool does not
    /// have must not keep a user waiting for what others gave.
    fn may_pass(&self) -> bool {
        self.reason != AddFailure::GroupMissing
    }
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the user was not added to group {}", self.group)
    }
}

impl error::Error for AddError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// What became of the groups so far. No group is tried twice.
#[derive(Debug)]
pub(crate) struct Joining<'a, G> {
    groups: &'a G,
    user: PoolUser<'a>,
    tried: BTreeSet<String>,
    pub(crate) joined: Vec<String>,
    pub(crate) failed: Vec<AddError>,
}

impl<'a, G: Groups> Joining<'a, G> {
    pub(crate) fn new(groups: &'a G, user: PoolUser<'a>) -> Self {
        Self { groups, user, tried: BTreeSet::new(), joined: Vec::new(), failed: Vec::new() }
    }

    /// Adds the user side by side to all that were not tried yet: the failure of
    /// one must not cost the user another.
    pub(crate) async fn join(&mut self, names: &[String]) {
        let new: Vec<&String> = names.iter().filter(|name| self.tried.insert((*name).clone())).collect();
        let ended = join_all(new.iter().map(|name| self.groups.add(self.user, name))).await;
        for (name, ended) in new.into_iter().zip(ended) {
            match ended {
                Ok(()) => self.joined.push(name.clone()),
                Err(error) => self.failed.push(error),
            }
        }
    }

    /// Whether a later attempt might add what this one could not.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.failed.iter().any(AddError::may_pass)
    }
}
