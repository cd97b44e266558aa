//! Whether a session may do to a table what it asks for.
//!
//! The local IAM knows neither the partition nor the attributes that a call
//! writes, so conditions on them would hold vacuously there. They are taken out
//! of what it is given and put, with all the rest of the session's policies, to
//! another evaluator, before the call goes on.

use anyhow::{Context as _, Result, bail};
use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use serde_json::{Value, json};

use super::tables::Asked;

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
const ATTRIBUTES: &str = "dynamodb:Attributes";

/// A session's policies, filled in.
#[derive(Clone, Debug)]
pub struct Access(Vec<IAMPolicy>);

impl Access {
    /// Reads the policies. One that names something of a call that is not told
    /// here is an error: it must not quietly hold, nor quietly fail.
    pub fn of<'a>(policies: impl IntoIterator<Item = &'a Value>) -> Result<Self> {
        let read = |policy: &Value| {
            if let Some(key) = statements(policy).iter().flat_map(condition_keys).find(|key| !is_told(key)) {
                bail!("a condition on {key} cannot be imitated");
            }
            serde_json::from_value(policy.clone()).context("a role's policy is none")
        };
        Ok(Self(policies.into_iter().map(read).collect::<Result<_>>()?))
    }

    /// Whether the call may go on.
    pub fn allows(&self, asked: &Asked, table: &str) -> Result<bool> {
        let mut context = Context::new();
        if let Some(key) = &asked.leading_key {
            context.insert(LEADING_KEYS.to_owned(), ContextValue::StringList(vec![key.clone()]));
        }
        if !asked.attributes.is_empty() {
            let named = asked.attributes.iter().cloned().collect();
            context.insert(ATTRIBUTES.to_owned(), ContextValue::StringList(named));
        }
        let principal = Principal::Aws(PrincipalId::String("arn:aws:iam::000000000000:role/session".to_owned()));
        let request = IAMRequest::new_with_context(principal, asked.action.as_str(), Arn::parse(table)?, context);
        let result = PolicyEvaluator::with_policies(self.0.clone()).evaluate(&request)?;
        Ok(result.decision == Decision::Allow)
    }
}

/// A policy without what is decided here. A refusal that hangs on it is left
/// out whole.
pub fn for_local_iam(policy: &Value) -> Value {
    let of_tables = |key: &str| key.to_lowercase().starts_with("dynamodb:");
    let mut kept = statements(policy);
    kept.retain(|statement| {
        statement.get("Effect") != Some(&json!("Deny")) || !condition_keys(statement).iter().any(|key| of_tables(key))
    });
    for statement in kept.iter_mut().filter_map(Value::as_object_mut) {
        let Some(conditions) = statement.get_mut("Condition").and_then(Value::as_object_mut) else { continue };
        for keys in conditions.values_mut().filter_map(Value::as_object_mut) {
            keys.retain(|key, _| !of_tables(key));
        }
        conditions.retain(|_, keys| keys.as_object().is_none_or(|keys| !keys.is_empty()));
        if conditions.is_empty() {
            statement.remove("Condition");
        }
    }
    json!({ "Version": "2012-10-17", "Statement": kept })
}

fn statements(policy: &Value) -> Vec<Value> {
    policy.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn condition_keys(statement: &Value) -> Vec<String> {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let keys = operators.into_iter().flat_map(|all| all.values()).filter_map(Value::as_object);
    keys.flat_map(|keys| keys.keys().cloned()).collect()
}

/// Whether a condition's key is none of a table's, or one that is told.
fn is_told(key: &str) -> bool {
    !key.to_lowercase().starts_with("dynamodb:") || [LEADING_KEYS, ATTRIBUTES].contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/records";

    /// What a guest may do, as the template has it.
    fn guest() -> Value {
        let own = json!({
            "Effect": "Allow",
            "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"],
            "Resource": TABLE,
            "Condition": {
                "ForAllValues:StringEquals": {
                    LEADING_KEYS: ["GUEST#1"],
                    ATTRIBUTES: ["pk", "sk", "data"],
                },
                "Null": { LEADING_KEYS: "false", ATTRIBUTES: "false" },
            },
        });
        let public = json!({
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": TABLE,
            "Condition": { "ForAllValues:StringEquals": { LEADING_KEYS: "PUBLIC#leaderboard" } },
        });
        json!({ "Version": "2012-10-17", "Statement": [own, public] })
    }

    fn put(partition: &str, attributes: &[&str]) -> Asked {
        Asked {
            action: "dynamodb:PutItem".to_owned(),
            leading_key: Some(partition.to_owned()),
            attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_guest_writes_what_he_may_into_his_partition_alone() {
        let access = Access::of([&guest()]).unwrap();
        let other_table = TABLE.replace("records", "items");
        let table = [
            (put("GUEST#1", &["pk", "sk", "data"]), TABLE, true),
            (put("GUEST#2", &["pk", "sk", "data"]), TABLE, false),
            (put("GUEST#10", &["pk", "sk"]), TABLE, false),
            (put("GUEST#1", &["pk", "sk", "expires_at"]), TABLE, false),
            (put("GUEST#1", &["pk", "sk", "data"]), &other_table, false),
            (put("PUBLIC#leaderboard", &["pk", "sk"]), TABLE, false),
            (Asked { action: "dynamodb:Query".to_owned(), ..put("PUBLIC#leaderboard", &["pk"]) }, TABLE, true),
            (Asked { action: "dynamodb:Query".to_owned(), ..put("GUEST#1", &["pk"]) }, TABLE, false),
            (Asked { action: "dynamodb:DeleteItem".to_owned(), ..put("GUEST#1", &["pk", "sk"]) }, TABLE, false),
            (Asked { leading_key: None, ..put("", &["pk", "sk"]) }, TABLE, false),
        ];
        for (asked, resource, expected) in table {
            assert_eq!(access.allows(&asked, resource).unwrap(), expected, "{asked:?} {resource}");
        }
    }

    #[test]
    fn a_refusal_is_stronger_and_the_local_iam_never_sees_it() {
        let deny = json!({
            "Effect": "Deny",
            "Action": "dynamodb:*",
            "Resource": "*",
            "Condition": { "ForAnyValue:StringEquals": { ATTRIBUTES: ["data"] } },
        });
        let mut policy = guest();
        policy["Statement"].as_array_mut().unwrap().push(deny);
        let access = Access::of([&policy]).unwrap();
        assert!(!access.allows(&put("GUEST#1", &["pk", "sk", "data"]), TABLE).unwrap());
        assert!(access.allows(&put("GUEST#1", &["pk", "sk"]), TABLE).unwrap());
        let given = for_local_iam(&policy);
        let given = given["Statement"].as_array().unwrap();
        assert_eq!(given.len(), 2);
        assert!(given.iter().all(|statement| statement.get("Condition").is_none()), "{given:?}");
    }

    #[test]
    fn the_local_iam_keeps_what_it_decides_itself() {
        let condition = json!({ "StringLike": { "s3:prefix": "users/*" }, "Null": { LEADING_KEYS: "false" } });
        let deny = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" });
        let policy = json!({ "Statement": [{ "Effect": "Allow", "Condition": condition }, deny] });
        let expected = json!({ "Effect": "Allow", "Condition": { "StringLike": { "s3:prefix": "users/*" } } });
        assert_eq!(for_local_iam(&policy)["Statement"], json!([expected, deny]));
    }

    #[test]
    fn a_condition_that_is_not_told_is_an_error() {
        let condition = json!({ "StringEquals": { "dynamodb:Select": "COUNT" } });
        let policy = json!({ "Statement": [{
            "Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*", "Condition": condition,
        }] });
        assert!(Access::of([&policy]).is_err());
    }
}
