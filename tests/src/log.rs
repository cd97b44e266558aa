//! What a process prints, line by line, as it prints it.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, where the functions log.
    Output,
    /// Standard error, where only a panic would write.
    Error,
}

/// One printed line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it was printed.
    pub stream: Stream,
    /// The line without its end; what is not UTF-8 is replaced.
    pub text: String,
}

/// All lines of one process.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: Arc<(Mutex<Vec<Line>>, Condvar)>,
    readers: Vec<JoinHandle<()>>,
}

impl Log {
    /// Collects the lines of `source` until it ends.
    pub(crate) fn follow(&mut self, stream: Stream, source: impl Read + Send + 'static) {
        let lines = Arc::clone(&self.lines);
        self.readers.push(std::thread::spawn(move || {
            for line in BufReader::new(source).split(b'\n') {
                let Ok(line) = line else { break };
                let text = String::from_utf8_lossy(&line).into_owned();
                lines.0.lock().unwrap_or_else(PoisonError::into_inner).push(Line { stream, text });
                lines.1.notify_all();
            }
        }));
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until everything is read that a process printed which has ended.
    pub(crate) fn wait_for_the_end(&mut self) {
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
    }

    /// Waits a moment for a line that holds all of `texts`: a pipe is read later
    /// than the answer that followed it.
    pub(crate) fn wait_for(&self, texts: &[&str], at_most: Duration) {
        let lines = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |line: &Line| texts.iter().all(|text| line.text.contains(text));
        // From the newest: that is where it will be.
        let missing = |lines: &mut Vec<Line>| !lines.iter().rev().any(holds);
        drop(self.lines.1.wait_timeout_while(lines, at_most, missing));
    }
}
