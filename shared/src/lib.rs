//! The pure decisions of Poolhouse.

pub mod rules;
