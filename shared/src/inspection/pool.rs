//! The user pool itself.

use serde_json::Value;

use super::Documents;
use crate::claims::EventVersion;
use crate::findings::Findings;
use crate::rules::Rules;
use crate::sign_up::Mode;

pub(super) fn look(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    let Some(pool) = documents.pool.seen() else { return };
    let subject = documents.pool_arn();
    if pool.pointer("/UsernameConfiguration/CaseSensitive") != Some(&Value::Bool(false)) {
        let why = "\"Ann@example.com\" and \"ann@example.com\" can be two people, and one may pass for the other";
        let fix = "a pool cannot change it: make a new one with CaseSensitive = false and move the users there";
        findings.warning("PoolCaseSensitive", subject, ["tells user names apart by case", why, fix]);
    }
    if !holds(pool, "/UserAttributeUpdateSettings/AttributesRequireVerificationBeforeUpdate", "email") {
        let why = "a signed-in user can change his address to anybody's, and it counts before it is proved";
        let fix = "put \"email\" into AttributesRequireVerificationBeforeUpdate of UserAttributeUpdateSettings";
        findings.error("AddressChangeUnverified", subject, ["takes a new address at once", why, fix]);
    }
    plan(pool, subject, findings);
    if let Some(rules) = rules {
        sign_up(pool, subject, rules, findings);
        event_version(pool, subject, rules, findings);
    }
}

fn holds(document: &Value, pointer: &str, text: &str) -> bool {
    let list = document.pointer(pointer).and_then(Value::as_array);
    list.is_some_and(|items| items.iter().any(|item| item == text))
}

/// Whether people may sign up by themselves.
fn sign_up(pool: &Value, subject: &str, rules: &Rules, findings: &mut Findings) {
    let only_admins = pool.pointer("/AdminCreateUserConfig/AllowAdminCreateUserOnly") == Some(&Value::Bool(true));
    let has_trigger = text(pool, "/LambdaConfig/PreSignUp").is_some();
    match rules.sign_up.mode {
        _ if only_admins => {}
        Mode::Open => {}
        mode if !has_trigger => {
            let mode = if mode == Mode::Closed { "closed" } else { "invited" };
            let message = format!("lets everybody sign up, and the rules say mode = \"{mode}\"");
            let why = "there is no PreSignUp trigger, so nothing applies the rules";
            let fix = "attach the trigger, or set AllowAdminCreateUserOnly";
            findings.error("SelfSignUpOpen", subject, [&message, why, fix]);
        }
        Mode::Closed => {
            let message = "lets everybody sign up, and the rules say mode = \"closed\"";
            let why = "the PreSignUp trigger refuses them, and nothing else does";
            findings.warning("SelfSignUpOpen", subject, [message, why, "set AllowAdminCreateUserOnly"]);
        }
        Mode::Invited => {}
    }
    let tells_more = !rules.sign_up.forbidden_attributes.is_empty() || !rules.sign_up.blocked_domains.is_empty();
    if !has_trigger && !only_admins && rules.sign_up.mode == Mode::Open && tells_more {
        let why = "domains and attributes that the rules refuse are taken";
        findings.error("TriggerMissing", subject, ["has no PreSignUp trigger", why, "attach the trigger"]);
    }
}

/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PreTokenGenerationVersionConfigType.html>
fn event_version(pool: &Value, subject: &str, rules: &Rules, findings: &mut Findings) {
    let function = text(pool, "/LambdaConfig/PreTokenGenerationConfig/LambdaArn")
        .or_else(|| text(pool, "/LambdaConfig/PreTokenGeneration"));
    if function.is_none() {
        let why = "tokens carry neither tenant nor roles, so the authorizer lets nobody pass";
        findings.error("TriggerMissing", subject, ["has no PreTokenGeneration trigger", why, "attach the trigger"]);
        return;
    }
    let is = text(pool, "/LambdaConfig/PreTokenGenerationConfig/LambdaVersion").unwrap_or("V1_0");
    let (wanted, name) = match rules.claims.token_version {
        EventVersion::V1 => ("V1_0", "v1"),
        EventVersion::V2 => ("V2_0", "v2"),
        EventVersion::V3 => ("V3_0", "v3"),
    };
    if is != wanted {
        let message = format!("sends token events of version {is}, and the rules say token_version = \"{name}\"");
        let why = if is < wanted {
            "what the older event cannot carry is left out of the tokens"
        } else {
            "the rules are written for less than the pool asks about"
        };
        let fix = format!("set the template's TokenEventVersion (PreTokenGenerationConfig) to {wanted}");
        findings.error("TokenEventVersionDiffers", subject, [&message, why, &fix]);
    }
}

/// What the feature plan does not have.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html>
fn plan(pool: &Value, subject: &str, findings: &mut Findings) {
    let version = text(pool, "/LambdaConfig/PreTokenGenerationConfig/LambdaVersion").unwrap_or("V1_0");
    if text(pool, "/UserPoolTier") == Some("LITE") && version != "V1_0" {
        let message = format!("is on the plan Lite and asks for token events of version {version}");
        let why = "Lite has version V1_0 only: ID token, texts";
        findings.error(
            "PlanTooSmall",
            subject,
            [&message, why, "choose Essentials or Plus, or token_version = \"v1\""],
        );
    }
    let (one, two) = (
        text(pool, "/LambdaConfig/PreTokenGeneration"),
        text(pool, "/LambdaConfig/PreTokenGenerationConfig/LambdaArn"),
    );
    if let (Some(one), Some(two)) = (one, two)
        && one != two
    {
        let why = "Cognito wants both members to name one function";
        let fix = "name the same function in PreTokenGeneration and PreTokenGenerationConfig";
        findings.error("TriggersDiffer", subject, ["names two functions for one trigger", why, fix]);
    }
}

/// A text that is there; empty is absent.
pub(super) fn text<'a>(document: &'a Value, pointer: &str) -> Option<&'a str> {
    document.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}
