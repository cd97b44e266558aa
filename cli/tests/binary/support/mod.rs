//! What the tests of the built binary share.

pub(crate) mod legacy_table;
pub(crate) mod proxy;
pub(crate) mod services;
pub(crate) mod tool;
