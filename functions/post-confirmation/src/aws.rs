//! The groups of the pool.

use std::error::Error;
use std::fmt;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::AdminAddUserToGroupError as ServiceError;

use crate::{Groups, PoolUser};

/// The IAM actions that this function needs: those of
/// [`directory::actions::PROVISION`], and its own.
pub const ACTIONS: &[&str] =
    &["cognito-idp:AdminAddUserToGroup", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"];

/// The groups of whichever pool an event names.
#[derive(Clone, Debug)]
pub struct PoolGroups(Client);

/// Why a user is not in a group.
#[derive(Debug)]
pub struct AddError {
    group: String,
    reason: Reason,
    cause: Box<dyn Error + Send + Sync>,
}

#[derive(Clone, Copy, Debug)]
enum Reason {
    GroupMissing,
    UserMissing,
    Unreachable,
}

impl PoolGroups {
    /// A client of its own. Makes no call.
    pub fn connect(config: &shell::aws::SdkConfig) -> Self {
        Self(Client::new(config))
    }
}

impl Groups for PoolGroups {
    // Cognito says nothing when the user is in the group already.
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        let call = self.0.admin_add_user_to_group().user_pool_id(user.pool_id).username(user.name).group_name(group);
        let Err(error) = call.send().await else {
            return Ok(());
        };
        let reason = match error.as_service_error() {
            Some(ServiceError::ResourceNotFoundException(_)) => Reason::GroupMissing,
            Some(ServiceError::UserNotFoundException(_)) => Reason::UserMissing,
            _ => Reason::Unreachable,
        };
        Err(AddError { group: group.to_owned(), reason, cause: Box::new(error) })
    }
}

impl AddError {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self.reason {
            Reason::GroupMissing => "GroupMissing",
            Reason::UserMissing => "UserMissing",
            Reason::Unreachable => "PoolUnreachable",
        }
    }
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the user was not added to group {}", self.group)
    }
}

impl Error for AddError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}
