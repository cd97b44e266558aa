//! Clients of what stands in for AWS.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::{Client, Credentials, KEEP, LIMITS, Later, Pace, Service, Transport};
use crate::https::{Builder, Bytes, Https, HttpsError, Response};

impl Client {
    /// A client of what listens at this address, in `us-east-1`.
    pub fn local(url: &str) -> Self {
        let endpoints = Service::ALL.iter().map(|service| (*service, url.to_owned())).collect();
        Self { endpoints: Arc::new(endpoints), ..Self::through(Https::keeping(LIMITS, KEEP)) }
    }

    /// A client whose calls something else carries, in `us-east-1`.
    pub fn through(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            region: "us-east-1".into(),
            identity: Credentials::new("test", "test", None, None, "test").into(),
            endpoints: Arc::default(),
            pace: Pace::TRIGGER,
            clock: Clock::default(),
        }
    }

    /// The same; `watch` sees the operation's name, such as `GetItem`, and the body
    /// of every attempt. Its error refuses the attempt.
    pub fn watched<W>(&self, watch: W) -> Self
    where
        W: Fn(&str, &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    {
        let transport = Arc::new(Watched { inner: Arc::clone(&self.transport), watch });
        Self { transport, ..self.clone() }
    }
}

struct Watched<W> {
    inner: Arc<dyn Transport>,
    watch: W,
}

impl<W> Transport for Watched<W>
where
    W: Fn(&str, &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync,
{
    fn exchange(
        &self,
        limit: Duration,
        request: Builder,
        body: Bytes,
    ) -> Later<'_, Result<Response<Bytes>, HttpsError>> {
        let target = request.headers_ref().and_then(|headers| headers.get("x-amz-target")?.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        match (self.watch)(operation, &body) {
            Ok(()) => self.inner.exchange(limit, request, body),
            Err(refused) => {
                tracing::warn!(cause = %refused, "a test refuses a call");
                Box::pin(std::future::ready(Err(HttpsError::Unwritable)))
            }
        }
    }

    fn wait(&self, time: Duration) -> Later<'_, ()> {
        self.inner.wait(time)
    }
}
