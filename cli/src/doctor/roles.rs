//! IAM roles: who may take them, and what they may do.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use serde_json::{Map, Value};
use shared::inspection::{Look, RoleDocuments};

use super::recorder::unseen;

/// Looks at one role.
pub(super) async fn look(client: &Client, arn: &str) -> RoleDocuments {
    // A path may stand before the name.
    let name = arn.rsplit('/').next().unwrap_or_default();
    let trust = match client.get_role().role_name(name).send().await {
        Ok(answer) => answer.role().and_then(|role| role.assume_role_policy_document()).map_or(Look::Missing, decoded),
        Err(error) => unseen("iam:GetRole", &error),
    };
    if trust == Look::Missing {
        return RoleDocuments { trust, policies: Look::NotAsked };
    }
    let policies = policies(client, name).await.unwrap_or_else(|look| look);
    RoleDocuments { trust, policies }
}

async fn policies(client: &Client, role: &str) -> Result<Look, Look> {
    let mut found = Map::new();
    let inline = client.list_role_policies().role_name(role).into_paginator().items().send();
    let inline = inline.collect::<Result<Vec<_>, _>>().await.map_err(failed("iam:ListRolePolicies"))?;
    for name in inline {
        let answer = client.get_role_policy().role_name(role).policy_name(&name).send().await;
        let answer = answer.map_err(failed("iam:GetRolePolicy"))?;
        put(&mut found, name, answer.policy_document())?;
    }
    let attached = client.list_attached_role_policies().role_name(role).into_paginator().items().send();
    let attached = attached.collect::<Result<Vec<_>, _>>().await.map_err(failed("iam:ListAttachedRolePolicies"))?;
    for policy in attached {
        let arn = policy.policy_arn().unwrap_or_default();
        let answer = client.get_policy().policy_arn(arn).send().await.map_err(failed("iam:GetPolicy"))?;
        let version = answer.policy().and_then(|policy| policy.default_version_id()).unwrap_or("v1");
        let answer = client.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let answer = answer.map_err(failed("iam:GetPolicyVersion"))?;
        let document = answer.policy_version().and_then(|version| version.document()).unwrap_or_default();
        put(&mut found, policy.policy_name().unwrap_or(arn).to_owned(), document)?;
    }
    Ok(Look::Seen(Value::Object(found)))
}

fn failed<E: ProvideErrorMetadata, R>(call: &'static str) -> impl Fn(SdkError<E, R>) -> Look {
    move |error| match unseen(call, &error) {
        // The role was there a moment ago.
        Look::Missing => Look::Unseen { call: call.to_owned(), why: "it changed while it was looked at".to_owned() },
        look => look,
    }
}

/// Keeps a document by its name; one that cannot be read makes the whole unseen.
fn put(found: &mut Map<String, Value>, name: String, document: &str) -> Result<(), Look> {
    match decoded(document) {
        Look::Seen(value) => {
            found.insert(name, value);
            Ok(())
        }
        other => Err(other),
    }
}

/// IAM writes policy documents in percent-encoding.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
fn decoded(text: &str) -> Look {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair = if byte == b'%' { rest.next().zip(rest.next()) } else { None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match pair.and_then(|(high, low)| Some(digit(high)? * 16 + digit(low)?)) {
            Some(decoded) => bytes.push(decoded),
            None => bytes.push(byte),
        }
    }
    let read = serde_json::from_slice(&bytes);
    let unreadable = || Look::Unseen { call: "reading a policy".to_owned(), why: "it is not JSON".to_owned() };
    read.map_or_else(|_| unreadable(), Look::Seen)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_in_percent_encoding_and_plain() {
        for text in ["%7B%22a%22%3A%22%2A%22%7D", "{\"a\":\"*\"}", "%7b%22a%22:%22*%22%7d"] {
            assert_eq!(decoded(text), Look::Seen(json!({"a": "*"})), "{text}");
        }
        assert!(matches!(decoded("%7B"), Look::Unseen { .. }));
    }
}
