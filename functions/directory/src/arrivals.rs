//! What users who were moved in bring along, until they have a profile.

use shared::provisioning::Arrival;

use crate::items;
use crate::{Directory, Error};

impl Directory {
    /// Keeps what a user brings along for the first token, in the place of what
    /// was kept for the same user before.
    pub async fn put_arrival(&self, arrival: &Arrival, now: u64) -> Result<(), Error> {
        let item = items::arrival_item(arrival, now);
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }
}
