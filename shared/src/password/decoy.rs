//! What is computed where there is nothing to compare with.

use std::hint::black_box;

use super::form::Form;
use super::{Cost, HashError, HashRules, Keys, Password};

/// A hash of nobody, which costs what the old system's hashes cost. It hides who
/// is a user there as far as they cost the same: where they differ, somebody
/// whose hash costs more or less can still be told from a stranger.
pub struct Decoy(Form);

impl Decoy {
    /// Makes the decoy that the rules ask for.
    pub fn new(rules: &HashRules) -> Result<Self, HashError> {
        let cost = Cost::read(&rules.decoy)?;
        if rules.may_cost(cost) { Ok(Self(Form::decoy(cost))) } else { Err(HashError::KindNotAllowed) }
    }

    /// Computes what a wrong password would have cost, and forgets it. Only a
    /// password that is too long for any hash costs nothing.
    pub fn spend(&self, keys: &Keys, password: &Password) {
        if !password.is_too_long() {
            black_box(self.0.matches(keys, black_box(password.as_bytes())));
        }
    }
}
