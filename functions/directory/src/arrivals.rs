//! What users who were moved in bring along, until they have a profile.

use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::types::Delete;
use shared::names::LegacyId;
use shared::provisioning::Arrival;

use crate::items::{self, ARRIVAL, Item};
use crate::{Directory, Error};

/// An arrival as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Brought {
    pub(crate) arrival: Arrival,
    /// What it is deleted by: it must still be this.
    item: Item,
}

/// What makes an arrival what it is, beside its key.
const CONTENT: [&str; 4] = ["address", "memberships", "groups", "written_at"];

impl Directory {
    /// Keeps what a user brings along for the first token, in the place of what
    /// was kept for the same user before.
    pub async fn put_arrival(&self, arrival: &Arrival, now: u64) -> Result<(), Error> {
        let item = items::arrival_item(arrival, now);
        self.client.send(PutItemInput::builder().table_name(&self.table).set_item(Some(item)).build()).await?;
        Ok(())
    }

    /// What a user brought along, as the table has it at this moment: it is
    /// written just before the user is made, and the first token comes at once.
    pub(crate) async fn brought(&self, id: &LegacyId) -> Result<Option<Brought>, Error> {
        let get = GetItemInput::builder().table_name(&self.table).set_key(Some(key(id))).consistent_read(true);
        let Some(item) = self.client.send(get.build()).await?.item else { return Ok(None) };
        Ok(Some(Brought { arrival: items::read_arrival(id, &item)?, item }))
    }

    /// The deletion of an arrival that is still what was read.
    pub(crate) fn take_arrival(&self, brought: &Brought) -> Result<Delete, Error> {
        let mut delete = Delete::builder().table_name(&self.table).set_key(Some(key(brought.arrival.id())));
        let mut conditions = Vec::new();
        for name in CONTENT {
            delete = delete.expression_attribute_names(format!("#{name}"), name);
            conditions.push(match brought.item.get(name) {
                None => format!("attribute_not_exists(#{name})"),
                Some(value) => {
                    delete = delete.expression_attribute_values(format!(":{name}"), value.clone());
                    format!("#{name} = :{name}")
                }
            });
        }
        Ok(delete.condition_expression(conditions.join(" AND ")).build()?)
    }
}

fn key(id: &LegacyId) -> Item {
    Item::from([("pk".to_owned(), items::text(items::legacy_key(id))), ("sk".to_owned(), items::text(ARRIVAL))])
}
