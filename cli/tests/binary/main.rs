//! The tool as it is run: the built binary, files, a DynamoDB, and services on
//! loopback.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test's ground gives way by panicking")]

mod answers;
mod cases;
mod check;
mod doctor;
mod explain;
mod interruption;
mod memory;
mod support;
mod writing;
