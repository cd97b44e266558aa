//! One JSON line per invocation, and nothing of anyone else's.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Sends our own events to standard output as JSON.
///
/// `LOG_LEVEL` moves the level of this project's code only. The Lambda runtime
/// and the SDK log whole events and requests at trace level, so theirs stays at
/// warnings whatever is set.
pub(crate) fn start(lookup: crate::Lookup<'_>) -> Result<(), crate::SettingError> {
    let level = match crate::SettingError::optional(lookup, "LOG_LEVEL") {
        None => Level::INFO,
        Some(text) => text
            .parse()
            .map_err(|_| crate::SettingError::new("LOG_LEVEL", "must be error, warn, info, debug or trace"))?,
    };
    let foreign = ["lambda_runtime", "lambda_runtime_api_client", "hyper", "hyper_util", "rustls", "tower", "h2"];
    let targets = foreign
        .into_iter()
        .fold(Targets::new().with_default(level), |targets, name| targets.with_target(name, LevelFilter::WARN));
    let targets = targets.with_target("aws", LevelFilter::WARN).with_target("hyper_rustls", LevelFilter::WARN);
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_ansi(false);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(targets).with(json).try_init();
    Ok(())
}
