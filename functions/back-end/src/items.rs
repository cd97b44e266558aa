//! Items: what the sample API keeps for the users of a tenant.
//!
//! | item | `pk` | `sk` |
//! | --- | --- | --- |
//! | item | `<tenant>#items` | `<sub>#<id>` |
//!
//! No part of a key holds a `#` of its own, so a prefix that ends in one belongs
//! to exactly one tenant, and to exactly one user of it.

mod aws;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::names::{Subject, TenantId};

pub use aws::{Items, Put, actions};

/// The most bytes that a request to write an item may have. DynamoDB takes 400 KB
/// per item; a page of 25 should still fit into one answer.
pub const MOST_BYTES: usize = 64 * 1024;

/// The most characters of a title.
const MOST_TITLE_CHARS: usize = 200;

/// The name that a user gives an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ItemId(String);

impl ItemId {
    /// Reads an id: 1 to 64 ASCII letters, digits, `-` and `_`; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of text: 1 to 200 characters, no control characters, not blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

impl TryFrom<String> for Title {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits =
            text.chars().count() <= MOST_TITLE_CHARS && !text.chars().any(char::is_control) && !text.trim().is_empty();
        fits.then_some(Self(text)).ok_or("a title is one line of 1 to 200 characters")
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

/// What a user writes: the body is any JSON and kept as it came.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The heading.
    pub title: Title,
    /// Never looked into.
    pub body: Box<RawValue>,
}

/// An item as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// The name that its owner gave it.
    pub id: ItemId,
    /// The heading.
    pub title: Title,
    /// As it was written.
    pub body: Box<RawValue>,
    /// Rises with each change, from 1.
    pub version: u64,
    /// In seconds since 1970.
    pub updated_at: u64,
}

/// An item as an administrator sees it: with its owner.
#[derive(Clone, Debug, Serialize)]
pub struct OwnedItem {
    /// Whose it is.
    #[serde(serialize_with = "as_text")]
    pub owner: Subject,
    /// The item itself.
    #[serde(flatten)]
    pub item: Item,
}

fn as_text<S: serde::Serializer>(owner: &Subject, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(owner.as_str())
}

/// Where an item's shape is wrong; never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt(&'static str);

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an item has no usable {}", self.0)
    }
}

impl std::error::Error for Corrupt {}

pub(crate) type Record = HashMap<String, AttributeValue>;

/// The key parts of everything that one tenant keeps.
fn partition(tenant: &TenantId) -> String {
    format!("{tenant}#items")
}

/// The part of a sort key that all items of one user share.
fn prefix(owner: &Subject) -> String {
    format!("{owner}#")
}

fn key(tenant: &TenantId, place: &str) -> Record {
    Record::from([
        ("pk".to_owned(), AttributeValue::S(partition(tenant))),
        ("sk".to_owned(), AttributeValue::S(place.to_owned())),
    ])
}

/// Reads the place of an item within its tenant: `<sub>#<id>`.
pub fn place(text: &str) -> Option<(Subject, ItemId)> {
    let (owner, id) = text.split_once('#')?;
    Some((Subject::parse(owner)?, ItemId::parse(id)?))
}

/// An item as it is kept.
fn record(tenant: &TenantId, owner: &Subject, item: &Item) -> Record {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: u64| AttributeValue::N(number.to_string());
    let mut record = key(tenant, &format!("{owner}#{}", item.id.as_str()));
    record.extend([
        ("tenant".to_owned(), text(tenant.as_str())),
        ("owner".to_owned(), text(owner.as_str())),
        ("id".to_owned(), text(item.id.as_str())),
        ("title".to_owned(), text(&item.title.0)),
        ("body".to_owned(), text(item.body.get())),
        ("version".to_owned(), number(item.version)),
        ("updated_at".to_owned(), number(item.updated_at)),
    ]);
    record
}

/// Reads a kept item. Whose it is comes from the key, which is what IAM guards.
fn read(tenant: &TenantId, record: &Record) -> Result<OwnedItem, Corrupt> {
    let text = |name: &'static str| {
        let value = record.get(name).and_then(|value| value.as_s().ok());
        value.map(String::as_str).ok_or(Corrupt(name))
    };
    let number = |name: &'static str| {
        let value = record.get(name).and_then(|value| value.as_n().ok());
        value.and_then(|digits| digits.parse::<u64>().ok()).ok_or(Corrupt(name))
    };
    if text("pk")? != partition(tenant) {
        return Err(Corrupt("pk"));
    }
    let (owner, id) = place(text("sk")?).ok_or(Corrupt("sk"))?;
    let item = Item {
        id,
        title: Title::try_from(text("title")?.to_owned()).map_err(|_| Corrupt("title"))?,
        body: RawValue::from_string(text("body")?.to_owned()).map_err(|_| Corrupt("body"))?,
        version: number("version")?,
        updated_at: number("updated_at")?,
    };
    Ok(OwnedItem { owner, item })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place_in_the_key() {
        let long = "a".repeat(65);
        let table = [
            ("a", true),
            ("Note_2026-11", true),
            ("-", true),
            ("", false),
            ("a#b", false),
            ("a/b", false),
            ("a b", false),
            ("a%23b", false),
            ("ü", false),
            ("a\u{0}", false),
            (long.as_str(), false),
        ];
        for (text, expected) in table {
            assert_eq!(ItemId::parse(text).is_some(), expected, "{text:?}");
        }
    }

    #[test]
    fn content_is_a_title_and_any_json() {
        let long = format!(r#"{{"title":"{}","body":1}}"#, "ü".repeat(201));
        let fits = format!(r#"{{"title":"{}","body":1}}"#, "ü".repeat(200));
        let table = [
            (r#"{"title":"a","body":{"b":[1,2.50]}}"#, true),
            (r#"{"title":"a","body":null}"#, true),
            (fits.as_str(), true),
            (long.as_str(), false),
            (r#"{"title":"a"}"#, false),
            (r#"{"title":"","body":1}"#, false),
            (r#"{"title":"  ","body":1}"#, false),
            (r#"{"title":"a\nb","body":1}"#, false),
            (r#"{"title":1,"body":1}"#, false),
            (r#"{"title":"a","body":1,"version":9}"#, false),
            (r#"{"title":"a","body":1,"owner":"someone"}"#, false),
            (r#"{"title":"a","title":"b","body":1}"#, false),
        ];
        for (text, expected) in table {
            assert_eq!(serde_json::from_str::<Content>(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_was_kept_reads_back_and_what_was_not_ours_does_not() {
        let (tenant, owner) = (TenantId::parse("acme").unwrap(), Subject::parse("u-1").unwrap());
        let item = Item {
            id: ItemId::parse("a1").unwrap(),
            title: Title::try_from("A title".to_owned()).unwrap(),
            body: RawValue::from_string(r#"{"n": 1.50}"#.to_owned()).unwrap(),
            version: 3,
            updated_at: 1_000,
        };
        let kept = record(&tenant, &owner, &item);
        let back = serde_json::to_string(&read(&tenant, &kept).unwrap()).unwrap();
        let expected =
            r#"{"owner":"u-1","id":"a1","title":"A title","body":{"n": 1.50},"version":3,"updated_at":1000}"#;
        assert_eq!(back, expected);

        let other = TenantId::parse("acme-2").unwrap();
        assert_eq!(read(&other, &kept).unwrap_err(), Corrupt("pk"));
        for name in ["pk", "sk", "title", "body", "version", "updated_at"] {
            let mut broken = kept.clone();
            broken.insert(name.to_owned(), AttributeValue::Bool(true));
            assert_eq!(read(&tenant, &broken).unwrap_err(), Corrupt(name));
        }
    }
}
