//! A session of its own for each user: the chosen role's policies with what the
//! identity pool knows of him in place of the variables.
//!
//! IAM does that when it decides. The local one does not know the variables, so
//! each session gets a role whose policies hold the values. A variable that has
//! no value makes its statement void, as in IAM. What a session may do to a table
//! is kept here for [the other evaluator](super::access).
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_iam::error::ProvideErrorMetadata;
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::access::{Access, for_local_iam};

/// What the identity pool knows of a session, by the names that policies use.
#[derive(Debug)]
pub struct Facts(BTreeMap<String, String>);

const IDENTITY: &str = "cognito-identity.amazonaws.com:";
const TAG: &str = "aws:principaltag/";

impl Facts {
    /// The facts of one identity. Names are compared without case.
    pub fn new(identity: &str, pool: &str, guest: bool, tags: &[(String, String)]) -> Self {
        let amr = if guest { "unauthenticated" } else { "authenticated" };
        let own = [("sub", identity), ("aud", pool), ("amr", amr)];
        let own = own.map(|(name, value)| (format!("{IDENTITY}{name}"), value.to_owned()));
        let tags = tags.iter().map(|(tag, value)| (format!("{TAG}{}", tag.to_lowercase()), value.clone()));
        Self(own.into_iter().chain(tags).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// A policy for this session. A condition that cannot be decided here is an
    /// error: it must not quietly hold, nor quietly fail.
    fn filled(&self, policy: &Value) -> Result<Value> {
        let statements = match policy.get("Statement") {
            Some(Value::Array(all)) => all.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let mut kept = Vec::new();
        for statement in statements {
            let Value::Object(statement) = statement else { bail!("a policy has a statement that is none") };
            kept.extend(self.statement(statement)?);
        }
        Ok(json!({ "Version": "2012-10-17", "Statement": kept }))
    }

    /// `None` for a statement that is void in this session.
    fn statement(&self, mut statement: Map<String, Value>) -> Result<Option<Map<String, Value>>> {
        let conditions = statement.remove("Condition").unwrap_or_else(|| json!({}));
        let Value::Object(mut conditions) = conditions else { bail!("a policy has a condition that is none") };
        if !self.decide_nulls(&mut conditions) {
            return Ok(None);
        }
        let keys = conditions.values().filter_map(Value::as_object).flat_map(|keys| keys.keys());
        if let Some(key) = keys.into_iter().find(|key| is_known(key)) {
            bail!("a condition on {key} cannot be imitated");
        }
        if !conditions.is_empty() {
            statement.insert("Condition".to_owned(), Value::Object(conditions));
        }
        let mut void = false;
        let mut whole = Value::Object(statement);
        self.fill(&mut whole, &mut void)?;
        match (whole, void) {
            (Value::Object(statement), false) => Ok(Some(statement)),
            (whole, _) if whole.get("Effect") == Some(&json!("Deny")) => bail!("a refusal hangs on a missing tag"),
            _ => Ok(None),
        }
    }

    /// Decides the `Null` conditions on what is known here, and takes them out.
    fn decide_nulls(&self, conditions: &mut Map<String, Value>) -> bool {
        let Some(Value::Object(nulls)) = conditions.get_mut("Null") else { return true };
        let holds = |key: &str, wanted: &Value| {
            let wanted_null = wanted == &json!("true") || wanted == &json!(true) || wanted == &json!(["true"]);
            self.get(key).is_none() == wanted_null
        };
        let all = nulls.iter().filter(|(key, _)| is_known(key)).all(|(key, wanted)| holds(key, wanted));
        nulls.retain(|key, _| !is_known(key));
        if nulls.is_empty() {
            conditions.remove("Null");
        }
        all
    }

    fn fill(&self, value: &mut Value, void: &mut bool) -> Result<()> {
        match value {
            Value::String(text) => match self.text(text)? {
                Some(filled) => *text = filled,
                None => *void = true,
            },
            Value::Array(all) => all.iter_mut().try_for_each(|one| self.fill(one, void))?,
            Value::Object(all) => all.values_mut().try_for_each(|one| self.fill(one, void))?,
            _ => {}
        }
        Ok(())
    }

    /// A text with its variables filled in; `None` when one has no value. Other
    /// variables stay, for IAM.
    fn text(&self, text: &str) -> Result<Option<String>> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else { break };
            filled.push_str(before);
            match self.get(name) {
                _ if !is_known(name) => filled.push_str(&format!("${{{name}}}")),
                // In IAM a value is a text; here it would become a pattern.
                Some(value) if value.contains(['*', '?', '$']) => bail!("the value of {name} cannot stand in a policy"),
                Some(value) => filled.push_str(value),
                None => return Ok(None),
            }
            rest = behind;
        }
        filled.push_str(rest);
        Ok(Some(filled))
    }
}

/// Whether the identity pool gives this key, or may.
fn is_known(key: &str) -> bool {
    let key = key.to_lowercase();
    key.starts_with(IDENTITY) || key.starts_with(TAG)
}

/// Makes sessions.
#[derive(Debug)]
pub struct Sessions {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    /// By the access key of the credentials.
    given: Mutex<HashMap<String, Access>>,
}

impl Sessions {
    /// Makes them with the account's own key.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        let (iam, sts) = (aws_sdk_iam::Client::new(config), aws_sdk_sts::Client::new(config));
        Self { iam, sts, given: Mutex::default() }
    }

    /// What a session may do to tables; `None` for everybody else.
    pub fn access(&self, key: &str) -> Option<Access> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Credentials of `role`, as it is for this session.
    /// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_Credentials.html>
    pub async fn of(&self, role: &str, facts: &Facts) -> Result<Value> {
        let chosen = role.rsplit('/').next().unwrap_or(role);
        let mut filled = Vec::new();
        for (name, policy) in self.policies(chosen).await? {
            let policy = facts.filled(&policy)?;
            // IAM takes no policy without a statement.
            if policy.pointer("/Statement/0").is_some() {
                filled.push((name, policy));
            }
        }
        let access = Access::of(filled.iter().map(|(_, policy)| policy))?;
        let arn = self.role(chosen, &filled).await?;
        let given = self.sts.assume_role().role_arn(arn).role_session_name("CognitoIdentityCredentials").send().await;
        let given = given.context("the role of a session cannot be taken on")?.credentials.context("no credentials")?;
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(given.access_key_id.clone(), access);
        Ok(json!({
            "AccessKeyId": given.access_key_id,
            "SecretKey": given.secret_access_key,
            "SessionToken": given.session_token,
            "Expiration": given.expiration.secs(),
        }))
    }

    /// The policies that are written into a role, and those that are attached.
    async fn policies(&self, role: &str) -> Result<Vec<(String, Value)>> {
        let names = self.iam.list_role_policies().role_name(role).send().await;
        let names = names.with_context(|| format!("the policies of {role} cannot be read"))?.policy_names;
        let attached = self.iam.list_attached_role_policies().role_name(role).send().await?;
        if !attached.attached_policies().is_empty() {
            bail!("{role} has attached policies, which are not imitated");
        }
        let mut found = Vec::new();
        for name in names {
            let policy = self.iam.get_role_policy().role_name(role).policy_name(&name).send().await?;
            found.push((name, document(&policy.policy_document)?));
        }
        Ok(found)
    }

    /// The role of a session; the same for the same policies.
    async fn role(&self, chosen: &str, policies: &[(String, Value)]) -> Result<String> {
        let hash = digest(&SHA256, json!([chosen, policies]).to_string().as_bytes());
        let hash: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}-{hash}", chosen.chars().take(40).collect::<String>());
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": { "AWS": "arn:aws:iam::000000000000:root" },
            }],
        });
        let made = self.iam.create_role().role_name(&name).assume_role_policy_document(trust.to_string()).send().await;
        match made {
            Ok(_) => {}
            Err(error) if error.code() == Some("EntityAlreadyExists") => {}
            Err(error) => return Err(error).context("a session's role cannot be made"),
        }
        for (policy, document) in policies {
            let put = self.iam.put_role_policy().role_name(&name).policy_name(policy);
            put.policy_document(for_local_iam(document).to_string())
                .send()
                .await
                .context("a session's policy cannot be written")?;
        }
        let role = self.iam.get_role().role_name(&name).send().await?.role.context("a session's role is gone")?;
        Ok(role.arn)
    }
}

/// A policy document as IAM gives it, percent-encoded.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>
fn document(text: &str) -> Result<Value> {
    if let Ok(policy) = serde_json::from_str(text) {
        return Ok(policy);
    }
    let url = Url::parse(&format!("http://localhost/?p={}", text.replace('+', "%2B")))?;
    let decoded = url.query_pairs().next().map(|(_, value)| value.into_owned()).unwrap_or_default();
    serde_json::from_str(&decoded).context("a role's policy is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Facts {
        let tags = [("tenant", "acme"), ("subject", "a-1")].map(|(tag, value)| (tag.to_owned(), value.to_owned()));
        Facts::new("us-east-1:i", "us-east-1:p", false, &tags)
    }

    fn statement(resource: &str, condition: Value) -> Value {
        json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource, "Condition": condition })
    }

    #[test]
    fn variables_are_filled_in_and_a_missing_one_voids_the_statement() {
        let table = [
            ("b/users/${aws:PrincipalTag/subject}/*", Some("b/users/a-1/*")),
            ("b/${AWS:principaltag/Tenant}/${cognito-identity.amazonaws.com:sub}", Some("b/acme/us-east-1:i")),
            ("b/${aws:PrincipalTag/role}/*", None),
            ("b/${aws:username}/${aws:PrincipalTag/tenant}", Some("b/${aws:username}/acme")),
            ("b/public/*", Some("b/public/*")),
            ("b/${unclosed", Some("b/${unclosed")),
        ];
        for (resource, expected) in table {
            let filled = ann().filled(&json!({ "Statement": statement(resource, json!({})) })).unwrap();
            let found = filled["Statement"].as_array().unwrap().first().map(|one| one["Resource"].as_str().unwrap());
            assert_eq!(found, expected, "{resource}");
        }
    }

    #[test]
    fn a_null_condition_on_a_tag_is_decided_and_others_stay() {
        let table = [
            (json!({ "Null": { "aws:PrincipalTag/subject": "false" } }), Some(Value::Null)),
            (json!({ "Null": { "aws:PrincipalTag/role": "false" } }), None),
            (json!({ "Null": { "aws:PrincipalTag/role": "true" } }), Some(Value::Null)),
            (json!({ "Null": { "aws:PrincipalTag/subject": "true" } }), None),
            (
                json!({ "Null": { "dynamodb:LeadingKeys": "false", "aws:PrincipalTag/subject": "false" } }),
                Some(json!({ "Null": { "dynamodb:LeadingKeys": "false" } })),
            ),
            (
                json!({ "StringLike": { "s3:prefix": ["users/${aws:PrincipalTag/subject}/*"] } }),
                Some(json!({ "StringLike": { "s3:prefix": ["users/a-1/*"] } })),
            ),
            (json!({ "StringLike": { "s3:prefix": ["${aws:PrincipalTag/role}/*"] } }), None),
        ];
        for (condition, expected) in table {
            let filled = ann().filled(&json!({ "Statement": [statement("b/*", condition.clone())] })).unwrap();
            let found = filled["Statement"].as_array().unwrap().first().map(|one| one["Condition"].clone());
            assert_eq!(found, expected, "{condition}");
        }
    }

    #[test]
    fn what_cannot_be_imitated_is_an_error() {
        let wild = Facts::new("i", "p", true, &[("tenant".to_owned(), "*".to_owned())]);
        assert!(wild.filled(&json!({ "Statement": statement("b/${aws:PrincipalTag/tenant}/*", json!({})) })).is_err());
        let tag = json!({ "StringEquals": { "aws:PrincipalTag/tenant": "acme" } });
        assert!(ann().filled(&json!({ "Statement": statement("b/*", tag) })).is_err());
        let deny = json!({ "Effect": "Deny", "Action": "*", "Resource": "b/${aws:PrincipalTag/role}" });
        assert!(ann().filled(&json!({ "Statement": deny })).is_err());
    }

    #[test]
    fn a_policy_is_read_as_iam_encodes_it() {
        let policy = json!({ "Resource": "a+b ü/${x}" });
        let text = policy.to_string();
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for text in [text, encoded] {
            assert_eq!(document(&text).unwrap(), policy, "{text}");
        }
    }
}
