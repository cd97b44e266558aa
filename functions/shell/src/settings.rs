//! Settings, read once at start through a lookup.

use std::fmt;

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
    fn a_rule_file_that_is_not_there_is_named() {
        let lookup = |key: &str| (key == "RULES_FILE").then(|| "/nowhere/rules.toml".to_owned());
        let error = rules(&lookup).unwrap_err().to_string();
        assert!(error.contains("RULES_FILE") && error.contains("/nowhere/rules.toml"), "{error}");
    }
}
