//! The calls on the items table. Whose data they reach is up to the client's
//! credentials; every key they name begins with the tenant.

use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput};
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput};
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use shared::names::{Subject, TenantId};
use shell::aws::{Client, SdkError};

use super::{Content, Item, ItemId, OwnedItem, Record, key, partition, place, prefix, read, record};
use crate::{Page, PageRequest, Precondition, Problem, Refusal};

/// The IAM actions behind each call, for the function that uses it.
pub mod actions {
    /// [`Items::all`](super::Items::all).
    pub const ALL: &[&str] = &["dynamodb:Query"];
    /// [`Items::of`](super::Items::of).
    pub const OF: &[&str] = &["dynamodb:Query"];
    /// [`Items::get`](super::Items::get).
    pub const GET: &[&str] = &["dynamodb:GetItem"];
    /// [`Items::put`](super::Items::put).
    pub const PUT: &[&str] = &["dynamodb:PutItem"];
    /// [`Items::delete`](super::Items::delete).
    pub const DELETE: &[&str] = &["dynamodb:DeleteItem"];
}

/// The items of one tenant, through a client that reaches no other's.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    /// With the tenant's credentials.
    pub client: Client,
    /// The items table.
    pub table: &'a str,
    /// Whose items.
    pub tenant: &'a TenantId,
}

/// An item that was written.
#[derive(Clone, Debug)]
pub enum Put {
    /// There was none of this name.
    Created(Item),
    /// It took the place of the version before.
    Replaced(Item),
}

impl Items<'_> {
    /// All items of the tenant, in pages.
    pub async fn all(&self, page: &PageRequest) -> Result<Page<OwnedItem>, Problem> {
        let (items, last) = self.query("", page).await?;
        Ok(Page::new(items, last.as_deref()))
    }

    /// One user's items, in pages.
    pub async fn of(&self, owner: &Subject, page: &PageRequest) -> Result<Page<Item>, Problem> {
        let (items, last) = self.query(&prefix(owner), page).await?;
        Ok(Page::new(items.into_iter().map(|owned| owned.item).collect(), last.as_deref()))
    }

    /// One item as it is now; `None` when the user has none of this name.
    pub async fn get(&self, owner: &Subject, id: &ItemId) -> Result<Option<Item>, Problem> {
        let call = GetItemInput::builder().table_name(self.table).set_key(Some(self.key(owner, id)));
        let found = self.client.send(call.consistent_read(true).build()).await.map_err(unreachable)?;
        let item = found.item().map(|record| read(self.tenant, record)).transpose();
        Ok(item.map_err(corrupt)?.map(|owned| owned.item))
    }

    /// Writes an item if the precondition holds.
    pub async fn put(
        &self,
        owner: &Subject,
        id: ItemId,
        content: Content,
        precondition: Precondition,
        now: u64,
    ) -> Result<Put, Problem> {
        let version = match precondition {
            Precondition::Absent => 1,
            Precondition::Version(version) => version + 1,
        };
        let item = Item { id, title: content.title, body: content.body, version, updated_at: now };
        let written = record(self.tenant, owner, &item);
        let call = PutItemInput::builder()
            .table_name(self.table)
            .set_item(Some(written.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let call = match precondition {
            Precondition::Absent => {
                call.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk")
            }
            Precondition::Version(version) => call
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(version)),
        };
        match self.client.send(call.build()).await {
            Err(error) if !is_our_own(&error, &written)? => Err(unreachable(error)),
            _ if version == 1 => Ok(Put::Created(item)),
            _ => Ok(Put::Replaced(item)),
        }
    }

    /// Deletes an item, if `version` is `None` or its present one. An item that
    /// is not there is deleted already.
    pub async fn delete(&self, owner: &Subject, id: &ItemId, version: Option<u64>) -> Result<(), Problem> {
        let call = DeleteItemInput::builder().table_name(self.table).set_key(Some(self.key(owner, id)));
        let call = match version {
            None => call,
            Some(version) => call
                .condition_expression("attribute_not_exists(#pk) OR #version = :version")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(version)),
        };
        match self.client.send(call.build()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Err(Refusal::VersionChanged.into()),
                _ => Err(unreachable(error)),
            },
        }
    }

    /// The items whose sort key begins with `prefix`, and the place of the last,
    /// without the prefix, when there may be more.
    async fn query(&self, prefix: &str, page: &PageRequest) -> Result<(Vec<OwnedItem>, Option<String>), Problem> {
        let start = page.after.as_ref().map(|after| key(self.tenant, &format!("{prefix}{after}")));
        let call = QueryInput::builder()
            .table_name(self.table)
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition(self.tenant)))
            .limit(i32::from(page.limit))
            .set_exclusive_start_key(start);
        let call = match prefix {
            "" => call.key_condition_expression("#pk = :pk"),
            _ => call
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned())),
        };
        let found = self.client.send(call.build()).await.map_err(unreachable)?;
        let items: Result<Vec<_>, _> = found.items().iter().map(|record| read(self.tenant, record)).collect();
        let last = found.last_evaluated_key().and_then(|key| key.get("sk")).and_then(|value| value.as_s().ok());
        let last = last.filter(|place_text| place(place_text).is_some()).and_then(|place| place.strip_prefix(prefix));
        Ok((items.map_err(corrupt)?, last.map(str::to_owned)))
    }

    fn key(&self, owner: &Subject, id: &ItemId) -> Record {
        key(self.tenant, &format!("{owner}#{}", id.as_str()))
    }
}

/// Whether a failed condition only met our own write: the SDK tries again when
/// an answer is lost, and then finds what the first try wrote.
fn is_our_own(error: &SdkError<PutItemError>, written: &Record) -> Result<bool, Problem> {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) if failed.item() == Some(written) => Ok(true),
        Some(PutItemError::ConditionalCheckFailedException(_)) => Err(Refusal::VersionChanged.into()),
        _ => Ok(false),
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn unreachable(error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::unavailable("ItemsUnreachable", error)
}

fn corrupt(corrupt: super::Corrupt) -> Problem {
    Problem::unavailable("ItemCorrupt", corrupt)
}
