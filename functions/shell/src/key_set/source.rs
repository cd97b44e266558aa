//! Where the keys of an issuer are, and how they are got from there.

use std::fmt;

use shared::token::{DiscoveryProblem, KeySetProblem, description_address, key_set_address};

use super::{Fetch, FetchError};

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// At this address.
    KeySet(String),
    /// Where the issuer's own description says. It is asked each time, for the
    /// address may move; the issuer's name says where the description is.
    Discovery,
}

impl From<String> for KeySource {
    fn from(address: String) -> Self {
        Self::KeySet(address)
    }
}

impl KeySource {
    /// The bytes of the key set.
    ///
    /// INVARIANT: an address comes from the settings, from the rules, or from the
    /// description that a trusted issuer publishes of itself. Never from a token.
    pub(super) async fn document<F: Fetch>(&self, issuer: &str, fetch: &F) -> Result<Vec<u8>, FetchProblem> {
        let fetch = async |address: &str| fetch.fetch(address).await.map_err(FetchProblem::Failed);
        match self {
            Self::KeySet(address) => fetch(address).await,
            Self::Discovery => {
                let description = fetch(&description_address(issuer)).await?;
                let address = key_set_address(issuer, &description).map_err(FetchProblem::Undiscovered)?;
                fetch(&address).await
            }
        }
    }
}

/// Why a fetch brought nothing.
pub(super) enum FetchProblem {
    Failed(FetchError),
    Undiscovered(DiscoveryProblem),
    Unusable(KeySetProblem),
}

impl fmt::Display for FetchProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Undiscovered(problem) => problem.fmt(f),
            Self::Unusable(problem) => problem.fmt(f),
        }
    }
}
