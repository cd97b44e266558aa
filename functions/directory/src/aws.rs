//! The client, and what is read with it.

use aws_sdk_dynamodb::Client;
use shared::address::EmailAddress;

use crate::items::{self, BY_SUBJECT, Item};
use crate::{Error, Person, RevocationTable, Subject};

/// The directory table behind a client. Which tenants it reaches is up to the
/// client's credentials.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) revocations: Option<RevocationTable>,
}

impl Directory {
    /// A directory in `table`. Makes no call.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), revocations: None }
    }

    /// The same, writing down what is ended; `None` where nobody reads it.
    pub fn revoking(self, revocations: Option<RevocationTable>) -> Self {
        Self { revocations, ..self }
    }

    /// A directory in `table`, with a client of its own. Makes no call.
    pub fn connect(config: &shell::aws::SdkConfig, table: impl Into<String>) -> Self {
        Self::new(Client::new(config), table)
    }

    /// Everything about a user: one round trip, unless it exceeds 1 MB.
    ///
    /// Read from the index, which follows the table within moments: a role
    /// just taken away may show once more.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes>
    pub async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        let items = self.by_subject(items::user_key(subject)).await?;
        Ok(items::person(subject, &items)?)
    }

    /// Whether someone invited this address and the invitation still holds.
    pub async fn is_invited(&self, address: &EmailAddress, now: u64) -> Result<bool, Error> {
        Ok(!self.invitations(address, now).await?.is_empty())
    }

    async fn by_subject(&self, subject: String) -> Result<Vec<Item>, Error> {
        let pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_SUBJECT)
            .key_condition_expression("#subject = :subject")
            .expression_attribute_names("#subject", "subject")
            .expression_attribute_values(":subject", items::text(subject))
            .into_paginator()
            .items()
            .send();
        Ok(pages.try_collect().await?)
    }
}
