//! Argon2: <https://www.rfc-editor.org/rfc/rfc9106>

use ::argon2::{Algorithm, Params, Version};
use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

use super::cost::{Argon2Variant, parameters};
use super::{Cost, HashError, text};

/// The shortest salt that Argon2 takes.
const SHORTEST_SALT: usize = 8;

/// An Argon2 hash.
pub(super) struct Argon2 {
    variant: Argon2Variant,
    version: Version,
    numbers: [u32; 3],
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Argon2 {
    /// `numbers` are KiB of memory, passes and lanes.
    pub(super) fn new(variant: Argon2Variant, numbers: [u32; 3], salt: Vec<u8>, output: Vec<u8>) -> Self {
        Self { variant, version: Version::V0x13, numbers, salt, output }
    }

    /// Reads what follows `$argon2id$`. Hashes from before version 19 name no
    /// version, or 16.
    pub(super) fn read(label: &str, text: &str) -> Result<Self, HashError> {
        let variant = if label == "argon2i" { Argon2Variant::I } else { Argon2Variant::Id };
        let (version, rest) = match text.strip_prefix("v=").and_then(|rest| rest.split_once('$')) {
            Some(("19", rest)) => (Version::V0x13, rest),
            Some(("16", rest)) => (Version::V0x10, rest),
            Some(_) => return Err(HashError::Malformed),
            None => (Version::V0x10, text),
        };
        let [numbers, salt, output] = text::parts(rest)?;
        let (salt, output) = (text::salt(text::base64(salt)?)?, text::output(text::base64(output)?)?);
        if salt.len() < SHORTEST_SALT {
            return Err(HashError::Malformed);
        }
        let hash = Self { variant, version, numbers: parameters(numbers, ["m", "t", "p"])?, salt, output };
        hash.cost().within_limits()?;
        Ok(hash)
    }

    pub(super) fn cost(&self) -> Cost {
        let [memory_kib, passes, lanes] = self.numbers;
        Cost::Argon2 { variant: self.variant, memory_kib, passes, lanes }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let [memory_kib, passes, lanes] = self.numbers;
        let algorithm = match self.variant {
            Argon2Variant::I => Algorithm::Argon2i,
            Argon2Variant::Id => Algorithm::Argon2id,
        };
        let mut computed = Zeroizing::new(vec![0; self.output.len()]);
        let done = Params::new(memory_kib, passes, lanes, None).and_then(|params| {
            ::argon2::Argon2::new(algorithm, self.version, params).hash_password_into(
                password,
                &self.salt,
                &mut computed,
            )
        });
        done.is_ok() && constant_time::verify_slices_are_equal(&computed, &self.output).is_ok()
    }
}
