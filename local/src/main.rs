//! `cargo local`: the whole suite on one machine.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds the functions, deploys the real template to a local AWS, tells the
/// story of its users with real tokens, and stays up until Ctrl-C.
#[derive(Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version)]
struct Arguments {
    /// Ends after the story; the exit code tells whether every step was right.
    #[arg(long)]
    once: bool,
    /// Plays the story on a pool that was there before, and ends after the stack has left it.
    #[arg(long)]
    existing: bool,
    /// Builds what ships (`sam build`, takes minutes) instead of the quick profile.
    #[arg(long)]
    release: bool,
    /// The port to serve on; 0 takes any free one.
    #[arg(long, default_value_t = local::DEFAULT_PORT)]
    port: u16,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// Runs a program that ends when the parent does.
    #[command(hide = true)]
    Supervise {
        /// The program.
        program: String,
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.mode {
        Some(Mode::Supervise { program, arguments }) => local::supervise::serve(&program, &arguments),
        None => local::run(local::Options {
            once: arguments.once,
            existing: arguments.existing,
            release: arguments.release,
            port: arguments.port,
        }),
    }
}
