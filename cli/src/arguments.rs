//! What can be typed.

use clap::{Parser, Subcommand};

use crate::{
    AttachOptions, CheckOptions, CompletionOptions, DetachOptions, DoctorOptions, ExplainOptions, Form, ImportOptions,
    TestOptions,
};

/// What every help text ends with.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed; standard error says why
  2    the command line, or a file that it names, cannot be used
  3    done, but something was left out; the answer says what
  4    done, and what was looked at is not as it should be; the answer says why
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
#[expect(clippy::large_enum_variant, reason = "there is one of it, for as long as the program runs")]
pub enum Command {
    /// Looks at a rule file: what is wrong, what is odd, what its tokens take.
    #[command(after_help = EXIT_CODES, after_long_help = crate::check::long_help())]
    Check(CheckOptions),
    /// Runs a directory of cases against a rule file.
    #[command(after_help = EXIT_CODES, after_long_help = crate::test::long_help())]
    Test(TestOptions),
    /// Says what becomes of one person under the rules, and why.
    #[command(after_help = EXIT_CODES, after_long_help = crate::explain::long_help())]
    Explain(ExplainOptions),
    /// Looks at a live pool and all around it for what is dangerous.
    #[command(after_help = EXIT_CODES, after_long_help = crate::doctor::long_help())]
    Doctor(DoctorOptions),
    /// Reads the users of an old system into the table that user-migration asks.
    #[command(after_help = EXIT_CODES, after_long_help = crate::import::long_help())]
    Import(ImportOptions),
    /// Puts the triggers into a user pool that is there already.
    #[command(after_help = EXIT_CODES, after_long_help = crate::attach::long_help_of_attach())]
    Attach(AttachOptions),
    /// Takes the triggers out of it, and puts back what was there.
    #[command(after_help = EXIT_CODES, after_long_help = crate::attach::long_help_of_detach())]
    Detach(DetachOptions),
    /// Writes a script that completes this tool's arguments in a shell.
    #[command(after_help = EXIT_CODES, after_long_help = crate::completions::long_help())]
    Completions(CompletionOptions),
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
