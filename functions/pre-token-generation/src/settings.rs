//! What the function is told at start.

use shared::rules::Rules;
use shared::tenants::TenantSource;
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// The operator's rules.
    pub rules: Rules,
    /// The directory table. When tenants come from groups alone it is needed only
    /// where users are moved in; `None` there means that none are.
    pub directory_table: Option<String>,
}

impl Settings {
    /// Reads them. The table must be named unless the rules do without it.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let rules = shell::rules(lookup)?;
        let table = SettingError::optional(lookup, "DIRECTORY_TABLE");
        let directory_table = match (rules.tenants.source, table) {
            (TenantSource::Groups, table) => table,
            (TenantSource::Directory | TenantSource::Both, Some(table)) => Some(table),
            (TenantSource::Directory | TenantSource::Both, None) => {
                return Err(SettingError::new(
                    "DIRECTORY_TABLE",
                    "is missing; tenants that the directory keeps need it",
                ));
            }
        };
        Ok(Self { rules, directory_table })
    }
}
