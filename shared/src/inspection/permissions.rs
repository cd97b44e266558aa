//! What the roles of an identity pool may do.

use serde_json::Value;

use super::Documents;
use super::pool::text;
use super::statements::{Statement, allowing};
use crate::findings::Findings;

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// What reads or writes items, one action for each way in.
const ITEM_ACTIONS: [&str; 11] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
];

pub(super) fn look(documents: &Documents, findings: &mut Findings) {
    let roles = documents.identity_pool_roles.seen();
    let guest = roles.and_then(|roles| text(roles, "/Roles/unauthenticated"));
    for (arn, role) in &documents.roles {
        let policies = role.policies.seen().and_then(Value::as_object);
        for (name, policy) in policies.into_iter().flatten() {
            let subject = format!("{arn} (policy {name})");
            for statement in allowing(policy) {
                if guest == Some(arn.as_str()) {
                    for_guests(&subject, statement, findings);
                } else if statement.texts("Action").contains(&"*") {
                    let why = "every signed-in user may do everything in this account";
                    findings.error("RoleTooBroad", &subject, ["allows every action", why, "name the actions"]);
                }
                leading_keys(&subject, statement, findings);
            }
        }
    }
}

/// Guests have proved nothing, so what they may do is little.
fn for_guests(subject: &str, statement: Statement<'_>, findings: &mut Findings) {
    let mut broad = |message: &str, why: &str, fix: &str| {
        findings.error("GuestRoleTooBroad", subject, [message, why, fix]);
    };
    let narrow = "name the few actions and resources that a stranger may have";
    if statement.has("NotAction") || statement.has("NotResource") {
        broad("allows all but what it names", "whatever AWS adds tomorrow is allowed to every stranger", narrow);
    }
    for action in statement.texts("Action").into_iter().filter(|action| *action == "*" || action.ends_with(":*")) {
        let message = format!("allows \"{action}\"");
        broad(&message, "every stranger may do all of it", narrow);
    }
    for (action, why) in [
        ("cognito-idp:AdminCreateUser", "every stranger could administer the user pool"),
        ("iam:PassRole", "every stranger could hand roles on"),
        ("sts:AssumeRole", "every stranger could go on to another role"),
    ] {
        let is_whole = |pattern: &&str| *pattern == "*" || pattern.ends_with(":*");
        if statement.means(action) && !statement.texts("Action").iter().any(is_whole) {
            broad(&format!("allows \"{action}\""), why, "take it out");
        }
    }
    if statement.means("s3:ListBucket") {
        let has_prefix = !statement.equals("s3:prefix").is_empty();
        let why = "every stranger sees the names of all objects, and with them whose they are";
        if has_prefix {
            let why = "every stranger sees the names of all objects below the prefix";
            let message = "allows \"s3:ListBucket\" below a prefix";
            findings.warning("GuestRoleTooBroad", subject, [message, why, "give objects names, and list them nowhere"]);
        } else {
            findings.error("GuestRoleTooBroad", subject, ["allows \"s3:ListBucket\"", why, "take it out"]);
        }
    }
    let item_action = ITEM_ACTIONS.iter().find(|action| statement.means(action));
    if let Some(action) = item_action.filter(|_| statement.conditions(LEADING_KEYS).is_empty()) {
        let message = format!("allows \"{action}\" on every item of the table");
        let fix = "add ForAllValues:StringEquals on dynamodb:LeadingKeys with ${cognito-identity.amazonaws.com:sub}";
        findings.error(
            "GuestRoleTooBroad",
            subject,
            [&message, "without dynamodb:LeadingKeys every stranger has everybody's items", fix],
        );
    }
}

/// Conditions on the partition that hold more than they seem to.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
fn leading_keys(subject: &str, statement: Statement<'_>, findings: &mut Findings) {
    let conditions = statement.conditions(LEADING_KEYS);
    for (operator, values) in &conditions {
        for value in values.iter().filter(|value| value.ends_with("}*")) {
            let message = format!("takes every partition that begins with \"{value}\"");
            let why = "\"acme*\" takes the partitions of \"acme2\" too";
            let fix = "put a delimiter that no name holds before the star, such as \"#*\", or compare for equality";
            findings.error("LeadingKeysPrefix", subject, [&message, why, fix]);
        }
        if operator.starts_with("ForAllValues:") && !statement.must_have(LEADING_KEYS) && reads_without_key(statement) {
            let why = "ForAllValues holds when a call names no partition, as Scan does";
            let fix = "add Null { \"dynamodb:LeadingKeys\": \"false\" }, or take Scan and PartiQL out";
            let message = "has a condition on the partition that a scan passes";
            findings.error("LeadingKeysVacuous", subject, [message, why, fix]);
        }
    }
}

fn reads_without_key(statement: Statement<'_>) -> bool {
    ["dynamodb:Scan", "dynamodb:PartiQLSelect"].iter().any(|action| statement.means(action))
}
