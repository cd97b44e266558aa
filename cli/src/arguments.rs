//! What can be typed.

use clap::{Parser, Subcommand};

use crate::{AttachOptions, DetachOptions, Form, ImportOptions};

/// What every help text ends with.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed; standard error says why
  2    the command line, or a file that it names, cannot be used
  3    done, but something was left out; the answer says what
  130  stopped by Ctrl-C";

/// The operator's tool of Poolhouse.
#[derive(Debug, Parser)]
#[command(name = "poolhouse", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// How the answer is written to standard output.
    #[arg(long, global = true, value_enum, default_value_t = Form::Text, value_name = "FORM")]
    pub output: Form,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One thing to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads the users of an old system into the table that user-migration asks.
    #[command(after_help = EXIT_CODES, after_long_help = crate::import::long_help())]
    Import(ImportOptions),
    /// Puts the triggers into a user pool that is there already.
    #[command(after_help = EXIT_CODES, after_long_help = crate::attach::long_help_of_attach())]
    Attach(AttachOptions),
    /// Takes the triggers out of it, and puts back what was there.
    #[command(after_help = EXIT_CODES, after_long_help = crate::attach::long_help_of_detach())]
    Detach(DetachOptions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
