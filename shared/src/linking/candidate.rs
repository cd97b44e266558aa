//! The users whom a lookup has found.

use crate::address::EmailAddress;
use crate::attributes::Attributes;

/// A user of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The user's name in the pool.
    pub user_name: String,
    /// How far the user's account has come.
    pub status: Status,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// What the pool knows of the user.
    pub attributes: Attributes,
}

/// How far an account has come.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#signup-confirmation-verification-overview>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The user has proved an address, or an administrator has vouched for him.
    Confirmed,
    /// An administrator has made the user, who has not signed in yet.
    ForceChangePassword,
    /// The user comes from an external provider.
    ExternalProvider,
    /// Any other.
    Other,
}

impl Status {
    /// Reads what the pool says.
    pub fn parse(text: &str) -> Self {
        match text {
            "CONFIRMED" => Self::Confirmed,
            "FORCE_CHANGE_PASSWORD" => Self::ForceChangePassword,
            "EXTERNAL_PROVIDER" => Self::ExternalProvider,
            _ => Self::Other,
        }
    }
}

/// What two lookups at the same time have found.
///
/// The list shows every user who has the address, but lags behind; asking for
/// the address as a sign-in name shows one user as he is now.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The users whom the list shows. A filter may find too many, never rely on it.
    pub listed: Vec<Candidate>,
    /// The user who signs in by the address.
    pub named: Option<Candidate>,
}

impl Candidate {
    /// Whether this is one of the pool's own users and has the address,
    /// verified or not. External accounts of the same person are not meant.
    pub(super) fn is_native_with(&self, address: &EmailAddress) -> bool {
        self.status != Status::ExternalProvider && self.attributes.email().as_ref() == Some(address)
    }
}

impl Found {
    /// The pool's own users with the address: listed, each once, and named.
    pub(super) fn natives(&self, address: &EmailAddress) -> (Vec<&Candidate>, Option<&Candidate>) {
        let mut listed: Vec<_> = self.listed.iter().filter(|candidate| candidate.is_native_with(address)).collect();
        listed.sort_by(|one, other| one.user_name.cmp(&other.user_name));
        listed.dedup_by(|one, other| one.user_name == other.user_name);
        (listed, self.named.as_ref().filter(|candidate| candidate.is_native_with(address)))
    }
}
