//! The parent's side of the pipe.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Starts programs below a supervisor.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The `local` binary, which knows the supervisor mode.
    supervisor: PathBuf,
}

/// A program that ends when this value is dropped, or its holder dies.
#[derive(Debug)]
pub struct Supervised {
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Launcher {
    /// `supervisor` is the path of the `local` binary.
    pub fn new(supervisor: &Path) -> Self {
        Self { supervisor: supervisor.to_owned() }
    }

    /// A command that runs `program` supervised. Environment, folder and
    /// outputs may be set on it; its input is the pipe.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(&self.supervisor);
        // A group of its own: Ctrl-C at the terminal reaches us alone, and we
        // end things in order.
        command.arg("supervise").arg("--").arg(program).stdin(Stdio::piped()).process_group(0);
        command
    }

    /// Starts a command made by [`Launcher::command`].
    pub fn start(&self, command: &mut Command) -> Result<Supervised> {
        let mut child = command.spawn().context("a helper process cannot be started")?;
        let lifeline = child.stdin.take();
        Ok(Supervised { child, lifeline })
    }

    /// Runs a command to its end, with its output in `log`. An end that is not
    /// well becomes an error with the last lines of the output.
    pub async fn run(&self, command: &mut Command, name: &str, log: &Path) -> Result<()> {
        let file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        command.stderr(file.try_clone()?).stdout(file);
        let status = self.start(command)?.wait().await?;
        if !status.success() {
            bail!("{name} failed ({}); the end of {}:\n{}", super::outcome(status), log.display(), tail(log, 25));
        }
        Ok(())
    }
}

impl Supervised {
    /// The program's standard output, where it is a pipe; once.
    pub fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits until the program ends by itself.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }
}

impl Drop for Supervised {
    /// Closes the pipe and waits until the supervisor has ended everything. It
    /// blocks the thread: nothing else is to be done by one who drops this.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        while matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The last lines of a file, indented.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let kept = all.iter().skip(all.len().saturating_sub(lines));
    kept.map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
