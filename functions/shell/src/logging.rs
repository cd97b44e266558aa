//! One JSON line per invocation, and nothing of anyone else's.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The crates of this project that log, beside the function's own.
const OURS: [&str; 4] = ["back_end", "directory", "shared", "shell"];

/// Sends our own events to standard output as JSON.
///
/// `LOG_LEVEL` moves the level of this project's code only. The SDK logs
/// whole requests at trace level, so everything that is not ours stays at warnings,
/// whatever is set.
pub(crate) fn start(function: &str, lookup: crate::Lookup<'_>) -> Result<(), crate::SettingError> {
    let level = match crate::SettingError::optional(lookup, "LOG_LEVEL") {
        None => Level::INFO,
        Some(text) => text
            .parse()
            .map_err(|_| crate::SettingError::new("LOG_LEVEL", "must be error, warn, info, debug or trace"))?,
    };
    let own = function.replace('-', "_");
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_targets(OURS.map(|name| (name, level)))
        .with_target(own, level);
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_ansi(false);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(targets).with(json).try_init();
    Ok(())
}
