//! The functions that the pool's triggers name.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use std::collections::BTreeSet;

use serde_json::Value;

use super::statements::{Statement, allowing, is_like};
use super::{Documents, FunctionDocuments, Look};
use crate::findings::Findings;

const COGNITO: &str = "cognito-idp.amazonaws.com";

pub(super) fn look(documents: &Documents, findings: &mut Findings) {
    let pool = documents.pool_arn();
    for (arn, function) in &documents.functions {
        let triggers = named_by(documents, arn).join(", ");
        look_at(pool, arn, &triggers, function, findings);
    }
}

/// The triggers that name a function.
fn named_by(documents: &Documents, arn: &str) -> Vec<String> {
    let triggers = documents.pool.seen().and_then(|pool| pool.get("LambdaConfig")).and_then(Value::as_object);
    let names = |value: &Value| value == arn || value.get("LambdaArn").is_some_and(|named| named == arn);
    let named = triggers.into_iter().flatten().filter(|(_, value)| names(value));
    // Two members stand for one trigger.
    let unique: BTreeSet<String> = named.map(|(name, _)| name.trim_end_matches("Config").to_owned()).collect();
    unique.into_iter().collect()
}

fn look_at(pool: &str, arn: &str, triggers: &str, function: &FunctionDocuments, findings: &mut Findings) {
    if function.function == Look::Missing {
        let message = format!("does not exist, and the pool calls it ({triggers})");
        let why = "every sign-in or sign-up that needs it fails";
        let fix = "take it out of the pool's LambdaConfig, or deploy it again";
        findings.error("TriggerFunctionMissing", arn, [&message, why, fix]);
        return;
    }
    let statements = match &function.policy {
        Look::Missing => Vec::new(),
        Look::Seen(policy) => {
            let for_cognito = |one: &Statement<'_>| {
                let may = one.principals("Service").iter().any(|service| *service == COGNITO || *service == "*");
                may && one.means("lambda:InvokeFunction")
            };
            allowing(policy).into_iter().filter(for_cognito).collect()
        }
        Look::Unseen { .. } | Look::NotAsked => return,
    };
    let is_for_pool = |one: &Statement<'_>| {
        let sources = one.equals("AWS:SourceArn");
        sources.is_empty() || sources.iter().any(|source| is_like(source, pool))
    };
    let Some(permission) = statements.into_iter().find(is_for_pool) else {
        let message = format!("gives the pool no permission to call it ({triggers})");
        let why = "Cognito answers with UnexpectedLambdaException, and nobody gets further";
        let fix = format!("add lambda:InvokeFunction for {COGNITO} with the pool's ARN and account as sources");
        findings.error("TriggerWithoutPermission", arn, [&message, why, &fix]);
        return;
    };
    let without: Vec<&str> =
        ["AWS:SourceArn", "AWS:SourceAccount"].into_iter().filter(|key| permission.equals(key).is_empty()).collect();
    if !without.is_empty() {
        let message = format!("can be called on behalf of pools that are not yours: no {}", without.join(", no "));
        let why = "the permission is Cognito's as a whole, so anybody's pool can send it events";
        findings.warning("TriggerPermissionOpen", arn, [&message, why, "name SourceArn and SourceAccount in it"]);
    }
}
