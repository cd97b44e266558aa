//! What is ended: marks that the authorizer looks for.
//!
//! Writing a mark twice does no harm, and no mark gives anything back: a session
//! stays ended, and a later time takes the place of an earlier one.

use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::Update;
use shared::names::SessionId;
use shared::revocation::{Key, mark_expires_at, rights_settle_at};

use crate::items::{self, Item};
use crate::{Directory, Error};

/// The table of marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationTable {
    /// Its name.
    pub name: String,
    /// How many days a refresh token lives: a mark has to outlive it.
    pub refresh_days: u64,
}

impl RevocationTable {
    fn expires_at(&self, now: u64) -> (String, aws_sdk_dynamodb::types::AttributeValue) {
        // INVARIANT: the same for every kind of mark. One item may hold two, and
        // the later must not shorten the other's life.
        ("expires_at".to_owned(), items::number(mark_expires_at(now, self.refresh_days)))
    }

    /// The mark that takes back the rights in tokens made until now.
    pub(crate) fn rights_changed(&self, key: &Key, now: u64) -> Result<Update, Error> {
        let (expiry, end) = self.expires_at(now);
        Ok(Update::builder()
            .table_name(&self.name)
            .key("pk", items::text(key.to_string()))
            .update_expression("SET #issued = :issued, #expiry = :end")
            .expression_attribute_names("#issued", "issued_before")
            .expression_attribute_names("#expiry", expiry)
            .expression_attribute_values(":issued", items::number(rights_settle_at(now)))
            .expression_attribute_values(":end", end)
            .build()?)
    }
}

impl Directory {
    /// Ends one session. `now` is in seconds since 1970, here and below.
    pub async fn end_session(&self, session: &SessionId, now: u64) -> Result<(), Error> {
        let table = self.revocations.as_ref().ok_or(Error::NotConfigured)?;
        let key = Key::Session(session.clone());
        let item = Item::from([("pk".to_owned(), items::text(key.to_string())), table.expires_at(now)]);
        self.client.send(PutItemInput::builder().table_name(&table.name).set_item(Some(item)).build()).await?;
        Ok(())
    }

    /// Ends all sessions of a user or a member that began until now. Whoever signs
    /// in in a later second than `now` has a new one.
    pub async fn end_sessions(&self, whose: &Key, now: u64) -> Result<(), Error> {
        let table = self.revocations.as_ref().ok_or(Error::NotConfigured)?;
        let (expiry, end) = table.expires_at(now);
        let update = UpdateItemInput::builder()
            .table_name(&table.name)
            .key("pk", items::text(whose.to_string()))
            .update_expression("SET #authenticated = :now, #expiry = :end")
            .expression_attribute_names("#authenticated", "authenticated_before")
            .expression_attribute_names("#expiry", expiry)
            .expression_attribute_values(":now", items::number(now))
            .expression_attribute_values(":end", end);
        self.client.send(update.build()).await?;
        Ok(())
    }
}
