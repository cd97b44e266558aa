//! The pool itself.

use std::error::Error;

use aws_lc_rs::rand;
use aws_sdk_cognitoidentityprovider::operation::admin_create_user::{AdminCreateUserError, AdminCreateUserInput};
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::{AdminGetUserError, AdminGetUserInput};
use aws_sdk_cognitoidentityprovider::operation::admin_link_provider_for_user::{
    AdminLinkProviderForUserError, AdminLinkProviderForUserInput,
};
use aws_sdk_cognitoidentityprovider::operation::admin_set_user_password::AdminSetUserPasswordInput;
use aws_sdk_cognitoidentityprovider::operation::list_users::ListUsersInput;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, MessageActionType, ProviderUserIdentifierType, UserStatusType,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::address::EmailAddress;
use shared::attributes::Attributes;
use shared::linking::{Candidate, Found, Link, NewUser, Status};
use shell::aws::{BuildError, Client, SdkError};

use super::{Accounts, AccountsError, LinkAnswer, PoolId};

/// The most pages that are asked for. One address has few users, but a page may
/// be empty and not the last.
const MOST_PAGES: usize = 10;

/// The users of whichever pool an event names; no client without need.
#[derive(Debug)]
pub struct PoolAccounts(Option<Client>);

impl PoolAccounts {
    /// Behind a client, if there is one. Makes no call.
    pub fn new(client: Option<Client>) -> Self {
        Self(client)
    }

    fn client(&self) -> Result<&Client, AccountsError> {
        self.0.as_ref().ok_or(AccountsError::NotConfigured)
    }

    /// Every user whose address is written like this.
    async fn listed(&self, pool: PoolId<'_>, written: &str) -> Result<Vec<Candidate>, AccountsError> {
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let call = ListUsersInput::builder().user_pool_id(pool.0).filter(filter(written));
            let page = self.client()?.send(call.set_pagination_token(token).build()).await.map_err(unreachable)?;
            found.extend(page.users.unwrap_or_default().into_iter().map(|user| {
                candidate(user.username, user.user_status, user.enabled, user.attributes.unwrap_or_default())
            }));
            token = page.pagination_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(AccountsError::ListTooLong)
    }

    /// The user who signs in by this name.
    async fn named(&self, pool: PoolId<'_>, name: &str) -> Result<Option<Candidate>, AccountsError> {
        let call = AdminGetUserInput::builder().user_pool_id(pool.0).username(name);
        match self.client()?.send(call.build()).await {
            Ok(user) => {
                let attributes = user.user_attributes.unwrap_or_default();
                Ok(Some(candidate(Some(user.username), user.user_status, user.enabled, attributes)))
            }
            Err(error) => match error.as_service_error() {
                Some(AdminGetUserError::UserNotFoundException(_)) => Ok(None),
                _ => Err(unreachable(error)),
            },
        }
    }
}

impl Accounts for PoolAccounts {
    // A pool keeps an address as it was typed, and its list may tell `Ann@` from
    // `ann@`, so the user's own spelling is asked for too.
    async fn find(&self, pool: PoolId<'_>, address: &EmailAddress) -> Result<Found, AccountsError> {
        let asked = address.as_str();
        let (mut listed, named) = tokio::try_join!(self.listed(pool, asked), self.named(pool, asked))?;
        let spelling = named.as_ref().and_then(|user| user.attributes.get("email"));
        if let Some(written) = spelling.filter(|written| *written != asked && EmailAddress::parse(written).is_some()) {
            listed.extend(self.listed(pool, written).await?);
        }
        Ok(Found { listed, named })
    }

    async fn user(&self, pool: PoolId<'_>, name: &str) -> Result<Candidate, AccountsError> {
        self.named(pool, name).await?.ok_or_else(|| AccountsError::Unreachable("the user is gone".into()))
    }

    // The destination's attribute name is ignored; `Cognito_Subject` is the
    // provider's own identifier, whatever its kind.
    async fn link(&self, pool: PoolId<'_>, link: &Link) -> Result<LinkAnswer, AccountsError> {
        let identifier = |provider: &str, value: &str| {
            let identifier = ProviderUserIdentifierType::builder().provider_name(provider);
            identifier.provider_attribute_name("Cognito_Subject").provider_attribute_value(value).build()
        };
        let call = AdminLinkProviderForUserInput::builder().user_pool_id(pool.0);
        let call = call.destination_user(identifier("Cognito", &link.user_name));
        let call = call.source_user(identifier(&link.provider, &link.subject));
        let Err(error) = self.client()?.send(call.build()).await else {
            return Ok(LinkAnswer::Made);
        };
        match error.as_service_error() {
            Some(
                AdminLinkProviderForUserError::AliasExistsException(_)
                | AdminLinkProviderForUserError::InvalidParameterException(_)
                | AdminLinkProviderForUserError::LimitExceededException(_),
            ) => Ok(LinkAnswer::Refused(Box::new(error))),
            _ => Err(unreachable(error)),
        }
    }

    // No message is sent. An alias is never taken from another user: that would
    // need ForceAliasCreation, which is off unless it is asked for.
    async fn create(&self, pool: PoolId<'_>, user: &NewUser) -> Result<String, AccountsError> {
        let mut call = AdminCreateUserInput::builder().user_pool_id(pool.0);
        call = call.username(user.address.as_str()).message_action(MessageActionType::Suppress);
        let attributes =
            [("email", user.address.as_str()), ("email_verified", "true"), (&user.subject_attribute, &user.subject)];
        for (name, value) in attributes {
            call = call.user_attributes(AttributeType::builder().name(name).value(value).build().map_err(unwritable)?);
        }
        match self.client()?.send(call.build()).await {
            Ok(created) => created
                .user
                .and_then(|user| user.username)
                .ok_or_else(|| AccountsError::Unreachable("the new user has no name".into())),
            Err(error) => match error.as_service_error() {
                Some(AdminCreateUserError::UsernameExistsException(_)) => {
                    Err(AccountsError::MadeMeanwhile(Box::new(error)))
                }
                _ => Err(unreachable(error)),
            },
        }
    }

    // A permanent password confirms a user whom an administrator has made.
    // <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminSetUserPassword.html>
    async fn confirm(&self, pool: PoolId<'_>, name: &str) -> Result<(), AccountsError> {
        let call = AdminSetUserPasswordInput::builder().user_pool_id(pool.0).username(name);
        let call = call.password(unguessable()?).permanent(true);
        self.client()?.send(call.build()).await.map(drop).map_err(unreachable)
    }
}

/// A filter for an address that is written like this. A quotation mark or a
/// backslash would end the value.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>
fn filter(written: &str) -> String {
    format!("email = \"{}\"", written.replace('\\', "\\\\").replace('"', "\\\""))
}

fn candidate(
    name: Option<String>,
    status: Option<UserStatusType>,
    enabled: bool,
    attributes: Vec<AttributeType>,
) -> Candidate {
    let status = status.as_ref().map_or("", UserStatusType::as_str);
    let attributes = attributes.into_iter().map(|attribute| (attribute.name, attribute.value.unwrap_or_default()));
    Candidate {
        user_name: name.unwrap_or_default(),
        status: Status::parse(status),
        enabled,
        attributes: Attributes::from_iter(attributes),
    }
}

/// A password that meets every policy a pool can have: at most 99 characters
/// asked for, at most 256 taken, and one of each kind.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html>
fn unguessable() -> Result<String, AccountsError> {
    let mut bytes = [0; 75];
    rand::fill(&mut bytes).map_err(|_| AccountsError::Unreachable("no random numbers".into()))?;
    Ok(format!("{}aA1!", STANDARD.encode(bytes)))
}

fn unreachable<E>(error: SdkError<E>) -> AccountsError
where
    SdkError<E>: Error + Send + Sync + 'static,
{
    AccountsError::Unreachable(Box::new(error))
}

fn unwritable(error: BuildError) -> AccountsError {
    AccountsError::Unreachable(Box::new(error))
}

#[cfg(test)]
mod tests;
