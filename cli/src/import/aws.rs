//! The table of the old system's users, in DynamoDB.
//!
//! A row that is there already may bear the mark that its user was moved in,
//! which a put would erase. So each attempt first reads, strongly consistent,
//! which rows are there: those are updated, and only the others are put. A put
//! whose outcome is unknown is never repeated blindly; the next attempt reads
//! again. (Two imports of the same users at the same time could still do it:
//! run one.)

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeySchemaElement, KeyType, KeysAndAttributes, PutRequest, WriteRequest};
use tokio::task::JoinSet;

use super::rows::{Key, Row};
use crate::output::Failure;

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
const PUTS_IN_A_BATCH: usize = 25;

/// How many rows are updated at the same time.
const UPDATES_AT_ONCE: usize = 16;

type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Clone)]
pub(super) struct LegacyTable {
    client: Client,
    name: String,
    region: String,
}

/// What became of an attempt to write rows.
#[derive(Default)]
pub(super) struct Attempt {
    /// Rows that are in the table now and were not before.
    pub(super) put: Vec<Key>,
    /// Rows that were there and have been written anew.
    pub(super) updated: Vec<Key>,
}

/// What became of one call.
enum Call<T> {
    Answered(T),
    /// It may be repeated: throttled, no answer, or an error on the other side.
    TryAgain,
}

impl LegacyTable {
    /// A client with the operator's own credentials and region.
    pub(super) async fn connect(name: &str) -> Result<Self, Failure> {
        // Repetition is this module's affair: the SDK's would be blind.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(20))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        let region = config.region().map(Region::to_string);
        let region = region.ok_or_else(|| Failure::usage("RegionMissing", "no region is set; AWS_REGION names one"))?;
        Ok(Self { client: Client::new(&config), name: name.to_owned(), region })
    }

    /// Its ARN, once it is seen to be a table of this kind.
    pub(super) async fn arn(&self) -> Result<String, Failure> {
        let answer = self.client.describe_table().table_name(&self.name).send().await;
        let answer = answer.map_err(|error| self.failure("DescribeTable", &error))?;
        let is_key = |key: &KeySchemaElement| match key.attribute_name() {
            "name" => *key.key_type() == KeyType::Hash,
            "id" => *key.key_type() == KeyType::Range,
            _ => false,
        };
        let alike = |schema: &[KeySchemaElement]| schema.len() == 2 && schema.iter().all(is_key);
        let table = answer.table().filter(|table| alike(table.key_schema()));
        let wrong = || {
            let text = format!("{} is not a table of old users: its keys are not name and id", self.name);
            Failure::usage("TableUnlike", text)
        };
        table.and_then(|table| table.table_arn()).map(str::to_owned).ok_or_else(wrong)
    }

    /// Writes what can be written at once. What is in neither list has to be
    /// tried again.
    pub(super) async fn attempt(&self, rows: &[Row], now: u64) -> Result<Attempt, Failure> {
        let mut attempt = Attempt::default();
        let Call::Answered((there, unread)) = self.there(rows).await? else { return Ok(attempt) };
        let known = rows.iter().filter(|row| !unread.contains(&row.key));
        let (old, new): (Vec<&Row>, Vec<&Row>) = known.partition(|row| there.contains(&row.key));
        for batch in new.chunks(PUTS_IN_A_BATCH) {
            attempt.put.extend(self.put(batch, now).await?);
        }
        for batch in old.chunks(UPDATES_AT_ONCE) {
            attempt.updated.extend(self.update(batch, now).await?);
        }
        Ok(attempt)
    }

    /// Which of the rows are in the table, and of which that was not said.
    async fn there(&self, rows: &[Row]) -> Result<Call<(HashSet<Key>, HashSet<Key>)>, Failure> {
        let keys = rows.iter().map(|row| row.key.item()).collect();
        let asked = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .projection_expression("#name, #id")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#id", "id")
            .build()
            .map_err(|error| unbuilt(&error))?;
        let answer = self.client.batch_get_item().request_items(&self.name, asked).send().await;
        let Call::Answered(answer) = self.judge("BatchGetItem", answer)? else { return Ok(Call::TryAgain) };
        let there = answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default();
        let unread = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
        let unread = unread.map(|unread| unread.keys).unwrap_or_default();
        Ok(Call::Answered((keys_of(&there), keys_of(&unread))))
    }

    /// Puts up to 25 new rows; answers with those that are in the table.
    async fn put(&self, rows: &[&Row], now: u64) -> Result<Vec<Key>, Failure> {
        let put = |row: &&Row| {
            let item = PutRequest::builder().set_item(Some(row.item(now))).build();
            item.map(|item| WriteRequest::builder().put_request(item).build())
        };
        let puts = rows.iter().map(put).collect::<Result<Vec<_>, _>>().map_err(|error| unbuilt(&error))?;
        let answer = self.client.batch_write_item().request_items(&self.name, puts).send().await;
        let Call::Answered(answer) = self.judge("BatchWriteItem", answer)? else { return Ok(Vec::new()) };
        let left = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
        let left: Vec<Item> = left.into_iter().filter_map(|left| Some(left.put_request?.item)).collect();
        let left = keys_of(&left);
        Ok(rows.iter().map(|row| row.key.clone()).filter(|key| !left.contains(key)).collect())
    }

    /// Writes rows that are there anew, mark and all else left alone; answers
    /// with those that were written.
    async fn update(&self, rows: &[&Row], now: u64) -> Result<Vec<Key>, Failure> {
        let mut calls = JoinSet::new();
        for row in rows {
            let (table, row) = (self.clone(), (*row).clone());
            calls.spawn(async move { table.update_one(row, now).await });
        }
        let mut updated = Vec::new();
        while let Some(ended) = calls.join_next().await {
            let ended = ended.map_err(|_| Failure::failed("Broken", "an update ended without a result"))?;
            updated.extend(ended?);
        }
        Ok(updated)
    }

    async fn update_one(&self, row: Row, now: u64) -> Result<Option<Key>, Failure> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(row.key.item()));
        let update = update
            .update_expression("SET #record = :record, #imported_at = :now")
            .expression_attribute_names("#record", "record")
            .expression_attribute_names("#imported_at", "imported_at")
            .expression_attribute_values(":record", AttributeValue::S(row.record.to_string()))
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
        let answer = self.judge("UpdateItem", update.send().await)?;
        Ok(matches!(answer, Call::Answered(_)).then_some(row.key))
    }

    fn judge<T, E: ProvideErrorMetadata, R>(
        &self,
        operation: &str,
        answer: Result<T, SdkError<E, R>>,
    ) -> Result<Call<T>, Failure> {
        match answer {
            Ok(answer) => Ok(Call::Answered(answer)),
            Err(error) if is_passing(&error) => Ok(Call::TryAgain),
            Err(error) => Err(self.failure(operation, &error)),
        }
    }

    /// The service's own text is not shown: it could quote a row.
    fn failure<E: ProvideErrorMetadata, R>(&self, operation: &str, error: &SdkError<E, R>) -> Failure {
        let code = error.code().unwrap_or(match error {
            SdkError::ConstructionFailure(_) => "no request could be made; are there credentials?",
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "no connection, or no credentials",
            _ => "no usable answer",
        });
        let Self { name, region, .. } = self;
        match code {
            "ResourceNotFoundException" => {
                Failure::failed("TableMissing", format!("there is no table {name} in {region}"))
            }
            "AccessDeniedException" => {
                Failure::failed("NotAllowed", format!("these credentials may not call dynamodb:{operation} on {name}"))
            }
            _ => Failure::failed("TableUnusable", format!("{operation} on {name} in {region}: {code}")),
        }
    }
}

/// Whether the same call may well succeed later.
fn is_passing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let codes = [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    ];
    match error {
        SdkError::ServiceError(_) => error.code().is_some_and(|code| codes.contains(&code)),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        _ => false,
    }
}

fn keys_of(items: &[Item]) -> HashSet<Key> {
    items.iter().filter_map(Key::of_item).collect()
}

fn unbuilt(error: &BuildError) -> Failure {
    Failure::failed("Broken", format!("a request could not be built: {error}"))
}
