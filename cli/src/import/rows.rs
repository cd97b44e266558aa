//! The rows of the table: `name` and `id` are its keys.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

use super::person::Entry;

/// What tells a row from all others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    name: String,
    id: String,
}

/// A row to be written.
#[derive(Clone)]
pub(super) struct Row {
    /// Its key.
    pub(super) key: Key,
    /// The JSON of the user.
    pub(super) record: Arc<str>,
}

impl Row {
    /// The rows of a user, one for each of his names.
    pub(super) fn of(entry: &Entry) -> impl Iterator<Item = Self> {
        let record: Arc<str> = Arc::from(entry.record.as_str());
        let row = move |name: &String| Self {
            key: Key { name: name.clone(), id: entry.keys.id.as_str().to_owned() },
            record: Arc::clone(&record),
        };
        entry.keys.names.iter().map(row)
    }

    /// As it is written when it is new.
    pub(super) fn item(&self, now: u64) -> HashMap<String, AttributeValue> {
        let mut item = self.key.item();
        item.insert("record".to_owned(), AttributeValue::S(self.record.to_string()));
        item.insert("imported_at".to_owned(), AttributeValue::N(now.to_string()));
        item
    }
}

impl Key {
    /// The user's identifier in the old system.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// As a call names a row.
    pub(super) fn item(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &String| AttributeValue::S(text.clone());
        HashMap::from([("name".to_owned(), text(&self.name)), ("id".to_owned(), text(&self.id))])
    }

    /// The key of an item; `None` when it has none.
    pub(super) fn of_item(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self { name: text("name")?, id: text("id")? })
    }
}
