//! Runs the suite on one machine.

fn main() {}
