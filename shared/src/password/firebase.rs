//! Firebase's variant of scrypt: <https://github.com/firebase/scrypt>

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time;
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::cost::parameters;
use super::{Cost, HashError, scrypt, text};

/// The bytes of scrypt that become the key of AES-256; Firebase computes twice
/// as many, which makes no difference to these.
const KEY: usize = 32;
/// The longest salt separator, in bytes.
const LONGEST_SEPARATOR: usize = 64;

/// A hash by Firebase: the project's signer key, encrypted with AES-256 in
/// counter mode under what scrypt makes of the password.
pub(super) struct FirebaseScrypt {
    numbers: [u32; 2],
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl FirebaseScrypt {
    /// `numbers` are log2 of N and r; the salt ends with the separator.
    pub(super) fn new(numbers: [u32; 2], salt: Vec<u8>, output: Vec<u8>) -> Self {
        Self { numbers, salt, output }
    }

    /// Reads what follows `$firebase-scrypt$`.
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        let [numbers, salt, separator, output] = text::parts(text)?;
        let (mut salt, separator) = (text::salt(text::base64(salt)?)?, text::base64(separator)?);
        if separator.len() > LONGEST_SEPARATOR {
            return Err(HashError::Malformed);
        }
        salt.extend(separator);
        let output = text::output(text::base64(output)?)?;
        let hash = Self { numbers: parameters(numbers, ["ln", "r"])?, salt, output };
        hash.cost().within_limits()?;
        Ok(hash)
    }

    pub(super) fn cost(&self) -> Cost {
        let [log_n, block] = self.numbers;
        Cost::FirebaseScrypt { log_n, block }
    }

    pub(super) fn matches(&self, signer: &[u8], password: &[u8]) -> bool {
        let [log_n, block] = self.numbers;
        scrypt::derive([log_n, block, 1], &self.salt, password, KEY)
            .and_then(|key| encrypted(&key, signer))
            .is_some_and(|computed| constant_time::verify_slices_are_equal(&computed, &self.output).is_ok())
    }
}

fn encrypted(key: &[u8], signer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut text = Zeroizing::new(signer.to_vec());
    key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    Some(text)
}
