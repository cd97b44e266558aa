//! The IAM actions behind each need, for the template's policies.

/// The directory table, where sign-up is by invitation.
pub const INVITATIONS: &[&str] = directory::actions::IS_INVITED;
/// The pool, where a provider's users are linked.
pub const LINKING: &[&str] = &[
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminLinkProviderForUser",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:ListUsers",
];
/// The directory table, where sign-up has a challenge.
pub const CHALLENGES: &[&str] = directory::actions::USE_CHALLENGE;
/// The secret of the challenge.
pub const CHALLENGE_SECRET: &[&str] = &["secretsmanager:GetSecretValue"];

/// All of them together: what the function ever needs, whatever the rules.
pub const ALL: &[&str] = &[
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminLinkProviderForUser",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:ListUsers",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "secretsmanager:GetSecretValue",
];
