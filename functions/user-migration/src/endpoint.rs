//! The old system as an HTTPS endpoint, which checks passwords itself.
//!
//! Request and answer are signed as Standard Webhooks has it; an answer is bound
//! to its request. `docs/migration-endpoint.md` says it for those who write one.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

mod http;
mod message;
mod signing;

pub(crate) use signing::EndpointKey;

use std::sync::Arc;

use shared::migration::LegacyId;
use shared::password::Password;

use crate::{LegacyDirectory, LookupError, OldAnswer, Question};
use http::Http;
use signing::MessageId;

/// An endpoint of the old system.
pub struct EndpointDirectory {
    http: Http,
    key: EndpointKey,
}

impl EndpointDirectory {
    /// A directory behind this address. Makes no call; `None` when it is none.
    pub fn new(url: &str, key: EndpointKey) -> Option<Self> {
        Some(Self { http: Http::to(url)?, key })
    }
}

impl LegacyDirectory for EndpointDirectory {
    async fn find(&self, question: Question<'_>) -> Result<OldAnswer, LookupError> {
        let refused = |code| move |error: &'static str| LookupError::new(code, error);
        let id = MessageId::random().ok_or("no random numbers").map_err(refused("EndpointUnasked"))?;
        let body = message::write(&question).ok_or("no JSON").map_err(refused("EndpointUnasked"))?;
        let seal = self.key.seal(&id, question.now, &body);
        let answer = self.http.post(&seal, body).await.map_err(|error| LookupError::new(error.code(), error))?;
        self.key
            .open(&id, question.now, &answer.seal, &answer.body)
            .map_err(|error| LookupError::new(error.code(), error))?;
        Ok(message::read(&answer.body, question.password.is_some()))
    }

    /// Nothing: the time is the endpoint's, and here nobody asks it.
    async fn pretend(&self, _: &Arc<Password>) {}

    /// Nothing: it was asked, so it knows.
    async fn note_moved(&self, _: &str, _: &LegacyId, _: u64) -> Result<(), LookupError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
