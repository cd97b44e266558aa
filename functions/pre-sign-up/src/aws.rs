//! The invitations, in the directory table.

use directory::{Directory, Error};
use shared::address::EmailAddress;

use crate::Invitations;

/// The IAM actions that this function needs.
pub const ACTIONS: &[&str] = directory::actions::IS_INVITED;

/// The directory table, where the rules need one.
#[derive(Debug)]
pub struct InvitationTable(Option<Directory>);

impl InvitationTable {
    /// Builds a client for `table`; none at all without one. Makes no call.
    pub async fn connect(table: Option<String>) -> Self {
        match table {
            None => Self(None),
            Some(table) => Self(Some(Directory::connect(&shell::aws::config().await, table))),
        }
    }
}

impl Invitations for InvitationTable {
    async fn is_invited(&self, address: &EmailAddress, now: u64) -> Result<bool, Error> {
        match &self.0 {
            Some(directory) => directory.is_invited(address, now).await,
            None => Err(Error::NotConfigured),
        }
    }
}
