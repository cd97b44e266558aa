//! Ends of items: what has not ended yet, and setting an end.

use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput};

use crate::aws::{failure, page_of};
use crate::{EXPIRES_AT, Item, PK, Page, ReadError, Records, SK, Value, WriteError, number, text};

/// What became of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The item has it.
    Set,
    /// The item is gone, or its end is not as it was read.
    Changed,
}

/// When an item ends, in seconds since 1970; `None` when it has no end that
/// DynamoDB would obey.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
pub fn ends_at(item: &Item) -> Option<u64> {
    item.get(EXPIRES_AT)?.as_n().ok()?.parse().ok()
}

impl Records {
    /// Like [`Store::page`](crate::Store::page), without the items that have ended by `now`:
    /// DynamoDB may take days to delete them.
    pub async fn living(&self, pk: &str, after: Option<&str>, now: u64) -> Result<Page, ReadError> {
        let call = self
            .query(pk, after)
            .filter_expression("attribute_not_exists(#expires_at) OR NOT #expires_at <= :now")
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_values(":now", number(now));
        page_of(self.client.send(call.build()).await.map_err(|error| ReadError(error.into()))?)
    }

    /// Gives an item an end, if it is still there and the end that it has is
    /// `known`; `None` when it was read without one.
    ///
    /// Nothing is written where the item is gone: an update would bring a new one
    /// into being.
    pub async fn expire(
        &self,
        (pk, sk): (&str, &str),
        known: Option<&Value>,
        expires_at: u64,
    ) -> Result<Expiry, WriteError> {
        let call = UpdateItemInput::builder()
            .table_name(&self.table)
            .key(PK, text(pk))
            .key(SK, text(sk))
            .update_expression("SET #expires_at = :expires_at")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_values(":expires_at", number(expires_at));
        let call = match known {
            None => call.condition_expression("attribute_exists(#pk) AND attribute_not_exists(#expires_at)"),
            Some(known) => call
                .condition_expression("attribute_exists(#pk) AND #expires_at = :known")
                .expression_attribute_values(":known", known.clone()),
        };
        let Err(error) = self.client.send(call.build()).await else { return Ok(Expiry::Set) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Expiry::Changed),
            _ => Err(failure(error)),
        }
    }
}
