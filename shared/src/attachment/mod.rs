//! How triggers are put into a user pool that is there already, and taken out.
//!
//! `UpdateUserPool` sets everything that it is not told to its default, and
//! replaces the triggers as one block. So what is written is the pool's own
//! document as the service gave it, raw, with nothing but our triggers changed;
//! and what is read afterwards is compared with it, field by field.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html>
//!
//! Documents are JSON values, not an SDK's types: a setting that is newer than
//! this build is carried along, and one that cannot be sent back is a refusal
//! that names it, before anything is written.

mod compare;
mod document;
pub mod members;
mod memory;
mod plan;
mod slot;
mod warnings;

pub use compare::{Difference, Snapshot, difference_paths, differences, fingerprints, moved_since};
pub use document::{client_request, mfa_request, pool_request};
pub use memory::{Held, Memory, MemoryUnreadable};
pub use plan::{Change, Foreign, Plan, Refusal, attach, detach};
pub use slot::{Slot, TriggerVersion, Wanted, WantedRefused};
pub use warnings::{Owner, Warning, warnings};

#[cfg(test)]
mod tests;
