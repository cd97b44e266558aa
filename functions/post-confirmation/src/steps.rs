//! What became of the steps.

use std::error::Error;
use std::fmt;

use directory::{Outcome, Provisioned};
use shell::chain;

/// The steps that failed; there is at least one. The others were taken, or
/// wait for the next time.
#[derive(Debug)]
pub(crate) struct StepsFailed {
    code: &'static str,
    causes: Vec<String>,
}

impl StepsFailed {
    /// How the profile came about, if nothing failed.
    pub(crate) fn check(outcome: Outcome) -> Result<Provisioned, Self> {
        let mut failed: Vec<(&'static str, String)> = Vec::new();
        let profile = outcome.profile.map_err(|error| {
            // A profile that waits for a group did not fail: the group did.
            if !matches!(error, directory::Error::HeldBack) {
                failed.push((error.code(), chain(&error)));
            }
        });
        failed.extend(outcome.failed.iter().map(|error| (error.code(), chain(error))));
        match (profile, failed.first()) {
            (Ok(provisioned), None) => Ok(provisioned),
            (_, first) => {
                let code = first.map_or("StepFailed", |(code, _)| code);
                Err(Self { code, causes: failed.into_iter().map(|(_, cause)| cause).collect() })
            }
        }
    }

    /// The stable name of the first one.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for StepsFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.causes.join("; "))
    }
}

impl Error for StepsFailed {}
