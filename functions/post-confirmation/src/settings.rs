//! What the function is told at start.

use shared::rules::Rules;
use shell::{Lookup, SettingError};

/// The settings of this function. The pool is named by each event.
#[derive(Debug)]
pub struct Settings {
    /// The operator's rules.
    pub rules: Rules,
    /// The directory table.
    pub directory_table: String,
}

impl Settings {
    /// Reads them.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Ok(Self { rules: shell::rules(lookup)?, directory_table: SettingError::required(lookup, "DIRECTORY_TABLE")? })
    }
}
