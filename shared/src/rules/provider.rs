//! Federated identity providers, and which of them a user came from.

use serde::Deserialize;

use crate::attributes::{Attributes, Identity};

use super::Problems;

/// An external identity provider of the pool whose users may enter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The provider's name in the pool. It is matched without regard to case,
    /// since a case-insensitive pool writes user names in lower case.
    pub name: String,
    /// Whether an address that the provider calls verified counts as verified.
    pub trusts_email: bool,
    /// Whom the provider lets in: those whom `sign_up` lets in, or all its users.
    #[serde(default)]
    pub admits: Admission,
}

/// Whom an identity provider lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// Its users are held to the mode and the allowed domains of `sign_up`.
    #[default]
    ByMode,
    /// All its users, whatever the mode and the allowed domains are.
    Always,
}

/// Where a user came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The pool itself, with or without linked external accounts.
    Pool,
    /// A configured provider.
    Provider(&'a Provider),
    /// An external provider that the rules do not name.
    UnknownProvider,
    /// The user name and the identities contradict each other.
    Inconsistent,
}
