//! What every function shares: start-up, the trigger envelope, settings,
//! failures and logging.
//!
//! A function is a [`Handler`]; its `main` builds one and hands it to
//! [`start`]. Everything between the Runtime API and the handler is here, so
//! that all functions log, fail and keep time alike.

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
mod trigger;

pub use failure::{Failure, PublicText, chain};
pub use run::{Answer, Handler, Invocation, start};
pub use settings::{Lookup, SettingError, environment, rules};
pub use trigger::{Event, Trigger, Version};
