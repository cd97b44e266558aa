//! The invitations of an address.

use aws_sdk_dynamodb::operation::query::QueryInput;
use shared::address::EmailAddress;
use shared::provisioning::Invitation;

use crate::items;
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
        let living = QueryInput::builder()
            .filter_expression("#expires > :now")
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_values(":now", items::number(now));
        let found = self.by_subject(items::address_key(address), living, MOST).await?;
        Ok(found.iter().take(MOST).map(|item| items::read_invitation(address, item)).collect::<Result<_, _>>()?)
    }
}
