//! The queue of promotions in SQS.

use aws_sdk_sqs::operation::send_message::SendMessageInput;
use serde::Serialize;
use shared::guests::IdentityId;
use shell::aws::Client;

use crate::{Promotions, Unsent};

/// The queue that the mover is called by.
#[derive(Clone, Debug)]
pub struct PromotionQueue {
    client: Client,
    url: String,
}

impl PromotionQueue {
    /// A queue that is reached through this client. Makes no call.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }
}

/// What the mover reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    identity_id: &'a str,
}

impl Promotions for PromotionQueue {
    /// A message may arrive twice: the mover finds nothing left to do then.
    async fn go_on(&self, identity: &IdentityId) -> Result<(), Unsent> {
        let body = serde_json::to_string(&Message { identity_id: identity.as_str() })?;
        self.client.send(SendMessageInput::builder().queue_url(&self.url).message_body(body).build()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mover_reads_nothing_but_the_identity() {
        let body = serde_json::to_string(&Message { identity_id: "us-east-1:x" }).unwrap();
        assert_eq!(body, r#"{"identityId":"us-east-1:x"}"#);
    }
}
