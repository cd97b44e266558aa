//! The function's settings.

use shared::rules::Rules;
use shell::{Lookup, SettingError};

/// Where the data is.
#[derive(Clone, Debug)]
pub struct Settings(pub back_end::Settings);

impl Settings {
    /// Reads the settings of a back end and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, &shell::rules(lookup)?)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: &Rules) -> Result<Self, SettingError> {
        back_end::Settings::read(lookup, &rules.revocation).map(Self)
    }
}
