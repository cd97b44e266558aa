//! Counts right and wrong steps while telling them.

use crate::say::{Mark, Say};

/// Tells steps one by one.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    say: &'a Say,
    right: usize,
    wrong: usize,
}

impl<'a> Teller<'a> {
    pub(super) fn new(say: &'a Say) -> Self {
        Self { say, right: 0, wrong: 0 }
    }

    pub(super) fn chapter(&self, title: &str) {
        self.say.heading(title);
    }

    /// A sentence between steps.
    pub(super) fn note(&self, text: &str) {
        self.say.line(&format!("    {text}"));
    }

    /// One step: what it shows, what was sent, what came back, and whether that
    /// is right.
    pub(super) fn step(&mut self, text: &str, sent: &str, back: &str, right: bool) {
        let mark = if right { Mark::Tick } else { Mark::Cross };
        let count = if right { &mut self.right } else { &mut self.wrong };
        *count += 1;
        self.say.marked(mark, text);
        self.say.detail("sent", sent);
        self.say.detail("back", back);
    }

    /// The story cannot go on.
    pub(super) fn broken(&mut self, why: &str) {
        self.wrong += 1;
        self.say.marked(Mark::Cross, &format!("the story cannot go on: {why}"));
    }

    /// Sums up; `true` when every step was right.
    pub(super) fn finish(&self) -> bool {
        let steps = self.right + self.wrong;
        let all_right = self.wrong == 0 && steps > 0;
        let (mark, text) = match all_right {
            true => (Mark::Tick, format!("all {steps} steps were right")),
            false => (Mark::Cross, format!("{} of {steps} steps were wrong", self.wrong)),
        };
        self.say.line("");
        self.say.marked(mark, &text);
        all_right
    }
}
