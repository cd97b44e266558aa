//! Answers for programs.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::Failure;

/// Writes the answer as one document.
pub(super) fn answer(answer: &impl Serialize, exit_code: u8) -> ExitCode {
    write(answer, exit_code)
}

/// Writes why there is none, in the place of the answer.
pub(super) fn failure(failure: &Failure) -> ExitCode {
    let document = json!({ "error": { "code": failure.code, "message": failure.message } });
    write(&document, failure.kind.exit_code())
}

/// A reader that went away is told by the exit code of a failure.
fn write(document: &impl Serialize, exit_code: u8) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut out, document).is_ok() && writeln!(out).is_ok();
    if written { ExitCode::from(exit_code) } else { ExitCode::FAILURE }
}
