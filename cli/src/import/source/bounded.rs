//! A reader that gives up on a row that does not end.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// The longest row, in bytes. An unclosed quote would otherwise draw the rest of
/// the file into one.
pub(super) const LONGEST_ROW: u64 = 4 * 1024 * 1024;

/// A reader with a limit that starts anew with each row.
pub(super) struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

/// Starts the limit anew.
#[derive(Clone)]
pub(super) struct NextRow(Rc<Cell<u64>>);

impl<R> Bounded<R> {
    /// Bounds the rows of a reader.
    pub(super) fn new(inner: R) -> Self {
        Self { inner, left: Rc::new(Cell::new(LONGEST_ROW)) }
    }

    /// What starts the limit anew.
    pub(super) fn next_row(&self) -> NextRow {
        NextRow(Rc::clone(&self.left))
    }

    fn spend(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes as u64));
    }

    fn check(&self) -> io::Result<()> {
        let over = "a row is longer than 4 MiB; is there a quote or a bracket that never closes?";
        if self.left.get() == 0 { Err(io::Error::other(over)) } else { Ok(()) }
    }
}

impl NextRow {
    /// A row has ended.
    pub(super) fn begins(&self) {
        self.0.set(LONGEST_ROW);
    }

    /// What follows is read without being held.
    pub(super) fn passes_over(&self) {
        self.0.set(u64::MAX);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let bytes = self.inner.read(buffer)?;
        self.spend(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.spend(bytes);
        self.inner.consume(bytes);
    }
}
