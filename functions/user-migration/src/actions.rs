//! The IAM actions behind each need, for the template's policies.

/// The attempts table.
pub const ATTEMPTS: &[&str] = &["dynamodb:DeleteItem", "dynamodb:UpdateItem"];
/// The table of exported users, where the store is one.
pub const LEGACY_USERS: &[&str] = &["dynamodb:Query", "dynamodb:UpdateItem"];
/// The old user pool, where the store is one.
pub const OLD_POOL: &[&str] =
    &["cognito-idp:AdminGetUser", "cognito-idp:AdminInitiateAuth", "cognito-idp:AdminListGroupsForUser"];
/// The secret, where there is one.
pub const SECRET: &[&str] = &["secretsmanager:GetSecretValue"];
/// The directory table.
pub const ARRIVALS: &[&str] = directory::actions::PUT_ARRIVAL;

/// All of them together: what the function ever needs, whatever the store.
pub const ALL: &[&str] = &[
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminInitiateAuth",
    "cognito-idp:AdminListGroupsForUser",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "secretsmanager:GetSecretValue",
];
