//! The parts of a hash's text.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::HashError;
use super::limits::OUTPUT;

/// The longest text of a hash that is looked at, in bytes.
pub(super) const LONGEST: usize = 1_024;

/// Bytes of a salt.
const SALT: std::ops::RangeInclusive<usize> = 1..=128;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);

/// Reads standard base64, padded or not.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, HashError> {
    STANDARD.decode(text).map_err(|_| HashError::Malformed)
}

/// Reads pairs of hexadecimal digits.
pub(super) fn hex(text: &str) -> Result<Vec<u8>, HashError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect::<Option<_>>().ok_or(HashError::Malformed)
}

/// A salt, unless it is missing or absurd.
pub(super) fn salt(bytes: Vec<u8>) -> Result<Vec<u8>, HashError> {
    if SALT.contains(&bytes.len()) { Ok(bytes) } else { Err(HashError::Malformed) }
}

/// The output to compare with, unless it is so short that many passwords would
/// meet it, or absurd.
pub(super) fn output(bytes: Vec<u8>) -> Result<Vec<u8>, HashError> {
    if OUTPUT.contains(&bytes.len()) { Ok(bytes) } else { Err(HashError::Malformed) }
}

/// Cuts a text at every `$`, into exactly so many parts.
pub(super) fn parts<const N: usize>(text: &str) -> Result<[&str; N], HashError> {
    let mut found = [""; N];
    let mut rest = text.split('$');
    for part in &mut found {
        *part = rest.next().ok_or(HashError::Malformed)?;
    }
    if rest.next().is_some() { Err(HashError::Malformed) } else { Ok(found) }
}
