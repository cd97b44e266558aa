//! The identity pool and the user pool.

use std::collections::HashMap;

use aws_sdk_cognitoidentity::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentity::operation::delete_identities::DeleteIdentitiesInput;
use aws_sdk_cognitoidentity::operation::get_credentials_for_identity::{
    GetCredentialsForIdentityError, GetCredentialsForIdentityInput,
};
use aws_sdk_cognitoidentity::operation::get_id::GetIdInput;
use directory::{Groups as _, PoolGroups, PoolUser};
use shared::guests::{IdentityId, IdentityPoolId};
use shell::aws::{Client, SdkError};

use super::{AccountError, Accounts, LinkError, Login};

/// The accounts in AWS.
pub struct Pools {
    client: Client,
    groups: PoolGroups,
    identity_pool: IdentityPoolId,
    /// The user pool as the identity pool names it: `cognito-idp.<region>.amazonaws.com/<pool id>`.
    provider: String,
    user_pool_id: String,
}

impl Pools {
    /// Pools that are reached through this client. Makes no call.
    pub fn new(client: Client, identity_pool: IdentityPoolId, provider: String, user_pool_id: String) -> Self {
        let groups = PoolGroups::new(client.clone());
        Self { client, groups, identity_pool, provider, user_pool_id }
    }

    fn logins(&self, login: &Login) -> HashMap<String, String> {
        HashMap::from([(self.provider.clone(), login.token().to_owned())])
    }

    /// The identity that a login has, whatever became of the guest's. Cognito
    /// makes one for a login that has none.
    async fn own(&self, login: &Login) -> Result<IdentityId, LinkError> {
        let call = GetIdInput::builder().identity_pool_id(self.identity_pool.as_str());
        let found = self.client.send(call.set_logins(Some(self.logins(login))).build()).await;
        let found = found.map_err(|error| match error.code() {
            Some("NotAuthorizedException") => LinkError::LoginRefused,
            _ => LinkError::Unreachable(error.into()),
        })?;
        identity(found.identity_id)
    }
}

impl Accounts for Pools {
    /// Asking for credentials is what links a login, in the enhanced flow as in
    /// the classic one. The credentials themselves are dropped unread.
    /// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html>
    async fn link(&self, guest: &IdentityId, login: &Login) -> Result<IdentityId, LinkError> {
        let call = GetCredentialsForIdentityInput::builder().identity_id(guest.as_str());
        match self.client.send(call.set_logins(Some(self.logins(login))).build()).await {
            Ok(given) => identity(given.identity_id),
            Err(error) => match Refusal::of(&error) {
                Some(Refusal::Taken) => Err(LinkError::Taken),
                Some(Refusal::Login) => Err(LinkError::LoginRefused),
                Some(Refusal::Disabled) => self.own(login).await,
                None => Err(LinkError::Unreachable(error.into())),
            },
        }
    }

    async fn join(&self, user_name: &str, group: &str) -> Result<(), AccountError> {
        let user = PoolUser { pool_id: &self.user_pool_id, name: user_name };
        self.groups.add(user, group).await.map_err(|error| AccountError(error.into()))
    }

    /// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_DeleteIdentities.html>
    async fn delete(&self, identity: &IdentityId) -> Result<(), AccountError> {
        let call = DeleteIdentitiesInput::builder().identity_ids_to_delete(identity.as_str());
        let deleted = self.client.send(call.build()).await.map_err(|error| AccountError(error.into()))?;
        match deleted.unprocessed_identity_ids() {
            [] => Ok(()),
            _ => Err(AccountError("the identity pool left it for later".into())),
        }
    }
}

/// Why the identity pool does not link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The guest's identity has a login of this provider, another user's.
    Taken,
    /// The guest's identity was merged into another and is disabled.
    Disabled,
    /// The login itself is not good.
    Login,
}

impl Refusal {
    /// What an error means; `None` when it says nothing about the login. Where
    /// one code stands for several things, the service's words decide.
    fn of(error: &SdkError<GetCredentialsForIdentityError>) -> Option<Self> {
        Self::read(error.code()?, error.message().unwrap_or_default())
    }

    fn read(code: &str, message: &str) -> Option<Self> {
        match code {
            "ResourceConflictException" => Some(Self::Taken),
            "NotAuthorizedException" if message.contains("Logins don't match") => Some(Self::Taken),
            "NotAuthorizedException" if message.contains("is forbidden") => Some(Self::Disabled),
            "NotAuthorizedException" => Some(Self::Login),
            // A merged identity that was deleted afterwards.
            "ResourceNotFoundException" => Some(Self::Disabled),
            _ => None,
        }
    }
}

fn identity(id: Option<String>) -> Result<IdentityId, LinkError> {
    let id = id.as_deref().and_then(IdentityId::parse);
    id.ok_or_else(|| LinkError::Unreachable("the identity pool named no identity".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_s_refusals_have_names() {
        let table = [
            ("ResourceConflictException", "", Some(Refusal::Taken)),
            (
                "NotAuthorizedException",
                "Logins don't match. Please include at least one valid login for this identity or identity pool.",
                Some(Refusal::Taken),
            ),
            ("NotAuthorizedException", "Access to Identity 'us-east-1:x' is forbidden.", Some(Refusal::Disabled)),
            ("NotAuthorizedException", "Invalid login token. Token expired: 2 >= 1", Some(Refusal::Login)),
            (
                "NotAuthorizedException",
                "Token is not from a supported provider of this identity pool.",
                Some(Refusal::Login),
            ),
            ("NotAuthorizedException", "", Some(Refusal::Login)),
            ("ResourceNotFoundException", "Identity 'us-east-1:x' not found.", Some(Refusal::Disabled)),
            ("TooManyRequestsException", "", None),
            ("InternalErrorException", "", None),
        ];
        for (code, message, expected) in table {
            assert_eq!(Refusal::read(code, message), expected, "{code}: {message}");
        }
    }
}
