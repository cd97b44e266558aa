//! What the person at the terminal reads.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Writes lines to standard output, with colour and a running clock only when
/// a terminal reads them.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    terminal: bool,
}

/// How a line is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Tick,
    /// Not as it should be.
    Cross,
}

impl Say {
    /// Looks once whether a terminal reads.
    pub fn to_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { terminal }
    }

    /// One line as it is.
    pub fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// One line of preparation: what is being done, and how it went.
    pub fn prepared(&self, part: &str, text: &str) {
        self.line(&format!("{}{text}", self.dim(&format!("{part:<10}"))));
    }

    /// A heading with a blank line before it.
    pub fn heading(&self, text: &str) {
        self.line(&format!("\n{}", self.bold(text)));
    }

    /// A step of the story.
    pub fn marked(&self, mark: Mark, text: &str) {
        let sign = match mark {
            Mark::Tick => self.coloured("32", "✓"),
            Mark::Cross => self.coloured("31;1", "✗"),
        };
        self.line(&format!("  {sign} {text}"));
    }

    /// A line below a step.
    pub fn detail(&self, label: &str, text: &str) {
        self.line(&format!("      {} {text}", self.dim(&format!("{label:<4}"))));
    }

    /// Runs `work` below a line that says what it is, with its seconds counted
    /// on a terminal.
    pub async fn during<T>(&self, part: &str, text: &str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        if !self.terminal {
            self.prepared(part, &format!("{text} …"));
        }
        let mut work = std::pin::pin!(work);
        let result = loop {
            if self.terminal {
                let label = self.dim(&format!("{part:<10}"));
                self.write(&format!("\r\u{1b}[K{label}{text} … {} s", begun.elapsed().as_secs()));
            }
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        };
        if self.terminal {
            self.write("\r\u{1b}[K");
        }
        result
    }

    /// Bold on a terminal.
    pub fn bold(&self, text: &str) -> String {
        self.coloured("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.coloured("2", text)
    }

    fn coloured(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A reader that went away is no reason to stop: the exit code still tells.
    fn write(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
