//! What every function shares: start-up, the trigger envelope, settings,
//! failures and logging.
//!
//! A function is a [`Handler`]; its `main` builds one and hands it to
//! [`start`]. Everything between the Runtime API and the handler is here, so
//! that all functions log, fail and keep time alike.

#[cfg(feature = "https")]
mod address;
#[cfg(feature = "aws")]
pub mod aws;
mod failure;
#[cfg(feature = "https")]
pub mod https;
#[cfg(feature = "key-set")]
pub mod key_set;
mod logging;
mod run;
#[cfg(feature = "secret")]
pub mod secret;
mod settings;
#[cfg(feature = "signed")]
pub mod signed;
mod trigger;

pub use failure::{Failure, PublicText, chain};
pub use run::{Answer, Handler, Invocation, start};
pub use settings::{Lookup, SettingError, environment, revocation_table, rules};
pub use trigger::{Event, Trigger, Version};

/// The address of a service in AWS itself, without a slash at the end.
#[cfg(any(feature = "aws", feature = "signed"))]
fn regional(name: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{name}.{region}.{suffix}")
}
