//! Attacks and known answers.
