//! The old system as a table of exported users.
//!
//! | attribute | type | |
//! | --- | --- | --- |
//! | `name` | S, hash key | a sign-in name, as [`sign_in_key`](shared::migration::sign_in_key) writes it |
//! | `id` | S, range key | the user's id in the old system |
//! | `record` | S | the JSON of a [`LegacyUser`] |
//! | `imported_at` | N | when it was written, in seconds since 1970 |
//! | `migrated_at` | N | when the user was last moved in; it informs and decides nothing |
//!
//! A user with several sign-in names has a row for each.

mod aws;

pub(crate) use aws::LegacyTable;

use std::sync::Arc;

use shared::migration::{Found, LegacyId, LegacyUser, Proof};
use shared::password::Password;

use crate::hashing::Hashing;
use crate::{LegacyDirectory, LookupError, OldAnswer, Question};

/// More text than a record of the importer ever has.
const LONGEST_RECORD: usize = 64 * 1024;

/// A table of exported users, and what compares their passwords.
#[derive(Clone)]
pub struct TableDirectory {
    table: LegacyTable,
    hashing: Hashing,
}

/// A row as it stands in the table.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) record: Option<String>,
}

impl TableDirectory {
    /// A directory in this table.
    pub fn new(table: LegacyTable, hashing: Hashing) -> Self {
        Self { table, hashing }
    }
}

impl LegacyDirectory for TableDirectory {
    async fn find(&self, question: Question<'_>) -> Result<OldAnswer, LookupError> {
        let found = self.table.rows(question.key).await.map(|rows| the_user(&rows));
        let proof = match question.password {
            None => Proof::Unchecked,
            // Before looking at what was found, so that every answer takes as long.
            Some(password) => self.hashing.check(hash_of(&found), password).await?,
        };
        Ok(OldAnswer { found: found?, proof })
    }

    async fn pretend(&self, password: &Arc<Password>) {
        drop(self.hashing.check(None, password).await);
    }

    async fn note_moved(&self, key: &str, id: &LegacyId, now: u64) -> Result<(), LookupError> {
        self.table.mark(key, id.as_str(), now).await
    }
}

fn hash_of(found: &Result<Found, LookupError>) -> Option<String> {
    match found {
        Ok(Found::One(user)) => user.hash.clone(),
        Ok(Found::Nobody | Found::Several | Found::Unreadable) | Err(_) => None,
    }
}

fn the_user(rows: &[Row]) -> Found {
    match rows {
        [] => Found::Nobody,
        [row] => read(row).map_or(Found::Unreadable, Found::One),
        [_, ..] => Found::Several,
    }
}

/// The user of a row. A record that is about somebody else is none.
fn read(row: &Row) -> Option<LegacyUser> {
    let record = row.record.as_deref().filter(|record| record.len() <= LONGEST_RECORD)?;
    let user: LegacyUser = serde_json::from_str(record).ok()?;
    (user.id.as_str() == row.id).then_some(user)
}

#[cfg(test)]
mod tests;
