//! What the function is told at start.

use shared::guests::GuestRules;
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// What guests may keep.
    pub rules: GuestRules,
    /// The records table.
    pub records_table: String,
    /// The queue of the promotions that go on.
    pub queue_url: String,
}

impl Settings {
    /// Reads them.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let rules = shell::rules(lookup)?.guests;
        Ok(Self {
            rules: rules.ok_or_else(|| SettingError::new("RULES_FILE", "has no section guests"))?,
            records_table: SettingError::required(lookup, "RECORDS_TABLE")?,
            queue_url: SettingError::required(lookup, "QUEUE_URL")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_must_be_there() {
        let with_guests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/rules.toml");
        let without = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/attacks.rules.toml");
        let whole = [("RULES_FILE", with_guests), ("RECORDS_TABLE", "records"), ("QUEUE_URL", "https://queue.example")];
        let table = [
            ("all of them", None, None),
            ("no table", Some(("RECORDS_TABLE", "")), Some("RECORDS_TABLE is missing")),
            ("no queue", Some(("QUEUE_URL", "")), Some("QUEUE_URL is missing")),
            ("no rule file", Some(("RULES_FILE", "/nowhere")), Some("RULES_FILE names /nowhere")),
            ("rules without guests", Some(("RULES_FILE", without)), Some("RULES_FILE has no section guests")),
        ];
        for (name, instead, expected) in table {
            let lookup = |key: &str| {
                let found = instead.iter().chain(&whole).find(|(known, _)| *known == key);
                found.map(|(_, value)| (*value).to_owned())
            };
            let error = Settings::read(&lookup).err().map(|error| error.to_string());
            assert_eq!(error.is_none(), expected.is_none(), "{name}: {error:?}");
            assert!(error.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{name}");
        }
    }
}
