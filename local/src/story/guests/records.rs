//! Records as somebody reaches them with credentials of his own.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::sleep;

use super::super::reach::code;
use super::super::shown::short_ids;
use super::super::teller::Teller;
use super::super::world::World;
use super::{LOOKS, PAUSE};

/// The table of records.
pub(super) struct Records {
    client: Client,
    table: String,
}

/// A score that somebody stores.
#[derive(Clone, Copy)]
pub(super) struct Score<'a> {
    pub(super) partition: &'a str,
    pub(super) name: &'a str,
    pub(super) points: &'a str,
    /// One more attribute, a number.
    pub(super) more: Option<(&'a str, i64)>,
}

impl<'a> Score<'a> {
    pub(super) fn of(partition: &'a str, name: &'a str) -> Self {
        Self { partition, name, points: "42", more: None }
    }
}

/// What a partition holds: sort keys, and the attributes that matter here.
pub(super) type Found = BTreeMap<String, Kept>;

/// A record's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) data: String,
    /// Seconds since 1970.
    pub(super) expires_at: Option<i64>,
}

impl Records {
    pub(super) fn new(world: &World<'_>, config: &SdkConfig) -> Self {
        Self { client: Client::new(config), table: world.records.to_owned() }
    }

    /// Writes one, with further attributes; `done` or the code of the refusal.
    pub(super) async fn put(&self, partition: &str, name: &str, data: &str, more: Option<(&str, i64)>) -> String {
        let texts = [("pk", partition), ("sk", name), ("data", data)];
        let texts = texts.map(|(attribute, text)| (attribute.to_owned(), AttributeValue::S(text.to_owned())));
        let more = more.map(|(attribute, number)| (attribute.to_owned(), AttributeValue::N(number.to_string())));
        let item: HashMap<_, _> = texts.into_iter().chain(more).collect();
        code(self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await)
    }

    /// Reads a partition; the code of a refusal otherwise.
    pub(super) async fn read(&self, partition: &str) -> Result<Found, String> {
        let query = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()));
        let found = query.consistent_read(true).send().await;
        let found = found.map_err(|error| error.code().unwrap_or("no answer").to_owned())?;
        let text = |item: &HashMap<String, AttributeValue>, name: &str| item.get(name)?.as_s().ok().cloned();
        let kept = |item: &HashMap<String, AttributeValue>| Kept {
            data: text(item, "data").unwrap_or_default(),
            expires_at: item.get("expires_at").and_then(|end| end.as_n().ok()?.parse().ok()),
        };
        Ok(found.items().iter().filter_map(|item| Some((text(item, "sk")?, kept(item)))).collect())
    }

    /// Reads a partition until it is as it should be; what it was in the end.
    pub(super) async fn awaited(&self, partition: &str, right: impl Fn(&Found) -> bool) -> Result<Found, String> {
        let mut found = self.read(partition).await?;
        for _ in 0..LOOKS {
            if right(&found) {
                break;
            }
            sleep(PAUSE).await;
            found = self.read(partition).await?;
        }
        Ok(found)
    }

    /// A step in which a score is written.
    pub(super) async fn writes(&self, teller: &mut Teller<'_>, text: &str, score: &Score<'_>, allowed: bool) {
        let Score { partition, name, points, more } = *score;
        let back = self.put(partition, name, points, more).await;
        let extra = more.map(|(attribute, _)| format!(", {attribute}")).unwrap_or_default();
        let sent = format!("dynamodb:PutItem  pk {}, sk {name}, data {points}{extra}", short_ids(partition));
        teller.step(text, &sent, &back, back == if allowed { "done" } else { "AccessDeniedException" });
    }

    /// A step in which a partition is read; `None` when that has to be refused.
    pub(super) async fn reads(&self, teller: &mut Teller<'_>, text: &str, partition: &str, names: Option<&[&str]>) {
        let found = self.read(partition).await;
        let right = match (&found, names) {
            (Ok(found), Some(names)) => found.keys().eq(names),
            (Err(code), None) => code == "AccessDeniedException",
            _ => false,
        };
        let sent = format!("dynamodb:Query  pk {}", short_ids(partition));
        teller.step(text, &sent, &found.map_or_else(|code| code, |found| shown(&found)), right);
    }
}

/// The names and contents, in one line.
pub(super) fn shown(found: &Found) -> String {
    let one = |(name, kept): (&String, &Kept)| format!("{name}: {}", kept.data);
    let all: Vec<_> = found.iter().map(one).collect();
    if all.is_empty() { "nothing".to_owned() } else { short_ids(&all.join(", ")) }
}

/// The partition of a guest.
pub(super) fn of_guest(identity: &str) -> String {
    format!("GUEST#{identity}")
}

/// The partition of a user.
pub(super) fn of_user(subject: &str) -> String {
    format!("USER#{subject}")
}
