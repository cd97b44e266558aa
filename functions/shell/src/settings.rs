//! Settings, read once at start through a lookup.

use std::fmt;

use shared::revocation::RevocationRules;
use shared::rules::Rules;

/// Where settings come from: the environment, or a table in a test.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Looks a setting up in the process's environment.
pub fn environment(key: &str) -> Option<String> {
    std::env::var(key).ok()
}

/// A setting that stops the function before its first event.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingError {
    key: &'static str,
    problem: String,
}

impl SettingError {
    /// Says what is wrong with `key`; the value itself is not shown.
    pub fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, problem: problem.into() }
    }

    /// Reads a setting that must be there. Empty is absent.
    pub fn required(lookup: Lookup<'_>, key: &'static str) -> Result<String, Self> {
        Self::optional(lookup, key).ok_or_else(|| Self::new(key, "is missing; set it in the function's environment"))
    }

    /// Reads a setting that may be left out. Empty is absent.
    pub fn optional(lookup: Lookup<'_>, key: &str) -> Option<String> {
        lookup(key).filter(|value| !value.is_empty())
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.problem)
    }
}

impl std::error::Error for SettingError {}

/// Where the layer mounts the rule file.
const LAYER_RULES: &str = "/opt/rules.toml";

/// Reads the rule file: `RULES_FILE`, or the one of the layer.
pub fn rules(lookup: Lookup<'_>) -> Result<Rules, SettingError> {
    let path = SettingError::optional(lookup, "RULES_FILE").unwrap_or_else(|| LAYER_RULES.to_owned());
    let text = std::fs::read_to_string(&path)
        .map_err(|error| SettingError::new("RULES_FILE", format!("names {path}, which cannot be read: {error}")))?;
    Rules::read(&text).map_err(|problems| SettingError::new("RULES_FILE", format!("names {path}: {problems}")))
}

/// The table of ended sessions; `None` where revocation is off. Template and
/// rules have to agree: marks that nobody reads end nothing.
pub fn revocation_table(lookup: Lookup<'_>, rules: &RevocationRules) -> Result<Option<String>, SettingError> {
    const KEY: &str = "REVOCATION_TABLE";
    match (rules.is_on(), SettingError::optional(lookup, KEY)) {
        (true, None) => Err(SettingError::new(KEY, "is missing, and [revocation] of the rule file is on")),
        (false, Some(_)) => Err(SettingError::new(KEY, "is set, and [revocation] of the rule file is off")),
        (_, table) => Ok(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_a_missing_setting_is_named() {
        let table = [(None, None), (Some(""), None), (Some("x"), Some("x"))];
        for (value, expected) in table {
            let lookup = |_: &str| value.map(str::to_owned);
            assert_eq!(SettingError::optional(&lookup, "KEY").as_deref(), expected);
            match SettingError::required(&lookup, "KEY") {
                Ok(found) => assert_eq!(Some(found.as_str()), expected),
                Err(error) => assert!(error.to_string().starts_with("KEY is missing"), "{error}"),
            }
        }
    }

    #[test]
    fn the_table_of_ended_sessions_and_the_rules_agree() {
        use shared::revocation::Mode::{Off, On};
        let table = [
            (Off, None, Ok(None)),
            (Off, Some(""), Ok(None)),
            (Off, Some("t"), Err(())),
            (On, None, Err(())),
            (On, Some(""), Err(())),
            (On, Some("t"), Ok(Some("t".to_owned()))),
        ];
        for (mode, value, expected) in table {
            let rules = RevocationRules { mode, ..RevocationRules::default() };
            let lookup = |_: &str| value.map(str::to_owned);
            let read = revocation_table(&lookup, &rules);
            let named = read.as_ref().err().is_none_or(|error| error.to_string().starts_with("REVOCATION_TABLE"));
            assert!(named, "{mode:?} {value:?}");
            assert_eq!(read.map_err(drop), expected, "{mode:?} {value:?}");
        }
    }

    #[test]
    fn a_rule_file_that_is_not_there_is_named() {
        let lookup = |key: &str| (key == "RULES_FILE").then(|| "/nowhere/rules.toml".to_owned());
        let error = rules(&lookup).unwrap_err().to_string();
        assert!(error.contains("RULES_FILE") && error.contains("/nowhere/rules.toml"), "{error}");
    }
}
