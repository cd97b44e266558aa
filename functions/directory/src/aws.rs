//! The client, and what is read with it.

use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use shared::address::EmailAddress;
use shell::aws::Client;

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

    /// Everything about a user: one round trip, unless it exceeds 1 MB.
    ///
    /// Read from the index, which follows the table within moments: a role
    /// just taken away may show once more.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes>
    pub async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        let items = self.by_subject(items::user_key(subject), QueryInput::builder(), usize::MAX).await?;
        Ok(items::person(subject, &items)?)
    }

    /// Whether someone invited this address and the invitation still holds.
    pub async fn is_invited(&self, address: &EmailAddress, now: u64) -> Result<bool, Error> {
        Ok(!self.invitations(address, now).await?.is_empty())
    }

    /// What the index has under a subject. Pages are followed until there are `most`
    /// items or more.
    pub(crate) async fn by_subject(
        &self,
        subject: String,
        query: QueryInputBuilder,
        most: usize,
    ) -> Result<Vec<Item>, Error> {
        let query = query
            .table_name(&self.table)
            .index_name(BY_SUBJECT)
            .key_condition_expression("#subject = :subject")
            .expression_attribute_names("#subject", "subject")
            .expression_attribute_values(":subject", items::text(subject));
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let page = self.client.send(query.clone().set_exclusive_start_key(start).build()).await?;
            found.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || found.len() >= most {
                return Ok(found);
            }
        }
    }
}
