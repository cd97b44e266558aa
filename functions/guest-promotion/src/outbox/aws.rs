//! The event bus and the queue.

use aws_sdk_eventbridge::operation::put_events::PutEventsInput;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use serde::Serialize;
use shared::guests::IdentityId;
use shell::aws::Client;

use super::{Outbox, Promoted, SendError};

/// Who sends the events, and what they are called.
const SOURCE: &str = "poolhouse";
const DETAIL_TYPE: &str = "guest.promoted";

/// The bus and the queue in AWS.
#[derive(Debug)]
pub struct BusAndQueue {
    client: Client,
    bus: String,
    queue_url: String,
}

/// A note in the queue.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Note<'a> {
    identity_id: &'a str,
}

impl BusAndQueue {
    /// Reached through this client. Makes no call.
    pub fn new(client: Client, bus: String, queue_url: String) -> Self {
        Self { client, bus, queue_url }
    }
}

impl Outbox for BusAndQueue {
    /// An entry can fail although the call does not.
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
    async fn announce(&self, event: &Promoted) -> Result<(), SendError> {
        let detail = serde_json::to_string(event).map_err(|error| SendError(error.into()))?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(detail)
            .build();
        let sent = self.client.send(PutEventsInput::builder().entries(entry).build()).await;
        match sent.map_err(|error| SendError(error.into()))?.failed_entry_count {
            0 => Ok(()),
            _ => Err(SendError("the bus did not take the event".into())),
        }
    }

    async fn remind(&self, guest: &IdentityId, delay_s: u64) -> Result<(), SendError> {
        let note = Note { identity_id: guest.as_str() };
        let body = serde_json::to_string(&note).map_err(|error| SendError(error.into()))?;
        // The queue's own longest delay is 15 minutes.
        let delay = i32::try_from(delay_s.min(900)).unwrap_or(900);
        let call = SendMessageInput::builder().queue_url(&self.queue_url).message_body(body).delay_seconds(delay);
        self.client.send(call.build()).await.map(drop).map_err(|error| SendError(error.into()))
    }
}
