//! PBKDF2: <https://www.rfc-editor.org/rfc/rfc8018#section-5.2>

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;

use super::cost::{Prf, decimal};
use super::{Cost, HashError, text};

/// A hash by PBKDF2.
pub(super) struct Pbkdf2 {
    prf: Prf,
    iterations: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    pub(super) fn new(prf: Prf, iterations: u32, salt: Vec<u8>, output: Vec<u8>) -> Self {
        Self { prf, iterations, salt, output }
    }

    /// Reads what follows `$pbkdf2-sha256$`.
    pub(super) fn read(label: &str, text: &str) -> Result<Self, HashError> {
        let prf = label.strip_prefix("pbkdf2-").and_then(Prf::named).ok_or(HashError::UnknownKind)?;
        let [numbers, salt, output] = text::parts(text)?;
        let (iterations, length) = match numbers.split_once(",l=") {
            Some((iterations, length)) => (iterations, Some(decimal(length)?)),
            None => (numbers, None),
        };
        let iterations = decimal(iterations.strip_prefix("i=").ok_or(HashError::Malformed)?)?;
        let hash = Self::checked(prf, iterations, text::base64(salt)?, text::base64(output)?)?;
        if length.is_some_and(|length| length != hash.length()) { Err(HashError::Malformed) } else { Ok(hash) }
    }

    /// Reads what follows Django's `pbkdf2_sha256$`, where the salt is text.
    /// <https://github.com/django/django/blob/main/django/contrib/auth/hashers.py>
    pub(super) fn read_django(label: &str, text: &str) -> Result<Self, HashError> {
        let prf = label.strip_prefix("pbkdf2_").and_then(Prf::named).ok_or(HashError::UnknownKind)?;
        let [iterations, salt, output] = text::parts(text)?;
        Self::checked(prf, decimal(iterations)?, salt.as_bytes().to_vec(), text::base64(output)?)
    }

    /// Reads the base64 of ASP.NET Identity's version 3: the byte 1, then the
    /// function, the iterations and the length of the salt as four bytes each,
    /// the salt, and the output.
    /// <https://github.com/dotnet/aspnetcore/blob/main/src/Identity/Extensions.Core/src/PasswordHasher.cs>
    pub(super) fn read_asp_net(text: &str) -> Result<Self, HashError> {
        // Nothing else marks the form; what does not begin so is no hash at all.
        if !text.starts_with("AQAAAA") {
            return Err(HashError::UnknownKind);
        }
        let blob = text::base64(text)?;
        let (_, rest) = blob.split_first().ok_or(HashError::Malformed)?;
        let (prf, rest) = number(rest)?;
        let (iterations, rest) = number(rest)?;
        let (salt_length, rest) = number(rest)?;
        let prf = match prf {
            0 => Prf::Sha1,
            1 => Prf::Sha256,
            2 => Prf::Sha512,
            _ => return Err(HashError::Malformed),
        };
        let salt_length = usize::try_from(salt_length).map_err(|_| HashError::Malformed)?;
        let (salt, output) = rest.split_at_checked(salt_length).ok_or(HashError::Malformed)?;
        Self::checked(prf, iterations, salt.to_vec(), output.to_vec())
    }

    fn checked(prf: Prf, iterations: u32, salt: Vec<u8>, output: Vec<u8>) -> Result<Self, HashError> {
        let hash = Self { prf, iterations, salt: text::salt(salt)?, output: text::output(output)? };
        hash.cost().within_limits()?;
        Ok(hash)
    }

    /// Bytes of output.
    fn length(&self) -> u32 {
        u32::try_from(self.output.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn cost(&self) -> Cost {
        Cost::Pbkdf2 { prf: self.prf, iterations: self.iterations, length: self.length() }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.prf {
            Prf::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Prf::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Prf::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        NonZeroU32::new(self.iterations)
            .is_some_and(|iterations| pbkdf2::verify(algorithm, iterations, &self.salt, password, &self.output).is_ok())
    }
}

/// Takes four bytes off, the highest first.
fn number(bytes: &[u8]) -> Result<(u32, &[u8]), HashError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(HashError::Malformed)?;
    Ok((u32::from_be_bytes(*number), rest))
}
