//! What carries calls to AWS.

use std::pin::Pin;
use std::time::Duration;

use crate::https::{Builder, Bytes, Https, HttpsError, Response};

/// What comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries requests, and waits between them. Tests have their own.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole answer, whatever its status, and no
    /// longer than `limit`.
    fn exchange(
        &self,
        limit: Duration,
        request: Builder,
        body: Bytes,
    ) -> Later<'_, Result<Response<Bytes>, HttpsError>>;

    /// Waits before a call is tried again.
    fn wait(&self, time: Duration) -> Later<'_, ()>;
}

impl Transport for Https {
    fn exchange(
        &self,
        limit: Duration,
        request: Builder,
        body: Bytes,
    ) -> Later<'_, Result<Response<Bytes>, HttpsError>> {
        Box::pin(self.exchange_within(limit, request, body))
    }

    fn wait(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}
