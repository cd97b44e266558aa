//! People, in the directory table.

use directory::{Directory, Error, Newcomer, Person, Provisioned, Subject};
use shared::rules::Rules;

use crate::People;

/// The IAM actions that this function needs: one to read, and the others for
/// the user whose profile is missing.
pub const ACTIONS: &[&str] = directory::actions::PROVISION;

/// Builds a client for `table`; none at all without one. Makes no call.
pub async fn connect(table: Option<String>) -> Option<Directory> {
    let table = table?;
    Some(Directory::connect(&shell::aws::config().await, table))
}

impl People for Directory {
    async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        Self::person(self, subject).await
    }

    async fn provision(&self, rules: &Rules, newcomer: Newcomer<'_>) -> Result<Provisioned, Error> {
        directory::provision(self, rules, newcomer).await
    }
}
