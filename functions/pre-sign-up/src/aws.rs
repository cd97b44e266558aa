//! The clients of all services, and the invitations in the directory table.

use directory::{Directory, Error};
use shared::address::EmailAddress;
use shared::rules::Links;
use shell::SettingError;
use shell::aws::Client;

use crate::{ChallengeCheck, Invitations, PoolAccounts, Settings};

/// Builds the client, unless the rules need none. Fetches the
/// challenge's secret, if there is one, and makes no other call.
pub async fn connect(settings: &Settings) -> Result<(InvitationTable, PoolAccounts, ChallengeCheck), SettingError> {
    let links = settings.rules.providers.iter().any(|provider| provider.links != Links::Never);
    if settings.directory_table.is_none() && !links {
        return Ok((InvitationTable(None), PoolAccounts::new(None), ChallengeCheck::OFF));
    }
    let client = Client::from_environment(&shell::environment)?;
    let directory = settings.directory_table.clone().map(|table| Directory::new(client.clone(), table));
    let challenges = ChallengeCheck::connect(&client, settings, directory.clone()).await?;
    Ok((InvitationTable(directory), PoolAccounts::new(links.then_some(client)), challenges))
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
