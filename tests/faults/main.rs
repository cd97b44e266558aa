//! Functions before faulty services: every function that calls AWS, every fault,
//! and the answer that each gets (`docs/reliability.md` shows the table).
//!
//! Everything goes through the built binaries and `tests::faults::FaultProxy`.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

mod attachment;
mod blackout;
mod clocks;
mod freeze;
mod lost;
mod matrix;
mod panics;
mod subject;
