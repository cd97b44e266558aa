//! The calls on the table of exported users.

use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::AttributeValue;

use shell::aws::Client;

use super::Row;
use crate::LookupError;

/// The table of exported users behind a client.
#[derive(Clone, Debug)]
pub struct LegacyTable {
    client: Client,
    table: String,
}

impl LegacyTable {
    /// A table of exported users. Makes no call.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The rows of a name; of many, two.
    pub(super) async fn rows(&self, key: &str) -> Result<Vec<Row>, LookupError> {
        let query = QueryInput::builder()
            .table_name(&self.table)
            .key_condition_expression("#name = :name")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", text(key))
            // The second shows that the name is not one user's.
            .limit(2);
        let answer = self.client.send(query.build()).await;
        let answer = answer.map_err(|error| LookupError::new("LegacyTableUnreachable", error))?;
        let member = |value: Option<&AttributeValue>| value.and_then(|value| value.as_s().ok()).cloned();
        let rows = answer.items.unwrap_or_default();
        Ok(rows
            .iter()
            .map(|item| Row { id: member(item.get("id")).unwrap_or_default(), record: member(item.get("record")) })
            .collect())
    }

    /// Notes when the user of a row was moved in. A row that is gone stays gone.
    pub(super) async fn mark(&self, key: &str, id: &str, now: u64) -> Result<(), LookupError> {
        let mark = UpdateItemInput::builder()
            .table_name(&self.table)
            .key("name", text(key))
            .key("id", text(id))
            .update_expression("SET #migrated_at = :now")
            .condition_expression("attribute_exists(#name)")
            .expression_attribute_names("#migrated_at", "migrated_at")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
        match self.client.send(mark.build()).await {
            Err(error)
                if !error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Err(LookupError::new("LegacyTableUnreachable", error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
