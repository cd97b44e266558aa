//! Measured values, and what is said of them.

use std::time::Duration;

use serde::Serialize;

/// The least, the middle and the most of some values.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) min: f64,
    /// The middle.
    pub(crate) median: f64,
    /// The most.
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { min: at(0), median: at(values.len() / 2), max: at(values.len().saturating_sub(1)) }
    }
}

/// How long one program took, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Times {
    /// From the start of the process to its first answer.
    pub(crate) start: Spread,
    /// The same with the share of a core that 128 MB have; `None` where the
    /// machine cannot imitate that.
    pub(crate) start_128: Option<Spread>,
    /// Time on a core for a warm call.
    pub(crate) cpu: Spread,
    /// From handing out an event to having its answer, warm.
    pub(crate) elapsed: Spread,
}

/// What was measured of one program.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    /// Its name.
    pub(crate) name: String,
    /// Its times.
    pub(crate) own: Times,
    /// Those of the program that it was measured side by side with, in turns:
    /// a machine that others use, too, is not the same a minute later.
    pub(crate) beside: Times,
    /// In memory after the warm calls, in bytes.
    pub(crate) resident: u64,
    /// In memory at most, in bytes.
    pub(crate) peak: u64,
    /// Zipped, in bytes, with all that has to be deployed beside the runtime; `None`
    /// for a peer, whose package the others' runtimes share.
    pub(crate) zipped: Option<u64>,
    /// Calls to AWS for a warm call.
    pub(crate) calls: f64,
    /// How often a warm call waits for AWS: calls side by side count once.
    pub(crate) round_trips: f64,
}

impl Figures {
    /// How many times what it was measured beside this takes.
    pub(crate) fn ratio(&self, of: fn(&Times) -> f64) -> f64 {
        of(&self.own) / of(&self.beside)
    }
}

/// In microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
