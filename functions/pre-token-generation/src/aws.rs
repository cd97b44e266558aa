//! People, in the directory table and the pool.

use directory::{Directory, Error, Newcomer, Outcome, Person, PoolGroups, Subject};
use shared::rules::Rules;

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

/// Builds clients for `table` and the pool; none at all without a table. Makes
/// no call.
pub async fn connect(table: Option<String>) -> Option<Register<PoolGroups>> {
    let table = table?;
    let config = shell::aws::config().await;
    Some(Register::new(Directory::connect(&config, table), PoolGroups::connect(&config)))
}

impl<G: directory::Groups + Sync> People for Register<G> {
    async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        self.directory.person(subject).await
    }

    async fn provision(&self, rules: &Rules, newcomer: Newcomer<'_>) -> Outcome {
        directory::provision(&self.directory, &self.groups, rules, newcomer).await
    }
}
