//! The `sub` of a user, as it stands in keys.

use std::fmt;

/// A user's `sub`: what the pool gave, never chosen by the user.
///
/// Cognito's is a UUID; anything that could not stand in a key unchanged is
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    /// Reads a subject byte for byte; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_in_a_key_unchanged_is_a_subject() {
        let long = "a".repeat(129);
        let table = [
            ("4f1c2d3e-aaaa-bbbb-cccc-1234567890ab", true),
            ("A_1", true),
            ("", false),
            (" ", false),
            ("a#b", false),
            ("a\n", false),
            ("../a", false),
            ("ü", false),
            (long.as_str(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(Subject::parse(text).is_some(), accepted, "{text:?}");
        }
    }
}
