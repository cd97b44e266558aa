//! Measures what the suite costs and how fast it is.
//!
//! `cargo bench-suite` prints tables in Markdown. Figures are of the machine it
//! runs on; what may be compared are the ratios within one run.

mod promotion;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match promotion::table() {
        Ok(table) => {
            drop(writeln!(std::io::stdout(), "{table}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            drop(writeln!(std::io::stderr(), "bench-suite: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
