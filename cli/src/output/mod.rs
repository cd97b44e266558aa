//! How an answer leaves: as text for a person, or as one JSON document.
//!
//! Answers go to standard output, everything that happens on the way to
//! standard error.

mod failure;
mod json;
mod terminal;

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

pub(crate) use failure::Failure;
pub(crate) use terminal::{counter, note, progress};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For reading.
    Text,
    /// One JSON document, for programs.
    Json,
}

/// What a subcommand found or did.
pub(crate) trait Answer: Serialize {
    /// For a person, ending with a line break.
    fn text(&self) -> String;

    /// Whether something was left out.
    fn is_partial(&self) -> bool;
}

/// Writes the answer, or why there is none, and chooses the exit code.
pub(crate) fn end(form: Form, result: Result<impl Answer, Failure>) -> ExitCode {
    match (form, result) {
        (Form::Text, Ok(answer)) => terminal::answer(&answer.text(), exit_code_of(&answer)),
        (Form::Json, Ok(answer)) => json::answer(&answer, exit_code_of(&answer)),
        (Form::Text, Err(failure)) => terminal::failure(&failure),
        (Form::Json, Err(failure)) => json::failure(&failure),
    }
}

fn exit_code_of(answer: &impl Answer) -> u8 {
    if answer.is_partial() { 3 } else { 0 }
}
