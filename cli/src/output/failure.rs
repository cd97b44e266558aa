//! Why there is no answer.

use std::fmt::Display;
use std::path::Path;

/// Why a subcommand gave no answer: a stable code and a sentence for the
/// operator, which never quotes what the operator's files hold of people.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What kind of failure it is.
    pub(crate) kind: Kind,
    /// Stable name, for programs and tests.
    pub(crate) code: &'static str,
    /// What happened and what to do.
    pub(crate) message: String,
}

/// What the exit code tells of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was tried and did not work.
    Failed,
    /// The command line, or a file that it names, cannot be used.
    Usage,
    /// The operator stopped it.
    Stopped,
}

impl Kind {
    /// As `poolhouse --help` lists them.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 130,
        }
    }
}

impl Failure {
    /// It was tried and did not work.
    pub(crate) fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, code, message: message.into() }
    }

    /// The command line, or a file that it names, cannot be used.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, code, message: message.into() }
    }

    /// The operator stopped it.
    pub(crate) fn stopped(message: impl Into<String>) -> Self {
        Self { kind: Kind::Stopped, code: "Stopped", message: message.into() }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: impl Display) -> Self {
        Self::usage("FileUnusable", format!("{}: {error}", path.display()))
    }
}
