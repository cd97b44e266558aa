//! The names of partitions.
//!
//! No part of a name holds a `#`, so none can be read as another's.

use shared::guests::IdentityId;
use shared::names::Subject;

/// The partition's attribute.
pub const PK: &str = "pk";
/// The sort key's attribute.
pub const SK: &str = "sk";
/// When DynamoDB may delete an item, in seconds since 1970.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
pub const EXPIRES_AT: &str = "expires_at";

/// The sort key of a promotion in its ledger.
pub const PROMOTION: &str = "PROMOTION";

/// What a guest keeps.
pub fn guest(identity: &IdentityId) -> String {
    format!("GUEST#{identity}")
}

/// What a user keeps.
pub fn user(subject: &Subject) -> String {
    format!("USER#{subject}")
}

/// What is known of a guest's promotion.
pub fn ledger(identity: &IdentityId) -> String {
    format!("LEDGER#{identity}")
}

/// A user's idempotency keys.
pub fn keys(subject: &Subject) -> String {
    format!("KEYS#{subject}")
}

/// What a guest kept that was not given to the user.
pub fn aside(identity: &IdentityId) -> String {
    format!("ASIDE#{identity}")
}
