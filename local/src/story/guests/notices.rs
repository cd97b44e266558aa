//! What other programs learn of a promotion, by EventBridge.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::super::person::Person;
use super::super::shown::short_ids;
use super::super::teller::Teller;
use super::super::world::World;
use super::LOOKS;

const NAME: &str = "story-promoted-guests";

/// A queue of the operator, which gets all events of promotions.
pub(super) struct Notices {
    sqs: aws_sdk_sqs::Client,
    queue: String,
}

impl Notices {
    /// Makes the queue and the rule that fills it.
    pub(super) async fn ask_for(world: &World<'_>) -> Result<Self> {
        let (sqs, events) = (aws_sdk_sqs::Client::new(world.owner), aws_sdk_eventbridge::Client::new(world.owner));
        let queue = sqs.create_queue().queue_name(NAME).send().await.context("a queue cannot be made")?.queue_url;
        let queue = queue.context("a queue has no address")?;
        let asked = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::QueueArn);
        let attributes = asked.send().await?.attributes.unwrap_or_default();
        let arn = attributes.get(&QueueAttributeName::QueueArn).context("a queue has no ARN")?;
        let pattern = json!({ "source": ["poolhouse"], "detail-type": ["guest.promoted"] });
        events.put_rule().name(NAME).event_pattern(pattern.to_string()).send().await.context("no rule can be made")?;
        let target = Target::builder().id("queue").arn(arn).build()?;
        events.put_targets().rule(NAME).targets(target).send().await.context("a rule gets no target")?;
        Ok(Self { sqs, queue })
    }

    /// One event for each promotion, and no more: each user with the identity
    /// that he has in the end.
    pub(super) async fn tell(&self, teller: &mut Teller<'_>, promoted: &[(&Person, String)]) -> Result<()> {
        teller.chapter("Scenario 4: other programs learn of it");
        let events = self.events(promoted.len()).await?;
        let said = |event: &Value, member: &str| event.pointer(&format!("/detail/{member}")).cloned();
        for (person, identity) in promoted {
            let sub = person.subject()?;
            let of_him: Vec<_> = events.iter().filter(|event| said(event, "subject") == Some(json!(sub))).collect();
            let right = matches!(of_him.as_slice(), [one] if said(one, "identityId") == Some(json!(identity)));
            let shown = of_him.iter().filter_map(|event| event.get("detail"));
            let shown: Vec<_> = shown.map(|detail| short_ids(&detail.to_string())).collect();
            let text = format!("The operator's rule has passed on one event of {}'s promotion", person.name);
            teller.step(&text, "sqs:ReceiveMessage  the rule's queue", &shown.join(", "), right);
        }
        let ids: BTreeSet<_> = events.iter().filter_map(|event| Some(said(event, "id")?.to_string())).collect();
        let right = events.len() == promoted.len() && ids.len() == events.len();
        let text = "However often each was asked for, there were no others";
        teller.step(text, "sqs:ReceiveMessage  the rule's queue", &format!("{} in all", events.len()), right);
        Ok(())
    }

    /// All events: as many as expected, and what came while one waited a little
    /// longer.
    async fn events(&self, expected: usize) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for _ in 0..LOOKS {
            let enough = all.len() >= expected;
            let asked = self.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10);
            let received = asked.wait_time_seconds(if enough { 3 } else { 1 }).send().await?;
            for message in received.messages() {
                all.push(serde_json::from_str(message.body().unwrap_or_default()).context("an event is no JSON")?);
                let handle = message.receipt_handle().context("a message has no handle")?;
                self.sqs.delete_message().queue_url(&self.queue).receipt_handle(handle).send().await?;
            }
            if enough && received.messages().is_empty() {
                break;
            }
        }
        Ok(all)
    }
}
