//! `poolhouse import` as it is run: the built binary, files, and a DynamoDB.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test's ground gives way by panicking")]

mod answers;
mod interruption;
mod memory;
mod support;
mod writing;
