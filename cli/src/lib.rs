//! The operator's tool. One module a subcommand; what may and must not be is
//! decided by `shared`.

mod arguments;
mod attach;
mod import;
mod output;

use std::process::ExitCode;

pub use arguments::{Arguments, Command};
pub use attach::{AttachOptions, DetachOptions, Place, Version as AttachVersion};
pub use import::{Options as ImportOptions, SignIn};
pub use output::Form;

/// Runs what the arguments say.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Command::Import(options) => output::end(arguments.output, import::run(&options)),
        Command::Attach(options) => output::end(arguments.output, attach::attach(&options)),
        Command::Detach(options) => output::end(arguments.output, attach::detach(&options)),
    }
}
