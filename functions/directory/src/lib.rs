//! The directory: who belongs where, in a DynamoDB table.
//!
//! | item | `pk` | `sk` | `subject` (hash key of the index) |
//! | --- | --- | --- | --- |
//! | profile | `USER#<sub>` | `PROFILE` | `USER#<sub>` |
//! | membership | `<tenant>#members` | `<sub>` | `USER#<sub>` |
//! | invitation | `<tenant>#invitations` | `<address>` | `EMAIL#<address>` |
//! | arrival | `LEGACY#<id>` | `ARRIVAL` | none: it is read by its key |
//! | used challenge | `CHALLENGE#<SHA-256 of the token>` | `USED` | none |
//!
//! All that belongs to a tenant lies under `<tenant>#…`, so that IAM can keep
//! tenants apart by leading keys; a tenant's name holds no `#`. One query on
//! the index gives everything about a person. The index is eventually
//! consistent, so a membership may show, or stay, for a moment; every write
//! therefore states on the table itself what it relies on.
//!
//! An arrival is what a user who was moved in brings along from the old system.
//! It waits for the user's first profile and is deleted in the transaction that
//! writes it.
//!
//! Beside it lies the table of what is ended ([`shared::revocation`]), whose only
//! key `pk` is the mark's name. What an administrator writes there begins with the
//! tenant, too.
//!
//! An item that does not have its expected shape is an error, never a guess.

mod administration;
mod arrivals;
mod aws;
mod challenges;
mod choice;
mod error;
mod groups;
mod invitations;
mod items;
#[cfg(feature = "pool")]
mod pool;
mod provision;
mod revocations;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;

pub use administration::{Changed, MemberChange, NewInvitation, Page};
pub use aws::Directory;
pub use choice::Choice;
pub use error::{Corrupt, Error};
pub use groups::{AddError, AddFailure, Groups, PoolUser};
pub use items::{Member, Person, Profile};
#[cfg(feature = "pool")]
pub use pool::PoolGroups;
pub use provision::{Newcomer, Outcome, Provisioned, provision};
pub use revocations::RevocationTable;
pub use shared::names::Subject;

/// The IAM actions behind each entry point, for the function that uses it.
///
/// A transaction has no action of its own: each of its parts needs the one of
/// the single call.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
pub mod actions {
    /// [`Directory::person`](crate::Directory::person).
    pub const PERSON: &[&str] = &["dynamodb:Query"];
    /// [`Directory::is_invited`](crate::Directory::is_invited).
    pub const IS_INVITED: &[&str] = &["dynamodb:Query"];
    /// [`Directory::use_challenge`](crate::Directory::use_challenge).
    pub const USE_CHALLENGE: &[&str] = &["dynamodb:PutItem"];
    /// [`provision`](crate::provision()).
    pub const PROVISION: &[&str] = &[
        "cognito-idp:AdminAddUserToGroup",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
    ];
    /// [`Directory::choose_tenant`](crate::Directory::choose_tenant).
    pub const CHOOSE_TENANT: &[&str] = &["dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"];
    /// [`Directory::member`](crate::Directory::member).
    pub const MEMBER: &[&str] = &["dynamodb:GetItem"];
    /// [`Directory::members`](crate::Directory::members).
    pub const MEMBERS: &[&str] = &["dynamodb:Query"];
    /// [`Directory::change_member`](crate::Directory::change_member), on both tables.
    pub const CHANGE_MEMBER: &[&str] = &["dynamodb:UpdateItem"];
    /// [`Directory::end_session`](crate::Directory::end_session).
    pub const END_SESSION: &[&str] = &["dynamodb:PutItem"];
    /// [`Directory::end_sessions`](crate::Directory::end_sessions).
    pub const END_SESSIONS: &[&str] = &["dynamodb:UpdateItem"];
    /// [`Directory::invite`](crate::Directory::invite).
    pub const INVITE: &[&str] = &["dynamodb:PutItem"];
    /// [`Directory::put_arrival`](crate::Directory::put_arrival).
    pub const PUT_ARRIVAL: &[&str] = &["dynamodb:PutItem"];
}
