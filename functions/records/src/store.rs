//! What is asked of the table.

use crate::{Change, Item, Page, ReadError, WriteError};

/// The most actions that DynamoDB takes in one transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_ACTIONS: usize = 100;

/// The most bytes that all items of one transaction may have together.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The most bytes that one item may have, its names included.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MOST_ITEM_BYTES: usize = 400 * 1024;

/// The records table, as far as a mover needs it. Reads are strongly consistent.
pub trait Store {
    /// The item of this key; `None` when there is none.
    fn read(&self, pk: &str, sk: &str) -> impl Future<Output = Result<Option<Item>, ReadError>> + Send;

    /// The items of a partition after a sort key, or from the beginning.
    fn page(&self, pk: &str, after: Option<&str>) -> impl Future<Output = Result<Page, ReadError>> + Send;

    /// Writes all of these changes or none of them. They name each key once.
    fn write(&self, changes: &[Change]) -> impl Future<Output = Result<(), WriteError>> + Send;
}
