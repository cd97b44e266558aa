//! What the function is told at start.

use shared::rules::Rules;
use shared::sign_up::Mode;
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// The operator's rules.
    pub rules: Rules,
    /// The directory table; `None` when the rules do not ask for invitations.
    pub invitation_table: Option<String>,
}

impl Settings {
    /// Reads them. The table must be named when sign-up needs an invitation.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let rules = shell::rules(lookup)?;
        let table = SettingError::optional(lookup, "DIRECTORY_TABLE");
        let invitation_table = match (rules.sign_up.mode, table) {
            (Mode::Open | Mode::Closed, _) => None,
            (Mode::Invited, Some(table)) => Some(table),
            (Mode::Invited, None) => {
                return Err(SettingError::new("DIRECTORY_TABLE", "is missing; sign-up by invitation needs it"));
            }
        };
        Ok(Self { rules, invitation_table })
    }
}
