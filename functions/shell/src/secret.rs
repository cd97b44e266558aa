//! Keys that are kept in Secrets Manager, in a secret whose text is a JSON object.

mod aws;

pub use aws::fetch;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::SettingError;

/// A text of a secret. It cannot be printed and is wiped.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text itself; empty is absent.
    pub fn present(self) -> Option<Zeroizing<String>> {
        Some(self.0).filter(|text| !text.is_empty())
    }

    /// The text, to look at.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Reads a secret's text. `key` is the setting that names the secret; an error
/// quotes nothing.
pub fn read<T: DeserializeOwned>(key: &'static str, text: &str) -> Result<T, SettingError> {
    serde_json::from_str(text).map_err(|_| SettingError::new(key, "names a secret that is no JSON object of texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Secret {
        key: Option<SecretText>,
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_not_quoted() {
        for text in ["", "canary", "\"canary\"", r#"{"key": ["canary"]}"#, r#"{"key": 4711}"#] {
            let message = read::<Secret>("SECRET_ARN", text).err().expect(text).to_string();
            assert!(message.starts_with("SECRET_ARN names a secret"), "{message}");
            assert!(!message.contains("canary") && !message.contains("4711"), "{message}");
        }
    }

    #[test]
    fn an_empty_text_is_absent() {
        let table =
            [("{}", None), (r#"{"key": null}"#, None), (r#"{"key": ""}"#, None), (r#"{"key": "k"}"#, Some("k"))];
        for (text, expected) in table {
            let found = read::<Secret>("SECRET_ARN", text).unwrap().key.and_then(SecretText::present);
            assert_eq!(found.as_deref().map(String::as_str), expected, "{text}");
        }
    }
}
