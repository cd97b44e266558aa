//! The JSON of requests, answers and notes.

use serde::{Deserialize, Serialize};
use shared::guests::IdentityId;
use shared::guests::claim::ClaimSecret;

use crate::ledger::Counts;
use crate::promotion::{Progress, Report};

/// What a client says of a guest, before any of it is believed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UnverifiedBody {
    guest_token: Option<String>,
    identity_id: Option<String>,
    claim_secret: Option<String>,
}

/// What a client offers as proof.
pub(crate) enum Evidence {
    /// An OpenID token of the identity pool.
    Token(String),
    /// An identity's id, as it came; the proof lies in the guest's own partition.
    Mark(String),
}

impl UnverifiedBody {
    /// The proof that is offered, and the claim secret beside it. `None` unless
    /// there is exactly one proof and everything has its form.
    pub(crate) fn read(self) -> Option<(Evidence, Option<ClaimSecret>)> {
        let evidence = match (self.guest_token, self.identity_id) {
            (Some(token), None) => Evidence::Token(token),
            (None, Some(id)) => Evidence::Mark(id),
            _ => return None,
        };
        let secret = match self.claim_secret {
            None => None,
            Some(text) => Some(ClaimSecret::parse(text)?),
        };
        Some((evidence, secret))
    }
}

/// How a promotion stands, for the client.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_id: Option<&'a str>,
    state: &'static str,
    moved: u64,
    renamed: u64,
    replaced: u64,
    set_aside: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stuck: &'a [String],
}

/// The most names of stuck records that an answer lists.
const MOST_NAMES: usize = 25;

impl<'a> Answer<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let Counts { moved, renamed, replaced, set_aside, .. } = report.counts;
        let (state, stuck) = match &report.progress {
            Progress::Done => ("done", [].as_slice()),
            Progress::Moving => ("moving", [].as_slice()),
            Progress::Incomplete(stuck) => ("incomplete", stuck.get(..MOST_NAMES).unwrap_or(stuck)),
        };
        let identity_id = report.identity.as_ref().map(IdentityId::as_str);
        Self { identity_id, state, moved, renamed, replaced, set_aside, stuck }
    }
}

/// What the queue brings.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
#[derive(Deserialize)]
pub(crate) struct Batch {
    #[serde(rename = "Records")]
    pub(crate) messages: Vec<Message>,
}

/// One message of the queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) message_id: String,
    body: String,
}

impl Batch {
    /// Reads a batch; `None` for any other event.
    pub(crate) fn read(event: &str) -> Option<Self> {
        serde_json::from_str(event).ok()
    }
}

/// Whether an event is a request of this route.
pub(crate) fn is_route(event: &str, route: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        route_key: String,
    }
    serde_json::from_str::<Event>(event).is_ok_and(|event| event.route_key == route)
}

impl Message {
    /// Which guest it is about; `None` when it is not one of our notes.
    pub(crate) fn guest(&self) -> Option<IdentityId> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Note {
            identity_id: String,
        }
        let note: Note = serde_json::from_str(&self.body).ok()?;
        IdentityId::parse(&note.identity_id)
    }
}

/// Which messages the queue has to bring again.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchAnswer {
    pub(crate) batch_item_failures: Vec<Failed>,
}

/// One of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failed {
    pub(crate) item_identifier: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_offers_one_proof_or_none() {
        let id = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";
        let secret = "A".repeat(43);
        let table = [
            (r#"{"guestToken":"a.b.c"}"#.to_owned(), Some("token")),
            (format!(r#"{{"identityId":"{id}"}}"#), Some("mark")),
            (format!(r#"{{"identityId":"{id}","claimSecret":"{secret}"}}"#), Some("mark and secret")),
            (format!(r#"{{"guestToken":null,"identityId":"{id}"}}"#), Some("mark")),
            (format!(r#"{{"guestToken":"a","identityId":"{id}"}}"#), None),
            (r#"{}"#.to_owned(), None),
            (format!(r#"{{"identityId":"{id}","claimSecret":"short"}}"#), None),
            (format!(r#"{{"identityId":"{id}","subject":"u-2"}}"#), None),
            (format!(r#"{{"identityId":["{id}"]}}"#), None),
        ];
        for (json, expected) in table {
            let body = serde_json::from_str::<UnverifiedBody>(&json).ok();
            let found = body.and_then(UnverifiedBody::read).map(|(evidence, secret)| match (evidence, secret) {
                (Evidence::Token(_), None) => "token",
                (Evidence::Mark(_), None) => "mark",
                (Evidence::Mark(_), Some(_)) => "mark and secret",
                _ => "other",
            });
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn only_a_note_of_ours_names_a_guest() {
        let id = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";
        let table = [
            (format!(r#"{{"identityId":"{id}"}}"#), true),
            (format!(r#"{{"identityId":"{id}","more":1}}"#), true),
            (r#"{"identityId":"x"}"#.to_owned(), false),
            ("{}".to_owned(), false),
            (id.to_owned(), false),
        ];
        for (body, expected) in table {
            let event = serde_json::json!({"Records": [{"messageId": "m", "body": body}]}).to_string();
            let batch = Batch::read(&event).unwrap();
            assert_eq!(batch.messages[0].guest().is_some(), expected, "{body}");
        }
        let http = r#"{"version":"2.0","routeKey":"POST /x"}"#;
        assert!(Batch::read(http).is_none());
    }
}
