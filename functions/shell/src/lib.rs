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
mod runtime_api;
#[cfg(feature = "sdk")]
pub mod sdk;
#[cfg(feature = "secret")]
pub mod secret;
mod settings;
#[cfg(feature = "signed")]
pub mod signed;
mod trigger;

#[cfg(feature = "https")]
pub use address::{check_address, is_address};
pub use failure::{Failure, PublicText, chain};
pub use run::{Answer, Handler, Invocation, start};
pub use settings::{Lookup, SettingError, environment, revocation_table, rules};
pub use trigger::{Event, Trigger, Version};

/// The address of a service in AWS itself, without a slash at the end. Each partition
/// has a domain of its own.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
#[cfg(any(feature = "sdk", feature = "signed"))]
fn regional(name: &str, region: &str) -> String {
    const DOMAINS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
    ];
    let known = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
    let domain = known.map_or("amazonaws.com", |(_, domain)| domain);
    format!("https://{name}.{region}.{domain}")
}
