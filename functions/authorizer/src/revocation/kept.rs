//! Answers that are used again, for moments and in bounded number.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use shared::revocation::{Decision, Mark, Question, decide};
use shared::token::Session;

/// The most answers that are kept: half a megabyte at the longest names.
pub(super) const MOST_KEPT: usize = 1_000;

/// How long a refusal is used again, in seconds. A mark never gives anything
/// back, so this only spares calls to somebody who goes on trying.
const REFUSED_SECONDS: u64 = 60;

/// The marks that were found lately.
pub(super) struct Kept {
    seconds: u64,
    answers: HashMap<Question, Answer>,
    /// The oldest first; each question once.
    order: VecDeque<Question>,
}

struct Answer {
    marks: Vec<Mark>,
    found: Moment,
}

/// A time by two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// In seconds since 1970. Somebody may set it.
    pub(super) wall: u64,
    /// Nobody sets this one, but it may stand still while the process is frozen.
    pub(super) steady: Instant,
}

impl Moment {
    /// Whether less than this has passed until then, by both clocks.
    fn is_younger(self, seconds: u64, now: Self) -> bool {
        let by_wall_clock = now.wall.checked_sub(self.wall).is_some_and(|age| age < seconds);
        by_wall_clock && now.steady.duration_since(self.steady) < Duration::from_secs(seconds)
    }
}

impl Kept {
    /// Keeps an answer that lets somebody pass for so many seconds.
    pub(super) fn new(seconds: u64) -> Self {
        Self { seconds, answers: HashMap::new(), order: VecDeque::new() }
    }

    /// What is known already. Another token of the same session may be decided
    /// otherwise by the same marks.
    pub(super) fn decision(&self, question: &Question, session: &Session, now: Moment) -> Option<Decision> {
        let answer = self.answers.get(question)?;
        let decision = decide(session, &answer.marks);
        let seconds = match decision {
            Decision::InForce => self.seconds,
            Decision::Refuse(_) => REFUSED_SECONDS.max(self.seconds),
        };
        answer.found.is_younger(seconds, now).then_some(decision)
    }

    /// Keeps what was found, if it can be used again. The oldest gives way.
    pub(super) fn keep(&mut self, question: Question, marks: Vec<Mark>, decision: Decision, found: Moment) {
        if self.seconds == 0 && decision == Decision::InForce {
            return;
        }
        let answer = Answer { marks, found };
        if self.answers.insert(question.clone(), answer).is_none() {
            self.order.push_back(question);
        }
        while self.order.len() > MOST_KEPT {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.answers.remove(&oldest));
        }
    }

    /// How many answers there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.answers.len().max(self.order.len())
    }
}
