//! The clients of all services, and the invitations in the directory table.

use directory::{Directory, Error};
use shared::address::EmailAddress;
use shared::rules::Links;
use shell::SettingError;

use crate::{ChallengeCheck, Invitations, PoolAccounts, Settings};

/// Builds the clients that the rules need, none without need. Fetches the
/// challenge's secret, if there is one, and makes no other call.
pub async fn connect(settings: &Settings) -> Result<(InvitationTable, PoolAccounts, ChallengeCheck), SettingError> {
    let links = settings.rules.providers.iter().any(|provider| provider.links != Links::Never);
    if settings.directory_table.is_none() && !links {
        return Ok((InvitationTable(None), PoolAccounts::connect(None), ChallengeCheck::OFF));
    }
    let config = shell::aws::config().await;
    let directory = settings.directory_table.clone().map(|table| Directory::connect(&config, table));
    let challenges = ChallengeCheck::connect(&config, settings, directory.clone()).await?;
    Ok((InvitationTable(directory), PoolAccounts::connect(links.then_some(&config)), challenges))
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
