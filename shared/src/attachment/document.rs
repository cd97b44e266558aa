//! From the document that was read to the request that writes it as it was.

use serde_json::{Map, Value};

use super::members::{CLIENT, FACTORS, MFA, Members, POOL};
use super::plan::Refusal;
use super::slot::is_nothing;

/// Tags of this prefix are the service's own; nobody can send them.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html#tag-conventions>
const RESERVED_TAGS: &str = "aws:";

/// The `UpdateUserPool` that leaves everything as it is, but for the triggers.
pub fn pool_request(pool: &Value, triggers: &Map<String, Value>) -> Result<Value, Refusal> {
    let mut request = sendable(pool, &POOL)?;
    let id = pool.get("Id").filter(|id| !is_nothing(id)).ok_or(Refusal::Unreadable(POOL.read_by))?;
    request.insert("UserPoolId".to_owned(), id.clone());
    if let Some(name) = pool.get("Name").filter(|name| !is_nothing(name)) {
        request.insert("PoolName".to_owned(), name.clone());
    }
    request.insert("LambdaConfig".to_owned(), Value::Object(triggers.clone()));
    if let Some(tags) = request.get_mut("UserPoolTags").and_then(Value::as_object_mut) {
        tags.retain(|key, _| !key.starts_with(RESERVED_TAGS));
    }
    leave_out_old_name_of_days(&mut request);
    Ok(Value::Object(request))
}

/// The old name of the days that a temporary password is good for is refused
/// beside the new one, which says the same.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html>
fn leave_out_old_name_of_days(request: &mut Map<String, Value>) {
    let days =
        request.get("Policies").and_then(|policies| policies.pointer("/PasswordPolicy/TemporaryPasswordValidityDays"));
    if days.is_none() {
        return;
    }
    if let Some(config) = request.get_mut("AdminCreateUserConfig").and_then(Value::as_object_mut) {
        config.remove("UnusedAccountValidityDays");
        if config.is_empty() {
            request.remove("AdminCreateUserConfig");
        }
    }
}

/// The `SetUserPoolMfaConfig` that brings a pool back to what was read.
///
/// The call replaces all of it, and takes no factor together with `OFF`.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetUserPoolMfaConfig.html>
pub fn mfa_request(pool_id: &str, mfa: &Value) -> Result<Value, Refusal> {
    let mut request = sendable(mfa, &MFA)?;
    let mode = request.entry("MfaConfiguration").or_insert_with(|| Value::from("OFF"));
    if mode.as_str() == Some("OFF") {
        request.retain(|name, _| !FACTORS.contains(&name.as_str()));
    }
    request.insert("UserPoolId".to_owned(), Value::from(pool_id));
    Ok(Value::Object(request))
}

/// The `UpdateUserPoolClient` that brings a client back to what was read.
pub fn client_request(client: &Value) -> Result<Value, Refusal> {
    sendable(client, &CLIENT).map(Value::Object)
}

/// What of a document can be sent; a member that is neither sent nor known to
/// be the service's own is a refusal: left out, it would be lost.
fn sendable(document: &Value, members: &Members) -> Result<Map<String, Value>, Refusal> {
    let document = document.as_object().ok_or(Refusal::Unreadable(members.read_by))?;
    let known = |name: &str| members.sent.contains(&name) || members.read_only.contains(&name);
    let unknown: Vec<String> = document
        .iter()
        .filter(|(name, value)| !known(name) && !matches!(value, Value::Null))
        .map(|(name, _)| name.clone())
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::UnknownMembers { read_by: members.read_by, names: unknown });
    }
    let sent = document.iter().filter(|(name, _)| members.sent.contains(&name.as_str()));
    Ok(sent.filter_map(|(name, value)| Some((name.clone(), cleared(name, value)?))).collect())
}

/// The value without what is not there: a text that was never set is answered
/// as an empty one, which no request takes. A tag's value may well be empty.
pub(super) fn cleared(name: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Object(tags) if name == "UserPoolTags" => Some(Value::Object(tags.clone())),
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| Some((name.clone(), cleared(name, value)?)));
            let kept: Map<String, Value> = kept.collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        plain => Some(plain.clone()),
    }
}
