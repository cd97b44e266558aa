//! Guests: what they may keep, and how a guest becomes a user.
//!
//! A guest is an identity of the identity pool without a login. Nobody has
//! proved anything about him, so what he may keep is little, ends by itself
//! when he stays away, and passes to exactly one user, once.

mod disposition;
mod identity;
pub mod keep;
mod rules;

pub use disposition::{Disposition, Facts, Pair, Reason, Record, Resolution, TenantTag, dispose, renamed, resolve};
pub use identity::{IdentityId, IdentityPoolId};
pub use rules::{Conflict, GuestRules};
