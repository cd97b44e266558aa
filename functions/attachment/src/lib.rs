//! Puts the suite's triggers into a user pool that is there already, and takes
//! them out again, for the custom resource and for the operator's tool.
//!
//! What is decided is decided by [`shared::attachment`]; here it is read,
//! written, read again and, where anything else moved, put back. Each step may
//! be the last one of a run that is killed: the next run goes on from there.
//!
//! What stood in the way of our triggers is remembered in an SSM parameter,
//! `/poolhouse/attachment/<name>/<pool>`, which is written before the pool is.
//! The alternatives lose it: what a custom resource answers is lost when it is
//! killed before the answer, and is too small besides; and a tag on the pool
//! would be a change of the very thing that must not change.

mod aws;
mod error;
mod run;
mod signed;
mod write;

pub use error::Error;
pub use run::{Attachment, Order, Report, Times};

/// The IAM actions that this crate needs, for the function that uses it.
pub mod actions {
    /// On the user pool.
    pub const POOL: &[&str] = &[
        "cognito-idp:DescribeUserPool",
        "cognito-idp:DescribeUserPoolClient",
        "cognito-idp:GetUserPoolMfaConfig",
        "cognito-idp:ListUserPoolClients",
        "cognito-idp:SetUserPoolMfaConfig",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:UpdateUserPoolClient",
    ];
    /// On the functions that become triggers.
    pub const FUNCTIONS: &[&str] = &["lambda:AddPermission", "lambda:RemovePermission"];
    /// On the parameter of the pool.
    pub const MEMORY: &[&str] = &["ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter"];
    /// On the stacks of the account, to find out whose the pool is.
    pub const OWNER: &[&str] = &["cloudformation:DescribeStackResources"];
}
