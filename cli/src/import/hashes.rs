//! Which hashes may come in, and what they cost to check.

use shared::password::{HashError, HashRules, Kind, StoredHash};

use super::rejection::Rejection;

/// The kinds of hashes that may come in.
pub(super) enum Permitted {
    /// Every kind that user-migration knows: no rule file was named.
    All,
    /// Those that the rule file lists.
    Listed(HashRules),
}

/// A hash that user-migration would check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    /// Its kind.
    pub(super) kind: Kind,
    /// What it costs, as the rule file's `decoy` says it.
    pub(super) cost: String,
    /// Whether whoever enters the right password has to choose a new one.
    pub(super) weak: bool,
}

/// Reads a hash by the rules of those who will check it.
pub(super) fn read(text: &str, permitted: &Permitted) -> Result<Hash, Rejection> {
    let stored = StoredHash::read(text).map_err(rejected)?;
    let (kind, cost) = (stored.kind(), stored.cost());
    match permitted {
        Permitted::Listed(rules) if !rules.allows(kind) => Err(rejected(HashError::KindNotAllowed)),
        _ => Ok(Hash { kind, cost: cost.to_string(), weak: cost.is_weak() }),
    }
}

fn rejected(error: HashError) -> Rejection {
    Rejection::Hash(error)
}
