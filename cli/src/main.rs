//! `poolhouse`: the operator's tool.

fn main() {}
