//! The queue of promotions in SQS.

use aws_sdk_sqs::Client;
use serde::Serialize;
use shared::guests::IdentityId;
use shell::aws::SdkConfig;

use crate::{Promotions, Unsent};

/// The queue that the mover is called by.
#[derive(Clone, Debug)]
pub struct PromotionQueue {
    client: Client,
    url: String,
}

impl PromotionQueue {
    /// A queue that is reached with this configuration. Makes no call.
    pub fn connect(config: &SdkConfig, url: String) -> Self {
        Self { client: Client::new(config), url }
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
        self.client.send_message().queue_url(&self.url).message_body(body).send().await?;
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
