//! What the function is told at start.

use shared::rules::Rules;
use shared::sign_up::Mode;
use shell::{Lookup, SettingError};

/// The setting that names the challenge's secret.
pub(crate) const CHALLENGE_SECRET: &str = "CHALLENGE_SECRET_ARN";

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// The operator's rules.
    pub rules: Rules,
    /// The directory table; `None` when the rules ask neither for invitations nor
    /// for a challenge.
    pub directory_table: Option<String>,
    /// The secret that the challenge's service knows us by; `None` when the rules
    /// have no challenge.
    pub challenge_secret_arn: Option<String>,
}

impl Settings {
    /// Reads the settings and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, shell::rules(lookup)?)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: Rules) -> Result<Self, SettingError> {
        let challenge_secret_arn = challenge_secret(lookup, rules.sign_up.challenge.is_some())?;
        let need = match (rules.sign_up.mode, &challenge_secret_arn) {
            (_, Some(_)) => Some("sign-up with a challenge"),
            (Mode::Invited, None) => Some("sign-up by invitation"),
            (Mode::Open | Mode::Closed, None) => None,
        };
        let directory_table = match (need, SettingError::optional(lookup, "DIRECTORY_TABLE")) {
            (None, _) => None,
            (Some(_), Some(table)) => Some(table),
            (Some(need), None) => {
                return Err(SettingError::new("DIRECTORY_TABLE", format!("is missing; {need} needs it")));
            }
        };
        Ok(Self { rules, directory_table, challenge_secret_arn })
    }
}

/// A secret without a challenge shows that template and rules disagree, and
/// somebody believes that programs are kept out.
fn challenge_secret(lookup: Lookup<'_>, needed: bool) -> Result<Option<String>, SettingError> {
    match (needed, SettingError::optional(lookup, CHALLENGE_SECRET)) {
        (true, None) => Err(SettingError::new(CHALLENGE_SECRET, "is missing; sign_up.challenge of the rules needs it")),
        (false, Some(_)) => {
            Err(SettingError::new(CHALLENGE_SECRET, "is there, but the rules have no sign_up.challenge"))
        }
        (_, arn) => Ok(arn),
    }
}
