//! An HTTP client that takes no endless answer: the SDK reads whatever comes,
//! and a function has little memory.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited as LimitedBody;

/// More bytes than any answer has: a page of DynamoDB holds 1 MB, which its JSON
/// makes a few times longer.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A client whose answers have an end.
#[derive(Debug)]
pub(super) struct Limited<T>(pub(super) T);

impl HttpClient for Limited<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Limited(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Limited<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        let limit = |body| SdkBody::from_body_1_x(LimitedBody::new(body, MOST_BYTES));
        HttpConnectorFuture::new(async move { Ok(answer.await?.map(limit)) })
    }
}
