//! The rule file that a subcommand is told to use.

use std::fs;
use std::path::{Path, PathBuf};

use shared::rules::{Rules, place_of};

use crate::output::Failure;

/// Where the rule file lies in this project.
pub(crate) const USUAL_PLACE: &str = "rules/rules.toml";

/// A rule file that was read.
pub(crate) struct RuleFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// The rules.
    pub(crate) rules: Rules,
}

impl RuleFile {
    /// Reads a rule file that has to be without errors.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        let rules = Rules::read(&text).map_err(|problems| {
            let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
            let shown = path.display();
            Failure::usage("RulesUnusable", format!("{shown}: {first}; `poolhouse check {shown}` shows all errors"))
        })?;
        Ok(Self { path: path.to_owned(), text, rules })
    }

    /// The file and line of a key, such as `rules/rules.toml:12`.
    pub(crate) fn line_of(&self, key: &str) -> String {
        format!("{}:{}", self.path.display(), place_of(&self.text, key).line)
    }
}
