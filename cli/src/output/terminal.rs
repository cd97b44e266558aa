//! Answers for people, and what they see on the way.

use std::io::Write as _;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;

/// Writes the answer to standard output.
pub(super) fn answer(text: &str, exit_code: u8) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if written.is_ok() { ExitCode::from(exit_code) } else { ExitCode::FAILURE }
}

/// Writes why there is no answer to standard error.
pub(super) fn failure(failure: &Failure) -> ExitCode {
    note(&format!("{} ({})", failure.message, failure.code));
    ExitCode::from(failure.kind.exit_code())
}

/// Writes one line to standard error. Nobody has to read it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "poolhouse: {text}");
}

/// Counts rows on standard error while nobody knows how many there are; it shows
/// nothing where there is no terminal.
pub(crate) fn counter(label: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner().with_message(label), "{msg:9} {human_pos} rows")
}

/// A progress bar over so many rows, likewise.
pub(crate) fn progress(label: &'static str, rows: u64) -> ProgressBar {
    styled(ProgressBar::new(rows).with_message(label), "{msg:9} {wide_bar} {percent:>3} %  {eta} left")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
