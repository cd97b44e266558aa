//! The operator's tool. One module a subcommand; what may and must not be is
//! decided by `shared`.

mod arguments;
mod attach;
mod aws;
mod check;
mod completions;
mod doctor;
mod explain;
mod import;
mod output;
mod rule_file;
mod test;

use std::process::ExitCode;

pub use arguments::{Arguments, Command};
pub use attach::{AttachOptions, DetachOptions, Place, Version as AttachVersion};
pub use check::Options as CheckOptions;
pub use completions::Options as CompletionOptions;
pub use doctor::Options as DoctorOptions;
pub use explain::Options as ExplainOptions;
pub use import::{Options as ImportOptions, SignIn};
pub use output::{FailOn, Form};
pub use test::Options as TestOptions;

/// Runs what the arguments say.
pub fn run(arguments: Arguments) -> ExitCode {
    let form = arguments.output;
    let finds = matches!(arguments.command, Command::Check(_) | Command::Doctor(_));
    if form == Form::Sarif && !finds {
        return output::refuse(form, "FormUnsupported", "only check and doctor have an answer in SARIF");
    }
    match arguments.command {
        Command::Check(options) => output::end(form, check::run(&options)),
        Command::Test(options) => output::end(form, test::run(&options)),
        Command::Explain(options) => output::end(form, explain::run(&options)),
        Command::Doctor(options) => output::end(form, doctor::run(&options)),
        Command::Import(options) => output::end(form, import::run(&options)),
        Command::Attach(options) => output::end(form, attach::attach(&options)),
        Command::Detach(options) => output::end(form, attach::detach(&options)),
        Command::Completions(options) => completions::run(&options),
    }
}
