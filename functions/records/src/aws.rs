//! The records table in DynamoDB.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput};
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput};
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput};
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use shell::aws::{BuildError, Client, Pace, SdkError, token};

use crate::{Change, Item, PK, Page, ReadError, SK, Stale, Store, WriteError, key_of, same, text};

/// The records table.
#[derive(Clone, Debug)]
pub struct Records {
    pub(crate) client: Client,
    pub(crate) table: String,
    /// Attributes that somebody might add to an item between our reading and our
    /// writing. Of those that an item lacked, a change demands that it still does.
    guarded: BTreeSet<String>,
}

impl Records {
    /// A table that is reached through this client. Makes no call.
    pub fn new(client: Client, table: impl Into<String>, guarded: BTreeSet<String>) -> Self {
        Self { client, table: table.into(), guarded }
    }

    /// The same at a pace of its own: a transaction of 4 MB takes longer than a
    /// trigger's calls, and a call that may have been made is looked into, not
    /// blindly made again.
    pub fn connect(client: &Client, table: String, guarded: BTreeSet<String>) -> Self {
        let pace = Pace { attempt: Duration::from_secs(3), whole: Duration::from_secs(5), attempts: 2 };
        Self::new(client.paced(pace), table, guarded)
    }
}

impl Store for Records {
    async fn read(&self, pk: &str, sk: &str) -> Result<Option<Item>, ReadError> {
        let call = GetItemInput::builder().table_name(&self.table).key(PK, text(pk)).key(SK, text(sk));
        let found = self.client.send(call.consistent_read(true).build()).await;
        Ok(found.map_err(|error| ReadError(error.into()))?.item)
    }

    async fn page(&self, pk: &str, after: Option<&str>) -> Result<Page, ReadError> {
        let found = self.client.send(self.query(pk, after).build()).await;
        page_of(found.map_err(|error| ReadError(error.into()))?)
    }

    /// One change is a call of its own, at half the price of a transaction.
    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        match changes {
            [] => Ok(()),
            [change] => self.write_one(change).await,
            changes => self.write_all(changes).await,
        }
    }
}

impl Records {
    /// A consistent query of a partition after a sort key, or from the beginning.
    pub(crate) fn query(&self, pk: &str, after: Option<&str>) -> QueryInputBuilder {
        let start = after.map(|sk| Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))]));
        QueryInput::builder()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(pk))
            .set_exclusive_start_key(start)
    }

    async fn write_all(&self, changes: &[Change]) -> Result<(), WriteError> {
        let items = changes.iter().map(|change| self.action(change)).collect::<Result<Vec<_>, _>>();
        // With a token, so that a repetition after a lost answer is answered as the
        // first call was.
        let call = TransactWriteItemsInput::builder().set_transact_items(Some(items.map_err(unwritable)?));
        let call = call.client_request_token(token());
        let Err(error) = self.client.send(call.build()).await else { return Ok(()) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Err(classify(cancelled.cancellation_reasons()))
            }
            _ => Err(failure(error)),
        }
    }

    fn action(&self, change: &Change) -> Result<TransactWriteItem, BuildError> {
        let expected = self.expected(change);
        let action = TransactWriteItem::builder();
        let told = ReturnValuesOnConditionCheckFailure::AllOld;
        Ok(match change {
            Change::Create(new) | Change::Replace { new, .. } => {
                let put = Put::builder().table_name(&self.table).set_item(Some(new.clone()));
                let put = put.condition_expression(expected.condition).set_expression_attribute_names(expected.names);
                let put = put.set_expression_attribute_values(expected.values);
                action.put(put.return_values_on_condition_check_failure(told).build()?).build()
            }
            Change::Remove(old) => {
                let delete = Delete::builder().table_name(&self.table).set_key(Some(key(old)));
                let delete = delete.condition_expression(expected.condition);
                let delete = delete.set_expression_attribute_names(expected.names);
                action.delete(delete.set_expression_attribute_values(expected.values).build()?).build()
            }
        })
    }

    async fn write_one(&self, change: &Change) -> Result<(), WriteError> {
        let expected = self.expected(change);
        let told = ReturnValuesOnConditionCheckFailure::AllOld;
        match change {
            Change::Create(new) | Change::Replace { new, .. } => {
                let call = PutItemInput::builder().table_name(&self.table).set_item(Some(new.clone()));
                let call = call.condition_expression(expected.condition);
                let call = call.set_expression_attribute_names(expected.names);
                let call = call.set_expression_attribute_values(expected.values);
                let call = call.return_values_on_condition_check_failure(told);
                let Err(error) = self.client.send(call.build()).await else { return Ok(()) };
                match error.as_service_error() {
                    // The client's retry after a lost answer meets our own write.
                    Some(PutItemError::ConditionalCheckFailedException(failed))
                        if failed.item().is_some_and(|found| same(found, new, &[])) =>
                    {
                        Ok(())
                    }
                    Some(PutItemError::ConditionalCheckFailedException(failed)) => Err(stale(failed.item.clone())),
                    _ => Err(failure(error)),
                }
            }
            Change::Remove(old) => {
                let call = DeleteItemInput::builder().table_name(&self.table).set_key(Some(key(old)));
                let call = call.condition_expression(expected.condition);
                let call = call.set_expression_attribute_names(expected.names);
                let call = call.set_expression_attribute_values(expected.values);
                let call = call.return_values_on_condition_check_failure(told);
                let Err(error) = self.client.send(call.build()).await else { return Ok(()) };
                match error.as_service_error() {
                    Some(DeleteItemError::ConditionalCheckFailedException(failed)) => Err(stale(failed.item.clone())),
                    _ => Err(failure(error)),
                }
            }
        }
    }

    /// The condition that an item is as a change expects it: every attribute has
    /// its value, and none has come that somebody might have added.
    fn expected(&self, change: &Change) -> Expected {
        let mut names = HashMap::from([("#pk".to_owned(), PK.to_owned())]);
        let old = match change {
            Change::Create(_) => {
                return Expected {
                    condition: "attribute_not_exists(#pk)".to_owned(),
                    names: Some(names),
                    values: None,
                };
            }
            Change::Replace { old, .. } | Change::Remove(old) => old,
        };
        let mut condition = "attribute_exists(#pk)".to_owned();
        let mut values = HashMap::new();
        // The key is the item's name and need not be compared.
        let held = old.iter().filter(|(name, _)| *name != PK && *name != SK);
        for (index, (name, value)) in held.enumerate() {
            condition.push_str(&format!(" AND #a{index} = :a{index}"));
            names.insert(format!("#a{index}"), name.clone());
            values.insert(format!(":a{index}"), value.clone());
        }
        let lacking = self.guarded.iter().filter(|name| !old.contains_key(*name));
        for (index, name) in lacking.enumerate() {
            condition.push_str(&format!(" AND attribute_not_exists(#g{index})"));
            names.insert(format!("#g{index}"), name.clone());
        }
        Expected { condition, names: Some(names), values: (!values.is_empty()).then_some(values) }
    }
}

/// The answer to a query.
pub(crate) fn page_of(found: QueryOutput) -> Result<Page, ReadError> {
    let next = match &found.last_evaluated_key {
        None => None,
        Some(key) => Some(key_of(key).ok_or_else(|| ReadError("a page ends nowhere".into()))?.1.to_owned()),
    };
    Ok(Page { items: found.items.unwrap_or_default(), next })
}

/// A condition as DynamoDB takes it.
struct Expected {
    condition: String,
    names: Option<HashMap<String, String>>,
    values: Option<Item>,
}

fn key(item: &Item) -> Item {
    item.iter()
        .filter(|(name, _)| *name == PK || *name == SK)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn stale(found: Option<Item>) -> WriteError {
    WriteError::Stale(vec![Stale { index: 0, found }])
}

fn unwritable(error: BuildError) -> WriteError {
    WriteError::Unknown(error.into())
}

/// The reasons stand in the order of the changes.
fn classify(reasons: &[CancellationReason]) -> WriteError {
    let at = |codes: &[&str]| -> Vec<usize> {
        let is_one = |reason: &CancellationReason| codes.contains(&reason.code().unwrap_or("None"));
        reasons.iter().enumerate().filter(|(_, reason)| is_one(reason)).map(|(index, _)| index).collect()
    };
    let invalid = at(&["ValidationError", "ItemCollectionSizeLimitExceeded"]);
    let stale = at(&["ConditionalCheckFailed"]);
    let busy = at(&["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);
    if !invalid.is_empty() {
        WriteError::Invalid(invalid)
    } else if !stale.is_empty() {
        let found = |index: &usize| reasons.get(*index).and_then(|reason| reason.item.clone());
        WriteError::Stale(stale.iter().map(|index| Stale { index: *index, found: found(index) }).collect())
    } else if !busy.is_empty() {
        WriteError::Busy
    } else {
        WriteError::Unknown("a transaction was cancelled without a reason that is known".into())
    }
}

/// What a call that brought no usable answer means.
pub(crate) fn failure<E>(error: SdkError<E>) -> WriteError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let refused_before_it_began = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
    ];
    let never = ["ValidationException", "ItemCollectionSizeLimitExceededException"];
    match error.code() {
        Some(code) if refused_before_it_began.contains(&code) => WriteError::Busy,
        Some(code) if never.contains(&code) => WriteError::Invalid(Vec::new()),
        _ => WriteError::Unknown(error.into()),
    }
}
