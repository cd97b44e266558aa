//! The invitations of an address.

use shared::address::EmailAddress;
use shared::provisioning::Invitation;

use crate::items::{self, BY_SUBJECT};
use crate::{Directory, Error};

/// More invitations than this are left for later: with the profile and one
/// membership each they must fit into one transaction.
pub(crate) const MOST: usize = 40;

impl Directory {
    /// The invitations of an address that have not expired, in order of tenant.
    ///
    /// DynamoDB deletes an expired item within days, not at once, so the time
    /// is compared here too.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
    pub(crate) async fn invitations(&self, address: &EmailAddress, now: u64) -> Result<Vec<Invitation>, Error> {
        let mut found = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_SUBJECT)
            .key_condition_expression("#subject = :address")
            .filter_expression("#expires > :now")
            .expression_attribute_names("#subject", "subject")
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_values(":address", items::text(items::address_key(address)))
            .expression_attribute_values(":now", items::number(now))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.try_next().await? {
            found.push(items::read_invitation(address, &item)?);
            if found.len() == MOST {
                break;
            }
        }
        Ok(found)
    }
}
