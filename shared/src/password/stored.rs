//! A stored hash, read and compared.

use super::form::Form;
use super::{Cost, HashError, HashRules, Keys, Kind, Password};

/// A stored hash that was read and costs no more than it may. Like the password
/// it cannot be printed:
///
/// ```compile_fail,E0277
/// let stored = shared::password::StoredHash::read("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=").ok();
/// let text = format!("{stored:?}");
/// ```
pub struct StoredHash(Form);

/// What a password is to a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is the one.
    Right,
    /// It is the one, but its hash was weak ([`Cost::is_weak`]): a new password
    /// has to be chosen.
    RightButWeak,
    /// It is not.
    Wrong,
    /// Nothing was computed, so who answers should spend a
    /// [`Decoy`](super::Decoy) first.
    Unusable(HashError),
}

impl StoredHash {
    /// Reads the text of a hash in one of the forms that [the module](super)
    /// lists. It computes nothing, whatever the text is.
    pub fn read(text: &str) -> Result<Self, HashError> {
        Form::read(text).map(Self)
    }

    /// The kind, which the rules have to list.
    pub fn kind(&self) -> Kind {
        self.cost().kind()
    }

    /// What comparing costs. Its text is what the rules' `decoy` takes.
    pub fn cost(&self) -> Cost {
        self.0.cost()
    }

    /// Compares a password. This takes a core for up to a second or so: it does
    /// not belong on a thread that others wait for.
    pub fn check(&self, rules: &HashRules, keys: &Keys, password: &Password) -> Check {
        if let Err(error) = self.usable(rules, keys, password) {
            return Check::Unusable(error);
        }
        let matches = self.0.matches(keys, password.as_bytes());
        match (matches && password.can_be_right(), self.cost().is_weak()) {
            (false, _) => Check::Wrong,
            (true, true) => Check::RightButWeak,
            (true, false) => Check::Right,
        }
    }

    fn usable(&self, rules: &HashRules, keys: &Keys, password: &Password) -> Result<(), HashError> {
        if password.is_too_long() {
            return Err(HashError::TooLong);
        }
        if !rules.allows(self.kind()) {
            return Err(HashError::KindNotAllowed);
        }
        match &self.0 {
            Form::Firebase(_) if keys.firebase_signer().is_none() => Err(HashError::KeyMissing),
            Form::Bcrypt(hash) if !rules.bcrypt_truncates && hash.truncates(password.as_bytes()) => {
                Err(HashError::TooLong)
            }
            _ => Ok(()),
        }
    }
}
