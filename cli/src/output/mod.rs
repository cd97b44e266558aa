//! How an answer leaves: as text for a person, or as one document for a program.
//!
//! Answers go to standard output, everything that happens on the way to
//! standard error.

mod failure;
mod json;
mod paint;
mod sarif;
mod terminal;

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;
use shared::findings::{Finding, Severity};

pub(crate) use failure::Failure;
pub(crate) use paint::Paint;
pub(crate) use sarif::Located;
pub(crate) use terminal::{counter, note, progress};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For reading.
    Text,
    /// One JSON document, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning; of check and doctor.
    Sarif,
}

/// From which finding on the exit code says that something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// An error.
    Error,
    /// A warning, or worse.
    Warning,
}

/// What a subcommand found or did.
pub(crate) trait Answer: Serialize {
    /// For a person, ending with a line break.
    fn text(&self, paint: Paint) -> String;

    /// What the exit code tells.
    fn outcome(&self) -> Outcome;

    /// Findings with their places, for SARIF; none of most.
    fn findings(&self) -> Vec<Located<'_>> {
        Vec::new()
    }
}

/// What the exit code tells of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Done,
    /// Something was left out.
    Partial,
    /// What was looked at is not as it should be.
    Found,
}

impl Outcome {
    /// As `poolhouse --help` lists them.
    fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Partial => 3,
            Self::Found => 4,
        }
    }
}

impl FailOn {
    /// What these findings amount to.
    pub(crate) fn outcome<'a>(self, mut findings: impl Iterator<Item = &'a Finding>) -> Outcome {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
        };
        if findings.any(|finding| finding.severity >= least) { Outcome::Found } else { Outcome::Done }
    }
}

/// How many findings there are of each kind, in words.
pub(crate) fn counted<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> String {
    let of = |severity: Severity| findings.clone().filter(|finding| finding.severity == severity).count();
    let words = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let count = of(severity);
        format!("{count} {}{}", severity.as_str(), if count == 1 { "" } else { "s" })
    });
    words.join(", ")
}

/// Writes the answer, or why there is none, and chooses the exit code.
pub(crate) fn end(form: Form, result: Result<impl Answer, Failure>) -> ExitCode {
    match (form, result) {
        (Form::Text, Ok(answer)) => terminal::answer(&answer.text(Paint::detect()), answer.outcome().exit_code()),
        (Form::Json, Ok(answer)) => json::answer(&answer, answer.outcome().exit_code()),
        (Form::Sarif, Ok(answer)) => json::answer(&sarif::document(&answer.findings()), answer.outcome().exit_code()),
        (Form::Text, Err(failure)) => terminal::failure(&failure),
        (Form::Json | Form::Sarif, Err(failure)) => json::failure(&failure),
    }
}

/// Writes why a command line cannot be used.
pub(crate) fn refuse(form: Form, code: &'static str, message: &str) -> ExitCode {
    let failure = Failure::usage(code, message);
    if form == Form::Text { terminal::failure(&failure) } else { json::failure(&failure) }
}

/// Writes something that is no document, such as a script.
pub(crate) fn script(text: &str) -> ExitCode {
    terminal::answer(text, 0)
}
