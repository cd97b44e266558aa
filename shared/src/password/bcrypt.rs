//! bcrypt: <https://www.usenix.org/legacy/events/usenix99/provos/provos_html/node5.html>

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{Cost, HashError};

/// What bcrypt looks at; the rest of a password it never sees.
const LONGEST: usize = 72;

/// Bits that fill up the last letter are ignored, as bcrypt itself does.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// A bcrypt hash. The letters a, b and y are alike for every password without
/// a zero byte of up to 255 bytes; x stands for a mistake and is not read.
pub(super) struct Bcrypt {
    log_rounds: u32,
    salt: [u8; 16],
    output: [u8; 23],
    /// Whether not the password but the hexadecimal digits of its SHA-256 were
    /// hashed, as Django's `bcrypt_sha256` does.
    of_sha256: bool,
}

impl Bcrypt {
    pub(super) fn new(log_rounds: u32, salt: [u8; 16], output: [u8; 23]) -> Self {
        Self { log_rounds, salt, output, of_sha256: false }
    }

    /// Reads what follows `$2b$`: two digits, `$`, 22 letters and 31 letters.
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        let (rounds, letters) = text.split_once('$').ok_or(HashError::Malformed)?;
        let (salt, output) = letters.split_at_checked(22).ok_or(HashError::Malformed)?;
        let log_rounds = match rounds.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => u32::from(tens - b'0') * 10 + u32::from(ones - b'0'),
            _ => return Err(HashError::Malformed),
        };
        Cost::Bcrypt { log_rounds }.within_limits()?;
        Ok(Self::new(log_rounds, letters_of(salt)?, letters_of(output)?))
    }

    /// The same hash, of the password's SHA-256.
    pub(super) fn of_sha256(self) -> Self {
        Self { of_sha256: true, ..self }
    }

    pub(super) fn cost(&self) -> Cost {
        Cost::Bcrypt { log_rounds: self.log_rounds }
    }

    /// Whether the end of this password would make no difference.
    pub(super) fn truncates(&self, password: &[u8]) -> bool {
        !self.of_sha256 && password.len() > LONGEST
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let key = if self.of_sha256 { sha256_digits(password) } else { Zeroizing::new(password.to_vec()) };
        // A zero byte ends the key, where there is room for one.
        let key: Zeroizing<Vec<u8>> = Zeroizing::new(key.iter().copied().chain([0]).take(LONGEST).collect());
        let computed = Zeroizing::new(::bcrypt::bcrypt(self.log_rounds, self.salt, &key));
        let (computed, _) = computed.split_at(self.output.len());
        constant_time::verify_slices_are_equal(computed, &self.output).is_ok()
    }
}

fn letters_of<const N: usize>(text: &str) -> Result<[u8; N], HashError> {
    let bytes = BCRYPT.decode(text).map_err(|_| HashError::Malformed)?;
    bytes.try_into().map_err(|_| HashError::Malformed)
}

fn sha256_digits(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    let digest = digest::digest(&digest::SHA256, password);
    Zeroizing::new(digest.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}
