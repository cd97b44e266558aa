//! The records table: what guests and users keep, changed one whole item at a time.
//!
//! | item | `pk` | `sk` |
//! | --- | --- | --- |
//! | a guest's record | `GUEST#<identity>` | its name |
//! | a user's record | `USER#<sub>` | its name |
//! | a promotion | `LEDGER#<identity>` | `PROMOTION` |
//! | a guest's claim secret | `LEDGER#<identity>` | `SECRET` |
//! | an idempotency key | `KEYS#<sub>` | the key |
//! | a record that was set aside | `ASIDE#<identity>` | reason and number |
//!
//! Guests and users reach the first two with credentials of their own, each only
//! his own partition; nobody's credentials but the functions' reach the others.
//!
//! Every write here is a [`Change`]: it names the item as it is expected to be,
//! and holds only if it is. So nothing that somebody wrote in between is lost,
//! whoever that was. An item that does not have its expected shape is an error,
//! never a guess.

mod change;
mod expire;
#[cfg(feature = "testing")]
pub mod faulty;
mod item;
mod keys;
#[cfg(feature = "testing")]
pub mod memory;
#[cfg(feature = "testing")]
pub mod schedule;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

mod aws;

pub use aws::Records;
pub use change::{Change, Page, ReadError, Stale, WriteError};
pub use expire::{Expiry, ends_at};
pub use item::{Item, Value, item_bytes, key_of, number, same, text};
pub use keys::{EXPIRES_AT, PK, PROMOTION, SK, aside, guest, keys, ledger, user};
pub use store::{MOST_ACTIONS, MOST_BYTES, MOST_ITEM_BYTES, Store};

/// The IAM actions behind each entry point, for the function that uses it.
///
/// A transaction has no action of its own: each of its parts needs the one of
/// the single call.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
pub mod actions {
    /// [`Store::read`](crate::Store::read).
    pub const READ: &[&str] = &["dynamodb:GetItem"];
    /// [`Store::page`](crate::Store::page).
    pub const PAGE: &[&str] = &["dynamodb:Query"];
    /// [`Store::write`](crate::Store::write).
    pub const WRITE: &[&str] = &["dynamodb:DeleteItem", "dynamodb:PutItem"];
    /// Setting when an item ends.
    pub const EXPIRE: &[&str] = &["dynamodb:UpdateItem"];
}
