//! One SDK configuration for every client: time-outs that fit Cognito's 5 s,
//! and one HTTP client for all of them.

mod limited;

use std::time::Duration;

use aws_config::BehaviorVersion;
/// What a client is built from.
pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

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
