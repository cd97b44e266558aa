//! Moves a user in from an old system at the first sign-in.
//!
//! Answers `UserMigration_Authentication` and `UserMigration_ForgotPassword`.

pub mod actions;
mod settings;

pub use actions::ALL as ACTIONS;
pub use settings::{OldSystem, Settings};
