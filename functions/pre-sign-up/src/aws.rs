//! The clients of both services, and the invitations in the directory table.

use directory::{Directory, Error};
use shared::address::EmailAddress;
use shared::rules::Links;

use crate::{Invitations, PoolAccounts, Settings};

/// The IAM actions that this function needs: those of
/// [`directory::actions::IS_INVITED`], and on the pool those of linking.
pub const ACTIONS: &[&str] = &[
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminLinkProviderForUser",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:ListUsers",
    "dynamodb:Query",
];

/// Builds the clients that the rules need, none without need. Makes no call.
pub async fn connect(settings: &Settings) -> (InvitationTable, PoolAccounts) {
    let links = settings.rules.providers.iter().any(|provider| provider.links != Links::Never);
    if settings.invitation_table.is_none() && !links {
        return (InvitationTable(None), PoolAccounts::connect(None));
    }
    let config = shell::aws::config().await;
    let table = settings.invitation_table.clone();
    let invitations = InvitationTable(table.map(|table| Directory::connect(&config, table)));
    (invitations, PoolAccounts::connect(links.then_some(&config)))
}

/// The directory table, where the rules need one.
#[derive(Debug)]
pub struct InvitationTable(Option<Directory>);

impl Invitations for InvitationTable {
    async fn is_invited(&self, address: &EmailAddress, now: u64) -> Result<bool, Error> {
        match &self.0 {
            Some(directory) => directory.is_invited(address, now).await,
            None => Err(Error::NotConfigured),
        }
    }
}
