//! What became of the steps.

use std::error::Error;
use std::fmt;

use directory::Provisioned;
use shell::chain;

use crate::AddError;

/// The steps that failed; there is at least one. The others were taken.
#[derive(Debug)]
pub(crate) struct StepsFailed {
    code: &'static str,
    causes: Vec<String>,
}

impl StepsFailed {
    /// How the profile came about, if nothing failed.
    pub(crate) fn check(
        profile: Result<Provisioned, directory::Error>,
        groups: Vec<Result<(), AddError>>,
    ) -> Result<Provisioned, Self> {
        let mut failed: Vec<(&'static str, String)> = Vec::new();
        let profile = profile.map_err(|error| failed.push((error.code(), chain(&error))));
        failed.extend(groups.into_iter().filter_map(Result::err).map(|error| (error.code(), chain(&error))));
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
