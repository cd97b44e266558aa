//! The function's settings.

use shared::rules::Rules;
use shared::tenants::TenantRules;
use shell::{Lookup, SettingError};

/// Where the data is, and what says who administers a tenant.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tables and the role for a tenant's part of them.
    pub back_end: back_end::Settings,
    /// Where roles come from decides what a token still proves.
    pub tenants: TenantRules,
}

impl Settings {
    /// Reads the settings of a back end and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, shell::rules(lookup)?)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: Rules) -> Result<Self, SettingError> {
        Ok(Self { back_end: back_end::Settings::read(lookup, &rules.revocation)?, tenants: rules.tenants })
    }
}
