//! The calls on the old user pool.

use std::error::Error;

use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserInput;
use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::{AdminInitiateAuthError, AdminInitiateAuthInput};
use aws_sdk_cognitoidentityprovider::operation::admin_list_groups_for_user::AdminListGroupsForUserInput;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType, UserStatusType};
use shared::migration::{LegacyId, LegacyUser};
use shared::password::Password;
use shell::aws::Client;

use super::SignIn;
use crate::LookupError;

/// The old pool behind a client of the pool's own region.
#[derive(Clone, Debug)]
pub struct OldPool {
    client: Client,
    pool_id: String,
    client_id: String,
}

/// A user as the old pool has him.
pub(crate) struct PoolUser {
    attributes: Vec<(String, String)>,
    enabled: bool,
    status: Option<UserStatusType>,
    groups: Vec<String>,
}

/// More pages of groups than a user can have.
const MOST_PAGES: usize = 10;

impl OldPool {
    /// A pool. Makes no call.
    pub fn new(client: Client, pool_id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { client, pool_id: pool_id.into(), client_id: client_id.into() }
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Signs in with a password, as only a server may.
    pub(super) async fn sign_in(
        &self,
        user_name: &str,
        password: &Password,
        secret_hash: Option<String>,
    ) -> Result<SignIn, LookupError> {
        let call = AdminInitiateAuthInput::builder()
            .user_pool_id(&self.pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", user_name)
            .auth_parameters("PASSWORD", password.as_str());
        let call = secret_hash.into_iter().fold(call, |call, hash| call.auth_parameters("SECRET_HASH", hash));
        match self.client.send(call.build()).await {
            Ok(answer) => Ok(match answer.challenge_name() {
                Some(challenge) => after_challenge(challenge),
                None if answer.authentication_result().is_some() => SignIn::Right,
                None => SignIn::Unchecked("OldPoolUnclear"),
            }),
            Err(error) => match error.as_service_error().and_then(after_refusal) {
                Some(sign_in) => Ok(sign_in),
                None => Err(unreachable(error)),
            },
        }
    }

    /// A user with his groups, if the pool has him.
    pub(super) async fn user(&self, user_name: &str) -> Result<Option<PoolUser>, LookupError> {
        let call = AdminGetUserInput::builder().user_pool_id(&self.pool_id).username(user_name);
        let user = match self.client.send(call.build()).await {
            Ok(user) => user,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_user_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(unreachable(error)),
        };
        let value = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok(Some(PoolUser {
            groups: self.groups(user.username()).await?,
            attributes: user.user_attributes().iter().map(|one| (one.name().to_owned(), value(one.value()))).collect(),
            enabled: user.enabled(),
            status: user.user_status().cloned(),
        }))
    }

    async fn groups(&self, user_name: &str) -> Result<Vec<String>, LookupError> {
        let call = AdminListGroupsForUserInput::builder().user_pool_id(&self.pool_id).username(user_name);
        let mut groups = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let page = self.client.send(call.clone().set_next_token(next).build()).await.map_err(unreachable)?;
            groups.extend(page.groups().iter().filter_map(|group| group.group_name()).map(str::to_owned));
            next = page.next_token;
            if next.is_none() {
                return Ok(groups);
            }
        }
        Err(LookupError::new("OldPoolUnreachable", "a list of groups without an end"))
    }
}

/// What a challenge says of the password. Only one that comes after it proves
/// it; one that this build does not know may come before.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminInitiateAuth.html>
fn after_challenge(challenge: &ChallengeNameType) -> SignIn {
    match challenge {
        ChallengeNameType::SmsMfa
        | ChallengeNameType::SoftwareTokenMfa
        | ChallengeNameType::EmailOtp
        | ChallengeNameType::SelectMfaType
        | ChallengeNameType::MfaSetup
        | ChallengeNameType::DeviceSrpAuth => SignIn::Right,
        ChallengeNameType::NewPasswordRequired => SignIn::RightButTemporary,
        _ => SignIn::Unchecked("OldPoolUnclear"),
    }
}

/// What a refusal says of the password; `None` when it says nothing of the user.
fn after_refusal(error: &AdminInitiateAuthError) -> Option<SignIn> {
    match error {
        AdminInitiateAuthError::NotAuthorizedException(_) => Some(SignIn::Wrong),
        AdminInitiateAuthError::UserNotFoundException(_) => Some(SignIn::Nobody),
        // Neither says whether the password was looked at.
        AdminInitiateAuthError::PasswordResetRequiredException(_) => Some(SignIn::Unchecked("OldPoolWantsReset")),
        AdminInitiateAuthError::UserNotConfirmedException(_) => Some(SignIn::Unchecked("OldPoolUnconfirmed")),
        _ => None,
    }
}

impl PoolUser {
    /// The user under the pool's own names; `None` without an identifier.
    pub(super) fn read(self) -> Option<LegacyUser> {
        let value = |name: &str| self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let id = LegacyId::parse(value("sub")?)?;
        let email_verified = value("email_verified") == Some("true");
        let gone = matches!(self.status, Some(UserStatusType::Archived | UserStatusType::Compromised));
        let must_reset =
            matches!(self.status, Some(UserStatusType::ForceChangePassword | UserStatusType::ResetRequired));
        Some(LegacyUser {
            attributes: self.attributes.into_iter().collect(),
            email_verified,
            groups: self.groups,
            disabled: !self.enabled || gone,
            must_reset,
            ..LegacyUser::new(id)
        })
    }
}

fn unreachable(error: impl Error + Send + Sync + 'static) -> LookupError {
    LookupError::new("OldPoolUnreachable", error)
}
