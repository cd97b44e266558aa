//! The calls on the attempts table.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shared::lockout::{Record, Wait};
use shared::migration::lockout::LockoutRules;
use shell::aws::Client;

/// The attempts table behind a client.
#[derive(Clone, Debug)]
pub struct AttemptsTable {
    client: Client,
    table: String,
    rules: LockoutRules,
}

/// Why it is not known whether an attempt may go on.
#[derive(Debug)]
pub enum AttemptsError {
    /// The table did not answer, or refused the call.
    Unreachable(Box<dyn Error + Send + Sync>),
    /// An item does not have the shape that this code writes.
    Corrupt,
}

impl AttemptsTable {
    /// A table of attempts. Makes no call.
    pub fn new(client: Client, table: impl Into<String>, rules: LockoutRules) -> Self {
        Self { client, table: table.into(), rules }
    }

    pub(super) fn rules(&self) -> &LockoutRules {
        &self.rules
    }

    /// Adds to an item's count, in one step however many do so at once. A call
    /// that the client repeats may count twice: never too little.
    pub(super) async fn count(&self, pk: &str, by: i64, expires_at: u64) -> Result<Record, AttemptsError> {
        let call = UpdateItemInput::builder()
            .table_name(&self.table)
            .key("pk", text(pk))
            .update_expression("ADD #count :by SET #expires_at = :expires_at")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":by", AttributeValue::N(by.to_string()))
            .expression_attribute_values(":expires_at", number(expires_at))
            .return_values(ReturnValue::AllNew);
        let answer = self.client.send(call.build()).await.map_err(unreachable)?;
        record(&answer.attributes.unwrap_or_default())
    }

    /// Writes a waiting time in the place of the one that ended, or where there
    /// is none yet. Of many callers one succeeds; whether it was this one.
    pub(super) async fn begin_wait(&self, pk: &str, ended: Option<u64>, wait: Wait) -> Result<bool, AttemptsError> {
        let call = UpdateItemInput::builder()
            .table_name(&self.table)
            .key("pk", text(pk))
            .update_expression("SET #open_at = :open_at, #waits = :waits")
            .expression_attribute_names("#open_at", "open_at")
            .expression_attribute_names("#waits", "waits")
            .expression_attribute_values(":open_at", number(wait.open_at))
            .expression_attribute_values(":waits", number(wait.waits));
        let call = match ended {
            None => call.condition_expression("attribute_not_exists(#open_at)"),
            Some(ended) => {
                call.condition_expression("#open_at = :ended").expression_attribute_values(":ended", number(ended))
            }
        };
        match self.client.send(call.build()).await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(unreachable(error)),
        }
    }

    /// Removes an item.
    pub(super) async fn forget(&self, pk: &str) -> Result<(), AttemptsError> {
        let call = DeleteItemInput::builder().table_name(&self.table).key("pk", text(pk));
        self.client.send(call.build()).await.map_err(unreachable)?;
        Ok(())
    }
}

fn record(item: &HashMap<String, AttributeValue>) -> Result<Record, AttemptsError> {
    let number = |name: &str| match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse::<i64>().map(Some).map_err(|_| AttemptsError::Corrupt),
        Some(_) => Err(AttemptsError::Corrupt),
    };
    // Less than nothing, after more was forgiven than charged, is nothing.
    let count = |found: Option<i64>| u64::try_from(found.unwrap_or_default()).unwrap_or_default();
    Ok(Record {
        count: count(number("count")?),
        waits: count(number("waits")?),
        open_at: number("open_at")?.map(|at| count(Some(at))),
    })
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn unreachable(error: impl Error + Send + Sync + 'static) -> AttemptsError {
    AttemptsError::Unreachable(Box::new(error))
}

impl AttemptsError {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "AttemptsUnreachable",
            Self::Corrupt => "AttemptsCorrupt",
        }
    }
}

impl fmt::Display for AttemptsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(_) => f.write_str("the attempts table did not answer"),
            Self::Corrupt => f.write_str("an item of the attempts table is not of its shape"),
        }
    }
}

impl Error for AttemptsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable(cause) => Some(cause.as_ref()),
            Self::Corrupt => None,
        }
    }
}
