//! One configuration for clients of the AWS SDKs, for `pool-attachment`, which shares
//! its calls with the operator's tool: time-outs, and one HTTP client for all of them.

mod limited;

use std::time::Duration;

use aws_config::BehaviorVersion;
/// What a client is built from.
pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::service_config::ServiceConfigKey;

/// Loads credentials and region from the environment, as Lambda sets them.
///
/// The SDK's defaults (three attempts, 1 s back-off, no limit on an operation)
/// cannot answer a trigger in time.
/// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>
pub async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(250))
        .operation_attempt_timeout(Duration::from_millis(700))
        .operation_timeout(Duration::from_millis(1_800))
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(200));
    // Without one client for all, each would open its own connections and read
    // the root certificates again. It keeps one of a service: in a freeze all of
    // them may die unheard, and each that is tried first costs an attempt.
    let http = aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(1)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(limited::Limited(http))
        .timeout_config(timeouts)
        .retry_config(retries)
        .load()
        .await
}

/// Where a service is, for a call that no SDK makes: as the SDKs find it, by the
/// service's own setting, the common one, or in AWS itself. `id` is the service's
/// name in settings. Without a slash at the end.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
pub fn endpoint(config: &SdkConfig, name: &str, id: &str, region: &str) -> String {
    let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
    let set = own.or_else(|| config.endpoint_url().map(str::to_owned));
    let set = set.map(|url| url.trim_end_matches('/').to_owned());
    set.unwrap_or_else(|| crate::regional(name, region))
}
