//! Challenges of sign-up that were used.

use aws_sdk_dynamodb::operation::put_item::PutItemInput;

use crate::items::{self, Item};
use crate::{Directory, Error};

/// How long a mark is kept, in seconds. The services take a token for a few
/// minutes; DynamoDB deletes the mark some time after this.
const KEPT_S: u64 = 24 * 60 * 60;

impl Directory {
    /// Marks the token with this SHA-256 as used, and says whether this was the
    /// first time. Of many callers one is the first.
    ///
    /// A call that the client repeats because its answer was lost meets its own
    /// mark, and then nobody was the first: who signs up solves another one.
    // INVARIANT: nothing takes a mark back, whatever becomes of the sign-up.
    pub async fn use_challenge(&self, digest: &[u8; 32], now: u64) -> Result<bool, Error> {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mark = Item::from([
            ("pk".to_owned(), items::text(format!("CHALLENGE#{hex}"))),
            ("sk".to_owned(), items::text("USED")),
            ("expires_at".to_owned(), items::number(now.saturating_add(KEPT_S))),
        ]);
        let put = PutItemInput::builder().table_name(&self.table).set_item(Some(mark));
        match self.client.send(put.condition_expression("attribute_not_exists(pk)").build()).await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
