//! What an operator expects, and where the rules say otherwise.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Explanation, Newcomer};

/// What is expected of one person; what is left out is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// "accept", or the code of the refusal of his sign-up.
    pub sign_up: Option<String>,
    /// The tenant that he acts in; "" for none.
    pub tenant: Option<String>,
    /// All his roles there.
    pub roles: Option<BTreeSet<String>>,
    /// Why he acts where he does, such as "ChoiceMissing".
    pub reason: Option<String>,
    /// The code of the refusal when he gets no token.
    pub refused: Option<String>,
    /// What the ID token carries.
    pub id: ClaimsExpected,
    /// What the access token carries.
    pub access: ClaimsExpected,
    /// All scopes of the access token.
    pub scopes: Option<BTreeSet<String>>,
    /// All groups that the tokens carry.
    pub groups: Option<BTreeSet<String>>,
    /// The IAM role; "" for no credentials.
    pub iam_role: Option<String>,
    /// Requests that pass with one of his tokens, such as "GET /items/7".
    pub allow: Vec<String>,
    /// Requests that pass with none.
    pub deny: Vec<String>,
}

/// What is expected of the claims of one token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsExpected {
    /// Claims with their values.
    pub has: Map<String, Value>,
    /// Claims that are not there.
    pub lacks: Vec<String>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mismatch {
    /// What it is about, such as `id.has.tenant`.
    pub what: String,
    /// What was expected.
    pub expected: Value,
    /// What is.
    pub found: Value,
    /// The key of the rule file that has the say, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Expectation {
    /// The requests that the explanation has to answer; what is not a method and
    /// a path comes back as it is.
    pub fn requests(&self) -> Result<Vec<(String, String)>, String> {
        let read = |text: &String| {
            let (method, path) = text.split_once(' ').ok_or_else(|| text.clone())?;
            Ok((method.to_owned(), path.to_owned()))
        };
        self.allow.iter().chain(&self.deny).map(read).collect()
    }

    /// Everything that is not as expected.
    pub fn check(&self, explanation: &Explanation, newcomer: &Newcomer) -> Vec<Mismatch> {
        let mut found = Mismatches::default();
        if let Some(expected) = &self.sign_up {
            found.compare("sign_up", json!(expected), json!(newcomer.sign_up), None);
        }
        let told = &explanation.tenancy;
        let active = told.active.as_ref().map_or("", |tenant| tenant.as_str());
        found.compare_some("tenant", self.tenant.as_ref(), json!(active));
        found.compare_some("roles", self.roles.as_ref(), json!(told.roles));
        found.compare_some("reason", self.reason.as_ref(), json!(told.reason));
        let refused = explanation.refused.map(|code| json!(code)).unwrap_or_default();
        match (&self.refused, explanation.refused) {
            (Some(expected), _) => found.compare("refused", json!(expected), refused, None),
            // Without tokens nothing below could be compared.
            (None, Some(_)) => found.compare("refused", Value::Null, refused, None),
            (None, None) => self.check_tokens(explanation, &mut found),
        }
        found.0
    }

    fn check_tokens(&self, explanation: &Explanation, found: &mut Mismatches) {
        let empty = Map::new();
        let claims = |kind: &str| explanation.tokens.iter().find(|token| token.token == kind).map(|token| &token.after);
        self.id.check("id", claims("id").unwrap_or(&empty), explanation, found);
        let access = claims("access").unwrap_or(&empty);
        self.access.check("access", access, explanation, found);
        let scope = access.get("scope").and_then(Value::as_str).unwrap_or_default();
        let scopes: BTreeSet<&str> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
        found.compare_some("scopes", self.scopes.as_ref(), json!(scopes));
        let groups: BTreeSet<&String> = explanation.groups.groups.iter().collect();
        found.compare_some("groups", self.groups.as_ref(), json!(groups));
        if let Some(expected) = &self.iam_role {
            let told = explanation.iam_role.as_ref();
            let role = told.and_then(|told| told.role.as_deref()).unwrap_or_default();
            found.compare("iam_role", json!(expected), json!(role), told.and_then(|told| told.rule.clone()));
        }
        for (key, texts, wanted) in [("allow", &self.allow, true), ("deny", &self.deny, false)] {
            for text in texts {
                let passes = text.split_once(' ').and_then(|(method, path)| explanation.passes(method, path));
                if passes != Some(wanted) {
                    let told =
                        explanation.requests.iter().find(|told| format!("{} {}", told.method, told.path) == *text);
                    let answers = told.map(|told| json!(told.answers)).unwrap_or_default();
                    found.0.push(Mismatch {
                        what: format!("{key} {text}"),
                        expected: json!(key),
                        found: answers,
                        rule: None,
                    });
                }
            }
        }
    }
}

impl ClaimsExpected {
    fn check(&self, kind: &str, claims: &Map<String, Value>, explanation: &Explanation, found: &mut Mismatches) {
        // The entry that gave the claim, or the first that might have.
        let rule = |name: &String| {
            let mut entries = explanation.claims.iter().filter(|entry| entry.claim == *name && entry.token == kind);
            let given = entries.clone().find(|entry| entry.outcome == "Added");
            given.or_else(|| entries.next()).map(|entry| format!("{} {}", entry.path, entry.outcome))
        };
        for (name, expected) in &self.has {
            let is = claims.get(name).cloned().unwrap_or_default();
            found.compare(&format!("{kind}.has.{name}"), expected.clone(), is, rule(name));
        }
        for name in &self.lacks {
            let is = claims.get(name).cloned().unwrap_or_default();
            found.compare(&format!("{kind}.lacks.{name}"), Value::Null, is, rule(name));
        }
    }
}

#[derive(Default)]
struct Mismatches(Vec<Mismatch>);

impl Mismatches {
    fn compare(&mut self, what: &str, expected: Value, found: Value, rule: Option<String>) {
        if expected != found {
            self.0.push(Mismatch { what: what.to_owned(), expected, found, rule });
        }
    }

    fn compare_some(&mut self, what: &str, expected: Option<&impl Serialize>, found: Value) {
        if let Some(expected) = expected {
            self.compare(what, json!(expected), found, None);
        }
    }
}
