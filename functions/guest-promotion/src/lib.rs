//! Makes an anonymous guest a registered user who keeps everything.

/// The IAM actions that this function needs. Those of the event source are not
/// among them, nor the calls to the identity pool that are public.
pub const ACTIONS: &[&str] = &[
    "cognito-idp:AdminAddUserToGroup",
    "cognito-identity:DeleteIdentities",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "events:PutEvents",
    "sqs:SendMessage",
];
