//! scrypt: <https://www.rfc-editor.org/rfc/rfc7914>

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

use super::cost::{decimal, parameters};
use super::{Cost, HashError, text};

/// A scrypt hash.
pub(super) struct Scrypt {
    numbers: [u32; 3],
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Scrypt {
    /// `numbers` are log2 of N, r and p.
    pub(super) fn new(numbers: [u32; 3], salt: Vec<u8>, output: Vec<u8>) -> Self {
        Self { numbers, salt, output }
    }

    /// Reads what follows `$scrypt$`.
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        let [numbers, salt, output] = text::parts(text)?;
        Self::checked(parameters(numbers, ["ln", "r", "p"])?, text::base64(salt)?, text::base64(output)?)
    }

    /// Reads what follows Django's `scrypt$`, where N is written out and the
    /// salt is text.
    /// <https://github.com/django/django/blob/main/django/contrib/auth/hashers.py>
    pub(super) fn read_django(text: &str) -> Result<Self, HashError> {
        let [n, salt, block, parallel, output] = text::parts(text)?;
        let n = decimal(n)?;
        if !n.is_power_of_two() {
            return Err(HashError::Malformed);
        }
        let numbers = [n.trailing_zeros(), decimal(block)?, decimal(parallel)?];
        Self::checked(numbers, salt.as_bytes().to_vec(), text::base64(output)?)
    }

    fn checked(numbers: [u32; 3], salt: Vec<u8>, output: Vec<u8>) -> Result<Self, HashError> {
        let hash = Self { numbers, salt: text::salt(salt)?, output: text::output(output)? };
        hash.cost().within_limits()?;
        Ok(hash)
    }

    pub(super) fn cost(&self) -> Cost {
        let [log_n, block, parallel] = self.numbers;
        Cost::Scrypt { log_n, block, parallel }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        derive(self.numbers, &self.salt, password, self.output.len())
            .is_some_and(|computed| constant_time::verify_slices_are_equal(&computed, &self.output).is_ok())
    }
}

/// Computes scrypt. `None` only for numbers that no limits have seen.
pub(super) fn derive(
    [log_n, block, parallel]: [u32; 3],
    salt: &[u8],
    password: &[u8],
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let params = ::scrypt::Params::new(u8::try_from(log_n).ok()?, block, parallel).ok()?;
    let mut output = Zeroizing::new(vec![0; length]);
    ::scrypt::scrypt(password, salt, &params, &mut output).ok()?;
    Some(output)
}
