//! Keeps guests within their limits, and gives what they leave behind an end.

/// The IAM actions that this function needs. Those of the event source are not
/// among them.
pub const ACTIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "sqs:SendMessage"];
