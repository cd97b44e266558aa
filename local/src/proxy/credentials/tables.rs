//! What IAM is told of a call to a table: the partition and the attributes that
//! it names.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proxy::exchange::text;

/// A call to a table, in the words of policies.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// The action, `dynamodb:GetItem` for one.
    pub action: String,
    /// The partition; `None` when the call names none.
    pub leading_key: Option<String>,
    /// The attributes at the top level that the call names, those of the key
    /// among them.
    pub attributes: BTreeSet<String>,
}

/// Members that hold an expression, and those whose own members are attributes.
const EXPRESSIONS: [&str; 5] =
    ["ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression", "UpdateExpression"];
const MAPS: [&str; 4] = ["AttributeUpdates", "Expected", "Item", "Key"];

/// The words of an expression that are no attributes.
const WORDS: [&str; 17] = [
    "add",
    "and",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "between",
    "contains",
    "delete",
    "if_not_exists",
    "in",
    "list_append",
    "not",
    "or",
    "remove",
    "set",
    "size",
];

impl Asked {
    /// Reads a call to a table whose partition key is the attribute `partition`.
    /// A call that cannot be read is an error: it must not quietly pass.
    pub fn read(action: &str, body: &Value, partition: &str) -> Result<Self> {
        let key = match action {
            "GetItem" | "DeleteItem" | "UpdateItem" => body.get("Key").and_then(|key| key.get(partition)),
            "PutItem" => body.get("Item").and_then(|item| item.get(partition)),
            "Query" => queried(body, partition),
            "Scan" => None,
            _ => bail!("{action} with credentials of the identity pool cannot be imitated"),
        };
        let leading_key = match key {
            Some(key) => Some(text(key, "S").context("a partition's name is no text")?.to_owned()),
            None if action == "Scan" => None,
            None => bail!("{action} without its partition cannot be imitated"),
        };
        let of_maps =
            MAPS.iter().filter_map(|member| body.get(member)?.as_object()).flat_map(|map| map.keys().cloned());
        let of_expressions = EXPRESSIONS.iter().filter_map(|member| text(body, member));
        let of_expressions = of_expressions.flat_map(|expression| attributes(expression, body));
        let attributes = of_maps.chain(of_expressions).collect();
        Ok(Self { action: format!("dynamodb:{action}"), leading_key, attributes })
    }
}

/// The partition of a query.
fn queried<'a>(body: &'a Value, partition: &str) -> Option<&'a Value> {
    let expression = text(body, "KeyConditionExpression")?.replace(['(', ')'], " ").replace('=', " = ");
    let words: Vec<_> = expression.split_whitespace().collect();
    let value = words.windows(3).find_map(|three| match three {
        [name, "=", value] if attribute(name, body) == partition => Some(*value),
        _ => None,
    });
    body.get("ExpressionAttributeValues")?.get(value?)
}

/// The attributes that an expression names: `a.b[0]` names `a`.
fn attributes(expression: &str, body: &Value) -> Vec<String> {
    let words = expression.split(|sign: char| !(sign.is_alphanumeric() || "_#:.[]".contains(sign)));
    let heads = words.filter_map(|word| word.split(['.', '[']).next());
    let is_name = |word: &&str| {
        let plain = word.to_ascii_lowercase();
        !word.is_empty() && !word.starts_with(':') && !WORDS.contains(&plain.as_str())
    };
    heads.filter(is_name).map(|name| attribute(name, body).to_owned()).collect()
}

/// A name of an expression, or what it stands for.
fn attribute<'a>(name: &'a str, body: &'a Value) -> &'a str {
    let names = body.get("ExpressionAttributeNames");
    names.and_then(|names| text(names, name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_partition_and_the_attributes_of_a_call_are_found() {
        let key = json!({ "pk": { "S": "GUEST#1" }, "sk": { "S": "a" } });
        let values = json!({ ":p": { "S": "GUEST#1" }, ":s": { "S": "a" } });
        let table = [
            ("GetItem", json!({ "Key": key }), Some("GUEST#1"), "pk sk"),
            ("GetItem", json!({ "Key": key, "ProjectionExpression": "a.b[0],c" }), Some("GUEST#1"), "a c pk sk"),
            ("DeleteItem", json!({ "Key": key, "ConditionExpression": "NOT size(d)>:s" }), Some("GUEST#1"), "d pk sk"),
            ("PutItem", json!({ "Item": { "pk": { "S": "X" }, "expires_at": {} } }), Some("X"), "expires_at pk"),
            (
                "UpdateItem",
                json!({
                    "Key": key,
                    "UpdateExpression": "SET #e = if_not_exists(n, :s), o.e = :s REMOVE x[2]",
                    "ExpressionAttributeNames": { "#e": "expires_at" },
                }),
                Some("GUEST#1"),
                "expires_at n o pk sk x",
            ),
            (
                "Query",
                json!({ "KeyConditionExpression": "(#p=:p) AND sk <= :s", "ExpressionAttributeValues": values,
                        "ExpressionAttributeNames": { "#p": "pk" } }),
                Some("GUEST#1"),
                "pk sk",
            ),
            ("Scan", json!({}), None, ""),
        ];
        for (action, body, leading_key, attributes) in table {
            let asked = Asked::read(action, &body, "pk").unwrap();
            assert_eq!(asked.action, format!("dynamodb:{action}"));
            assert_eq!(asked.leading_key.as_deref(), leading_key, "{action} {body}");
            let found: Vec<_> = asked.attributes.iter().map(String::as_str).collect();
            assert_eq!(found.join(" "), attributes, "{action} {body}");
        }
    }

    #[test]
    fn a_call_that_cannot_be_read_is_an_error() {
        let values = json!({ ":p": { "S": "GUEST#1" } });
        let table = [
            ("BatchGetItem", json!({})),
            ("TransactWriteItems", json!({})),
            ("ExecuteStatement", json!({ "Statement": "SELECT * FROM t" })),
            ("GetItem", json!({ "Key": { "sk": { "S": "a" } } })),
            ("GetItem", json!({ "Key": { "pk": { "B": "YQ==" } } })),
            ("PutItem", json!({})),
            ("Query", json!({ "KeyConditionExpression": "sk = :p", "ExpressionAttributeValues": values })),
            ("Query", json!({ "KeyConditionExpression": "pk = :q", "ExpressionAttributeValues": values })),
            ("Query", json!({ "KeyConditions": { "pk": {} } })),
        ];
        for (action, body) in table {
            assert!(Asked::read(action, &body, "pk").is_err(), "{action} {body}");
        }
    }
}
