//! What the function is told at start.

use shared::rules::Rules;
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// The name under which it attaches: the stack's.
    pub name: String,
    /// The rules, for the warnings.
    pub rules: Rules,
}

impl Settings {
    /// Reads the settings and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Ok(Self { name: name(lookup)?, rules: shell::rules(lookup)? })
    }
}

/// It becomes a part of a parameter's name.
fn name(lookup: Lookup<'_>) -> Result<String, SettingError> {
    let name = SettingError::required(lookup, "ATTACHMENT_NAME")?;
    let plain = name.len() <= 128 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let problem = "must be at most 128 letters, digits, dots, underscores or hyphens";
    if plain { Ok(name) } else { Err(SettingError::new("ATTACHMENT_NAME", problem)) }
}
