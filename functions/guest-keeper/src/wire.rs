//! The stream's event and the answer to it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::guests::IdentityId;

/// A batch. Each record is read by itself, so that a strange one does not hold
/// up the others.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Batch<'a> {
    #[serde(borrow)]
    pub(crate) records: Vec<&'a RawValue>,
}

/// What a record of the stream says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A guest's record was written.
    Written(Written),
    /// Something else happened, which is none of our business.
    Other,
    /// It does not have the shape of a stream's record.
    Foreign,
}

/// A write of a guest's record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) identity: IdentityId,
    /// The record's name in the guest's partition.
    pub(crate) name: String,
    /// Its place in the stream; empty when it has none.
    pub(crate) sequence_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    dynamodb: Option<Dynamodb>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dynamodb {
    keys: Keys,
    sequence_number: Option<String>,
}

/// The key as the records table has it.
#[derive(Deserialize)]
struct Keys {
    pk: Text,
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Change {
    /// Reads one record.
    pub(crate) fn read(record: &RawValue) -> Self {
        match serde_json::from_str::<Record>(record.get()) {
            Err(_) => Self::Foreign,
            Ok(Record { event_name, .. }) if event_name == "REMOVE" => Self::Other,
            Ok(Record { event_name, dynamodb: Some(change) }) if ["INSERT", "MODIFY"].contains(&&*event_name) => {
                change.written()
            }
            Ok(_) => Self::Foreign,
        }
    }
}

impl Dynamodb {
    fn written(self) -> Change {
        let Some(("GUEST", identity)) = self.keys.pk.text.split_once('#') else { return Change::Other };
        match IdentityId::parse(identity) {
            None => Change::Foreign,
            Some(identity) => Change::Written(Written {
                identity,
                name: self.keys.sk.text,
                sequence_number: self.sequence_number.unwrap_or_default(),
            }),
        }
    }
}

/// Which records are to come again. Lambda goes on from the first of them, and
/// with all records where one has no name.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply<'a> {
    pub(crate) batch_item_failures: Vec<ItemFailure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemFailure<'a> {
    pub(crate) item_identifier: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: &str = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";

    #[test]
    fn only_a_write_of_a_guests_record_counts() {
        let keys = |pk: &str| format!(r#""Keys":{{"pk":{{"S":"{pk}"}},"sk":{{"S":"cart"}}}}"#);
        let guest = keys(&format!("GUEST#{IDENTITY}"));
        let record = |name: &str, change: &str| format!(r#"{{"eventName":"{name}","dynamodb":{{{change}}}}}"#);
        let numbered = |number: &str| format!(r#"{guest},"SequenceNumber":{number},"SizeBytes":26"#);
        let written = |number: &str| {
            Change::Written(Written {
                identity: IdentityId::parse(IDENTITY).unwrap(),
                name: "cart".to_owned(),
                sequence_number: number.to_owned(),
            })
        };
        let table = [
            ("a new record", record("INSERT", &numbered("\"111\"")), written("111")),
            ("a changed record", record("MODIFY", &numbered("\"111\"")), written("111")),
            ("no number", record("INSERT", &guest), written("")),
            ("null as number", record("INSERT", &numbered("null")), written("")),
            ("a deleted record", record("REMOVE", &numbered("\"111\"")), Change::Other),
            ("nothing but a deletion", r#"{"eventName":"REMOVE"}"#.to_owned(), Change::Other),
            ("a user's record", record("INSERT", &keys("USER#1")), Change::Other),
            ("a longer word", record("INSERT", &keys(&format!("GUESTS#{IDENTITY}"))), Change::Other),
            ("no word", record("INSERT", &keys(IDENTITY)), Change::Other),
            ("a guest who is none", record("INSERT", &keys("GUEST#x")), Change::Foreign),
            ("a guest and more", record("INSERT", &keys(&format!("GUEST#{IDENTITY}#x"))), Change::Foreign),
            ("another event", record("UPSERT", &guest), Change::Foreign),
            ("no keys", record("INSERT", ""), Change::Foreign),
            ("a number as key", record("INSERT", r#""Keys":{"pk":{"N":"1"},"sk":{"S":"a"}}"#), Change::Foreign),
            ("no change", r#"{"eventName":"INSERT","dynamodb":null}"#.to_owned(), Change::Foreign),
            ("another stream", r#"{"kinesis":{}}"#.to_owned(), Change::Foreign),
            ("a text", "\"x\"".to_owned(), Change::Foreign),
        ];
        for (name, text, expected) in table {
            assert_eq!(Change::read(&RawValue::from_string(text).unwrap()), expected, "{name}");
        }
    }
}
