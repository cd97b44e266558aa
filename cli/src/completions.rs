//! `poolhouse completions`: the arguments, completed by the shell.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::{Arguments, EXIT_CODES};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  Bash, for this user:
    poolhouse completions bash > ~/.local/share/bash-completion/completions/poolhouse
  Zsh, where the folder is in $fpath:
    poolhouse completions zsh > ~/.zfunc/_poolhouse
  Fish:
    poolhouse completions fish > ~/.config/fish/completions/poolhouse.fish";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// Which shell.
#[derive(Args, Debug)]
pub struct Options {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Writes the script.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "poolhouse", &mut script);
    output::script(&String::from_utf8_lossy(&script))
}
