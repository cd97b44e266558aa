//! What a look at rules or settings has found.

use serde::{Deserialize, Serialize};

/// One thing that is not as it should be, with why that matters and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name, for programs and tests.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a key of the rule file, or the name of a resource.
    pub subject: String,
    /// What is found.
    pub message: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub fix: String,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Hardly meant so.
    Warning,
    /// Dangerous, or without effect.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

/// The words of a finding: what is found, why it matters, what to do.
pub(crate) type Words<'a> = [&'a str; 3];

impl Findings {
    /// Notes an error.
    pub(crate) fn error(&mut self, code: &str, subject: &str, words: Words<'_>) {
        self.add(Severity::Error, code, subject, words);
    }

    /// Notes a warning.
    pub(crate) fn warning(&mut self, code: &str, subject: &str, words: Words<'_>) {
        self.add(Severity::Warning, code, subject, words);
    }

    /// Notes something that is good to know.
    pub(crate) fn note(&mut self, code: &str, subject: &str, words: Words<'_>) {
        self.add(Severity::Note, code, subject, words);
    }

    fn add(&mut self, severity: Severity, code: &str, subject: &str, [message, why, fix]: Words<'_>) {
        let [code, subject, message, why, fix] = [code, subject, message, why, fix].map(str::to_owned);
        self.0.push(Finding { code, severity, subject, message, why, fix });
    }

    /// All of them, in the order in which they were found.
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}
