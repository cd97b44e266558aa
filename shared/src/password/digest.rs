//! Digests of a password, with or without a salt. They were never meant for
//! passwords; who signs in with one has to choose a new password.

use aws_lc_rs::{constant_time, digest};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::{HashError, text};

/// A digest.
pub(super) struct Digest {
    function: Function,
    salt: Vec<u8>,
    /// Whether the salt comes before the password.
    salt_first: bool,
    output: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Function {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Function {
    /// Bytes of output.
    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn of(self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self {
            Self::Md5 => return Zeroizing::new(Md5::digest(text).to_vec()),
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        Zeroizing::new(digest::digest(algorithm, text).as_ref().to_vec())
    }
}

impl Digest {
    /// A digest that no password is known to have.
    pub(super) fn decoy() -> Self {
        let function = Function::Sha256;
        Self { function, salt: vec![0; 16], salt_first: false, output: vec![0; function.length()] }
    }

    /// Reads what follows `{`: the name of the scheme, `}`, and base64 of the
    /// output and the salt, which comes after the password.
    /// <https://www.openldap.org/faq/data/cache/347.html>
    pub(super) fn read_braced(text: &str) -> Result<Self, HashError> {
        let (scheme, encoded) = text.split_once('}').ok_or(HashError::Malformed)?;
        let (function, salted) = match scheme.to_ascii_uppercase().as_str() {
            "SSHA" => (Function::Sha1, true),
            "SSHA256" => (Function::Sha256, true),
            "SSHA512" => (Function::Sha512, true),
            "SMD5" => (Function::Md5, true),
            "SHA" => (Function::Sha1, false),
            "SHA256" => (Function::Sha256, false),
            "SHA512" => (Function::Sha512, false),
            "MD5" => (Function::Md5, false),
            _ => return Err(HashError::UnknownKind),
        };
        let blob = text::base64(encoded)?;
        let (output, salt) = blob.split_at_checked(function.length()).ok_or(HashError::Malformed)?;
        let salt = match (salted, salt) {
            (true, salt) => text::salt(salt.to_vec())?,
            (false, []) => Vec::new(),
            (false, _) => return Err(HashError::Malformed),
        };
        Ok(Self { function, salt, salt_first: false, output: output.to_vec() })
    }

    /// Reads what follows Django's `sha1$` or `md5$`: the salt as text, which
    /// comes before the password, and hexadecimal digits. An empty salt is
    /// Django's way to write a digest without one.
    /// <https://github.com/django/django/blob/stable/3.2.x/django/contrib/auth/hashers.py>
    pub(super) fn read_django(label: &str, text: &str) -> Result<Self, HashError> {
        let function = if label == "md5" { Function::Md5 } else { Function::Sha1 };
        let [salt, digits] = text::parts(text)?;
        let output = text::hex(digits)?;
        if output.len() != function.length() {
            return Err(HashError::Malformed);
        }
        let salt = if salt.is_empty() { Vec::new() } else { text::salt(salt.as_bytes().to_vec())? };
        Ok(Self { function, salt, salt_first: true, output })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let (first, second) = if self.salt_first { (&*self.salt, password) } else { (password, &*self.salt) };
        let computed = self.function.of(&Zeroizing::new([first, second].concat()));
        constant_time::verify_slices_are_equal(&computed, &self.output).is_ok()
    }
}
