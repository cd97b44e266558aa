//! Whether anything else moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::document::cleared;
use super::members::VOLATILE;

/// All that was read of a pool, raw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// `UserPool` of `DescribeUserPool`.
    pub pool: Value,
    /// What `GetUserPoolMfaConfig` answered.
    pub mfa: Value,
    /// `UserPoolClient` of `DescribeUserPoolClient` for each client, without its
    /// secret.
    pub clients: BTreeMap<String, Value>,
}

impl Snapshot {
    /// The triggers as they stand.
    pub fn triggers(&self) -> Map<String, Value> {
        self.pool.get("LambdaConfig").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

/// One field that is not what it should be. The values are not for logs: a
/// pool's settings hold an external id.
#[derive(Clone, PartialEq)]
pub struct Difference {
    /// Where it is, such as `pool.Policies.PasswordPolicy.MinimumLength`.
    pub path: String,
    /// What it should be; `None` when it should not be there.
    pub expected: Option<Value>,
    /// What it is; `None` when it is not there.
    pub found: Option<Value>,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Difference").field(&self.path).finish()
    }
}

/// The places of differences, for a sentence.
pub fn difference_paths(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.path.as_str()).collect::<Vec<_>>().join(", ")
}

/// Every field in which `after` is not `before` with these triggers. What the
/// service changes by itself does not count, nor does a client that came or
/// went: no update of a pool makes one.
pub fn differences(before: &Snapshot, after: &Snapshot, triggers: &Map<String, Value>) -> Vec<Difference> {
    let mut expected = settings(&before.pool);
    expected.insert("LambdaConfig".to_owned(), Value::Object(triggers.clone()));
    let mut found = Vec::new();
    object("pool", &expected, &settings(&after.pool), &mut found);
    found.retain(|difference| !mirrors_the_days(difference, &after.pool));
    value("mfa", &before.mfa, &after.mfa, &mut found);
    for (id, client) in &before.clients {
        if let Some(now) = after.clients.get(id) {
            object(&format!("client {id}"), &settings(client), &settings(now), &mut found);
        }
    }
    found
}

/// The pool's settings, each by its name, without those that the service moves.
fn settings(document: &Value) -> Map<String, Value> {
    let members = document.as_object().into_iter().flatten();
    members.filter(|(name, _)| !VOLATILE.contains(&name.as_str())).map(|(name, v)| (name.clone(), v.clone())).collect()
}

/// The old name of the days cannot be sent beside the new one, and follows it.
fn mirrors_the_days(difference: &Difference, pool: &Value) -> bool {
    let days = pool.pointer("/Policies/PasswordPolicy/TemporaryPasswordValidityDays");
    difference.path == "pool.AdminCreateUserConfig.UnusedAccountValidityDays"
        && days.is_some()
        && (difference.found.is_none() || difference.found.as_ref() == days)
}

fn value(path: &str, expected: &Value, found: &Value, into: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => object(path, expected, found, into),
        _ if text(expected) == text(found) => {}
        _ => into.push(Difference {
            path: path.to_owned(),
            expected: Some(expected.clone()).filter(|value| !value.is_null()),
            found: Some(found.clone()).filter(|value| !value.is_null()),
        }),
    }
}

fn object(path: &str, expected: &Map<String, Value>, found: &Map<String, Value>, into: &mut Vec<Difference>) {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        // Within tags an empty text is a value of its own.
        let present = |map: &Map<String, Value>| {
            let value = map.get(name)?;
            if path.ends_with("UserPoolTags") { Some(value.clone()) } else { cleared(name, value) }
        };
        let (expected, found) = (present(expected), present(found));
        let path = format!("{path}.{name}");
        match (expected, found) {
            (None, None) => {}
            (Some(expected), Some(found)) => value(&path, &expected, &found, into),
            // Nothing in it is the same as not being there.
            (Some(only), None) | (None, Some(only)) if is_empty(&only) => {}
            (Some(Value::Object(expected)), None) => object(&path, &expected, &Map::new(), into),
            (None, Some(Value::Object(found))) => object(&path, &Map::new(), &found, into),
            (expected, found) => into.push(Difference { path, expected, found }),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// One text for each meaning: members by name, and lists, which are all sets in
/// these documents, in one order.
fn text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, String> = members.iter().map(|(name, value)| (name, text(value))).collect();
            format!("{sorted:?}")
        }
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(text).collect();
            texts.sort();
            format!("[{}]", texts.join(","))
        }
        plain => plain.to_string(),
    }
}

/// A short fingerprint of each setting but the triggers, for [`moved_since`].
pub fn fingerprints(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut members = settings(&snapshot.pool);
    members.remove("LambdaConfig");
    let pool = members.iter().map(|(name, value)| (format!("pool.{name}"), cleared(name, value)));
    let all = pool.chain([("mfa".to_owned(), cleared("mfa", &snapshot.mfa))]);
    let shown = all.filter_map(|(path, value)| Some((path, value.filter(|value| !is_empty(value))?)));
    shown.map(|(path, value)| (path, format!("{:016x}", fnv1a(&text(&value))))).collect()
}

/// The settings that are not as they were when the fingerprints were taken.
pub fn moved_since(fingerprints_before: &BTreeMap<String, String>, now: &Snapshot) -> Vec<String> {
    let now = fingerprints(now);
    let paths: BTreeSet<&String> = fingerprints_before.keys().chain(now.keys()).collect();
    paths.into_iter().filter(|path| fingerprints_before.get(*path) != now.get(*path)).cloned().collect()
}

/// Tells settings apart; guards nothing.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
