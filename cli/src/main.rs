//! `poolhouse`: the operator's tool.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    poolhouse::run(poolhouse::Arguments::parse())
}
