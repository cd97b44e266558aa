//! Measures what the suite costs and how fast it is.
//!
//! `cargo bench-suite` prints tables in Markdown. Figures are of the machine it
//! runs on; what may be compared are the ratios within one run.

mod counts;
mod functions;
mod promotion;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use functions::Effort;

/// Measures the suite, each function beside the floor and its peers.
#[derive(Parser)]
#[command(name = "cargo bench-suite", bin_name = "cargo bench-suite", version)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// A few calls only, to see that everything runs; not for figures.
    #[arg(long)]
    quick: bool,
    /// With `functions`: only the rows whose names begin like this, beside the floor.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// With `counts`: writes the baseline instead of comparing with it.
    #[arg(long)]
    update: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The functions and the promotion of a guest.
    All,
    /// Starts, warm calls, memory and size of each function.
    Functions,
    /// Write units and time of a guest's promotion.
    Promotion,
    /// Instructions and size against the committed baseline; fails above 5 %.
    Counts,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(tables) => {
            drop(writeln!(std::io::stdout(), "{}", tables.join("\n")));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<Vec<String>> {
    let effort = if arguments.quick { Effort::QUICK } else { Effort::WHOLE };
    let mut tables = Vec::new();
    if matches!(arguments.what, What::All | What::Functions) {
        tables.push(functions::run(effort, arguments.only.as_deref().unwrap_or_default())?);
    }
    if matches!(arguments.what, What::All | What::Promotion) {
        tables.push(promotion::table()?);
    }
    if arguments.what == What::Counts {
        tables.push(counts::table(arguments.update)?);
    }
    Ok(tables)
}

/// Says what is being done while it takes its time.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "bench-suite: {text}"));
}
