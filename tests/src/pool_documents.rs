//! Documents of user pools, made from the service's own model, so that together
//! they use every setting there is.

#![expect(clippy::indexing_slicing, reason = "a missing member of JSON is null, and writing one makes it")]

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::binaries::workspace_root;

/// The id of every pool that is made here.
pub const POOL_ID: &str = "us-east-1_Example1";

/// Its ARN.
pub const POOL_ARN: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Example1";

/// A trigger that is not this suite's.
pub const FOREIGN: &str = "arn:aws:lambda:us-east-1:123456789012:function:somebody-elses";

/// The part of the service model that says what a user pool holds.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// The version of the package that it was taken from.
    pub version: String,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shape {
    r#type: String,
    members: BTreeMap<String, String>,
    member: String,
    key: String,
    value: String,
    r#enum: Vec<String>,
    required: Vec<String>,
    min: Option<u64>,
    max: Option<u64>,
}

/// Which of the optional members a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Every one.
    All,
    /// Each or not, as it falls.
    Some,
    /// None.
    None,
}

impl Model {
    /// Reads the model that lies beside the tests.
    pub fn read() -> Result<Self> {
        let path = workspace_root().join("tests/data/cognito-user-pool.model.json");
        serde_json::from_str(&std::fs::read_to_string(&path)?).with_context(|| path.display().to_string())
    }

    /// The members of a structure.
    pub fn members(&self, shape: &str) -> BTreeSet<&str> {
        self.shapes.get(shape).into_iter().flat_map(|shape| shape.members.keys()).map(String::as_str).collect()
    }

    /// The path of every setting below a structure.
    pub fn paths(&self, shape: &str) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        self.collect(shape, "", &mut paths);
        paths
    }

    fn collect(&self, name: &str, path: &str, into: &mut BTreeSet<String>) {
        let Some(shape) = self.shapes.get(name) else { return };
        match shape.r#type.as_str() {
            "structure" => {
                shape.members.iter().for_each(|(member, name)| self.collect(name, &format!("{path}/{member}"), into));
            }
            "list" => self.collect(&shape.member, &format!("{path}/*"), into),
            "map" => self.collect(&shape.value, &format!("{path}/*"), into),
            _ => drop(into.insert(path.to_owned())),
        }
    }

    /// `UserPool` as `DescribeUserPool` would answer.
    pub fn pool(&self, fill: Fill, seed: u64) -> Value {
        let mut pool = self.document("UserPoolType", fill, seed);
        pool["Id"] = json!(POOL_ID);
        pool["Arn"] = json!(POOL_ARN);
        pool["Name"] = json!("people");
        if let Some(days) = pool.pointer("/Policies/PasswordPolicy/TemporaryPasswordValidityDays").cloned()
            && let Some(old_name) = pool.pointer_mut("/AdminCreateUserConfig/UnusedAccountValidityDays")
        {
            // The service keeps the two alike.
            *old_name = days;
        }
        pool
    }

    /// What `GetUserPoolMfaConfig` would answer; no factor is on when all is off.
    pub fn mfa(&self, fill: Fill, seed: u64) -> Value {
        let mut mfa = self.document("GetUserPoolMfaConfigResponse", fill, seed);
        if mfa.get("MfaConfiguration").is_none_or(|mode| mode == "OFF") {
            mfa["MfaConfiguration"] = json!(if fill == Fill::All { "ON" } else { "OFF" });
        }
        if mfa["MfaConfiguration"] == "OFF"
            && let Some(members) = mfa.as_object_mut()
        {
            members.retain(|name, _| ["MfaConfiguration", "WebAuthnConfiguration"].contains(&name.as_str()));
        }
        mfa
    }

    /// `UserPoolClient` as `DescribeUserPoolClient` would answer.
    pub fn client(&self, id: &str, fill: Fill, seed: u64) -> Value {
        let mut client = self.document("UserPoolClientType", fill, seed);
        client["UserPoolId"] = json!(POOL_ID);
        client["ClientId"] = json!(id);
        client
    }

    fn document(&self, shape: &str, fill: Fill, seed: u64) -> Value {
        self.value(shape, "", fill, &mut Chance(seed))
    }

    fn value(&self, name: &str, member: &str, fill: Fill, chance: &mut Chance) -> Value {
        let Some(shape) = self.shapes.get(name) else { return Value::Null };
        match shape.r#type.as_str() {
            "structure" => self.structure(shape, fill, chance),
            "list" => {
                let least = shape.min.unwrap_or(0).max(u64::from(fill == Fill::All));
                let most = shape.max.unwrap_or(3).min(3).max(least);
                let items = (0..chance.between(least, most)).map(|_| self.value(&shape.member, "", fill, chance));
                let mut distinct: Vec<Value> = Vec::new();
                for item in items {
                    if !distinct.contains(&item) {
                        distinct.push(item);
                    }
                }
                Value::Array(distinct)
            }
            "map" => {
                let entry = |chance: &mut Chance| {
                    let key = if shape.key == "AcrLevelKeyType" { "Level1".to_owned() } else { chance.text(1) };
                    (key, self.value(&shape.value, "", fill, chance))
                };
                (0..chance.between(u64::from(fill == Fill::All), 3)).map(|_| entry(chance)).collect()
            }
            "boolean" => json!(chance.between(0, 1) == 1),
            "integer" => json!(chance.between(shape.min.unwrap_or(0), shape.max.unwrap_or(1_000))),
            "timestamp" => json!(1_700_000_000.0 + chance.between(0, 1_000_000) as f64 / 8.0),
            _ => match shape.r#enum.as_slice() {
                [] if name == "ArnType" || member.ends_with("Arn") => json!(FOREIGN),
                [] => json!(chance.text(shape.min.unwrap_or(0))),
                known => json!(known.get(chance.between(0, known.len() as u64 - 1) as usize)),
            },
        }
    }

    fn structure(&self, shape: &Shape, fill: Fill, chance: &mut Chance) -> Value {
        let mut members = Map::new();
        for (member, name) in &shape.members {
            let there = match fill {
                Fill::All => true,
                Fill::None => false,
                Fill::Some => chance.between(0, 2) > 0,
            };
            if there || shape.required.contains(member) {
                members.insert(member.clone(), self.value(name, member, fill, chance));
            }
        }
        Value::Object(members)
    }
}

/// Every path that a document has a value at, as [`Model::paths`] writes them.
pub fn paths_of(document: &Value, model_paths: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(document, "", model_paths, &mut found);
    found
}

fn walk(value: &Value, path: &str, known: &BTreeSet<String>, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let is_map = !members.keys().any(|name| {
                let below = format!("{path}/{name}");
                known.iter().any(|known| *known == below || known.starts_with(&format!("{below}/")))
            });
            for (name, value) in members {
                let below = if is_map { format!("{path}/*") } else { format!("{path}/{name}") };
                walk(value, &below, known, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}/*"), known, into)),
        _ => drop(into.insert(path.to_owned())),
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    fn text(&mut self, least: u64) -> String {
        const SIGNS: [char; 12] = ['a', 'Z', '0', '-', ' ', '{', '#', '"', '\\', 'ä', '字', '😀'];
        let length = self.between(least, least.max(6) + 6);
        (0..length).filter_map(|_| SIGNS.get(self.between(0, SIGNS.len() as u64 - 1) as usize)).collect()
    }
}
