//! People, in the directory table and the pool.

use directory::{Directory, Error, Newcomer, Outcome, Person, PoolGroups, Subject};
use shared::rules::Rules;
use shell::SettingError;
use shell::aws::Client;

use crate::People;

/// The IAM actions that this function needs: one to read, and the others for
/// the user whose profile is missing.
pub const ACTIONS: &[&str] = directory::actions::PROVISION;

/// The directory, and the groups that a user without a profile is added to.
#[derive(Debug)]
pub struct Register<G> {
    directory: Directory,
    groups: G,
}

impl<G> Register<G> {
    /// Both together.
    pub fn new(directory: Directory, groups: G) -> Self {
        Self { directory, groups }
    }
}

/// Builds a client for `table` and the pool; none at all without a table. Makes
/// no call.
pub fn connect(table: Option<String>) -> Result<Option<Register<PoolGroups>>, SettingError> {
    let Some(table) = table else { return Ok(None) };
    let client = Client::from_environment(&shell::environment)?;
    Ok(Some(Register::new(Directory::new(client.clone(), table), PoolGroups::new(client))))
}

impl<G: directory::Groups + Sync> People for Register<G> {
    async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        self.directory.person(subject).await
    }

    async fn provision(&self, rules: &Rules, newcomer: Newcomer<'_>) -> Outcome {
        directory::provision(&self.directory, &self.groups, rules, newcomer).await
    }
}
