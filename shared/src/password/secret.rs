//! A password that was typed in.

use zeroize::Zeroizing;

/// The longest password that Cognito takes, in characters. A longer one is
/// refused before anything is computed.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html>
pub const LONGEST_CHARS: usize = 256;

/// A password as it was received, byte for byte: it is neither trimmed nor
/// brought into a normal form. It is wiped when it goes, and there is no way to
/// print, copy or write it by accident:
///
/// ```
/// let password = shared::password::Password::new("secret".to_owned());
/// assert_eq!(password.as_bytes(), b"secret");
/// ```
/// ```compile_fail,E0277
/// let password = shared::password::Password::new("secret".to_owned());
/// let text = format!("{password:?}");
/// ```
/// ```compile_fail,E0277
/// let password = shared::password::Password::new("secret".to_owned());
/// let text = format!("{password}");
/// ```
/// ```compile_fail,E0599
/// let password = shared::password::Password::new("secret".to_owned());
/// let copy = password.clone();
/// ```
/// ```compile_fail,E0277
/// let password = shared::password::Password::new("secret".to_owned());
/// let text = serde_json::to_string(&password);
/// ```
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password over; the text becomes its only copy.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text, for who has to pass it on.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was typed in. An empty password is never right.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has more than [`LONGEST_CHARS`] characters.
    pub fn is_too_long(&self) -> bool {
        self.0.chars().nth(LONGEST_CHARS).is_some()
    }

    /// Whether it could be right at all. HMAC fills short keys up with zero
    /// bytes and bcrypt repeats them after one, so "a" and "a\0" would be the
    /// same password to PBKDF2, and "a" and "a\0a" to bcrypt.
    pub(super) fn can_be_right(&self) -> bool {
        !self.is_empty() && !self.as_bytes().contains(&0)
    }
}
