//! Guests: what they may keep, and how a guest becomes a user.
//!
//! A guest is an identity of the identity pool without a login. Nobody has
//! proved anything about him, so what he may keep is little, ends by itself
//! when he stays away, and passes to exactly one user, once.

pub mod claim;
mod disposition;
mod identity;
pub mod keep;
pub mod proof;
mod rules;

pub use disposition::{Disposition, Facts, Pair, Reason, Record, Resolution, TenantTag, dispose, renamed, resolve};
pub use identity::{IdentityId, IdentityPoolId};
pub use rules::{Conflict, GuestRules};

/// The name of the record in which a guest says whom he is for.
pub const GRANT: &str = "#grant";
/// The name of the record in which a guest says which secret is his.
pub const CLAIM: &str = "#claim";
