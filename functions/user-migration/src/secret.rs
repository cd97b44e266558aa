//! The keys of the old system, kept in Secrets Manager.

mod aws;

pub(crate) use aws::fetch;

use serde::Deserialize;
use shared::password::Keys;
use shell::SettingError;
use zeroize::Zeroizing;

use crate::endpoint::EndpointKey;

const KEY: &str = "SECRET_ARN";

/// The secret's JSON. What it holds cannot be printed.
#[derive(Default, Deserialize)]
pub(crate) struct Secret {
    #[serde(default)]
    pool_client_secret: Option<Text>,
    #[serde(default)]
    endpoint_key: Option<Text>,
    #[serde(default)]
    firebase_signer_key: Option<Text>,
}

struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Secret {
    /// Reads it. An error quotes nothing.
    fn read(text: &str) -> Result<Self, SettingError> {
        serde_json::from_str(text).map_err(|_| SettingError::new(KEY, "names a secret that is no JSON object of texts"))
    }

    /// The secret of the old pool's app client, if it has one.
    pub(crate) fn pool_client_secret(self) -> Option<Zeroizing<String>> {
        self.pool_client_secret.map(|text| text.0).filter(|text| !text.is_empty())
    }

    /// The key that is shared with the endpoint.
    pub(crate) fn endpoint_key(&self) -> Result<EndpointKey, SettingError> {
        let key = self.endpoint_key.as_ref().and_then(|text| EndpointKey::read(&text.0));
        key.ok_or_else(|| SettingError::new(KEY, "names a secret whose endpoint_key is not 24 to 64 bytes in base64"))
    }

    /// The keys that hashes need.
    pub(crate) fn hash_keys(&self, firebase: bool) -> Result<Keys, SettingError> {
        if !firebase {
            return Ok(Keys::default());
        }
        let key = self.firebase_signer_key.as_ref().and_then(|text| Keys::with_firebase_signer(&text.0));
        key.ok_or_else(|| SettingError::new(KEY, "names a secret whose firebase_signer_key is not a key in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_24: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    #[test]
    fn each_key_is_read_or_named() {
        let none = |_: &Secret| Ok(());
        let endpoint = |secret: &Secret| secret.endpoint_key().map(drop);
        let firebase = |secret: &Secret| secret.hash_keys(true).map(drop);
        let without = |secret: &Secret| secret.hash_keys(false).map(drop);
        type Use = dyn Fn(&Secret) -> Result<(), SettingError>;
        let table: &[(&str, &str, &Use, Option<&str>)] = &[
            ("nothing", "{}", &none, None),
            ("something else", r#"{"other": {"a": 1}}"#, &none, None),
            ("an endpoint's", &format!(r#"{{"endpoint_key": "whsec_{KEY_24}"}}"#), &endpoint, None),
            ("without its prefix", &format!(r#"{{"endpoint_key": "{KEY_24}"}}"#), &endpoint, None),
            ("missing", "{}", &endpoint, Some("endpoint_key")),
            ("null", r#"{"endpoint_key": null}"#, &endpoint, Some("endpoint_key")),
            ("too short", r#"{"endpoint_key": "c2hvcnQ="}"#, &endpoint, Some("endpoint_key")),
            ("no base64", r#"{"endpoint_key": "not base64"}"#, &endpoint, Some("endpoint_key")),
            ("Firebase's", &format!(r#"{{"firebase_signer_key": "{KEY_24}"}}"#), &firebase, None),
            ("missing", "{}", &firebase, Some("firebase_signer_key")),
            ("no base64", r#"{"firebase_signer_key": "canary key"}"#, &firebase, Some("firebase_signer_key")),
            ("not needed", r#"{"firebase_signer_key": "canary key"}"#, &without, None),
        ];
        for (name, text, used, expected) in table {
            let result = used(&Secret::read(text).unwrap());
            let message = result.err().map(|error| error.to_string());
            assert_eq!(message.is_some(), expected.is_some(), "{name}: {message:?}");
            let message = message.unwrap_or_default();
            assert!(message.contains(expected.unwrap_or_default()) && !message.contains("canary"), "{name}: {message}");
        }
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_not_quoted() {
        for text in ["", "canary", "\"canary\"", r#"{"endpoint_key": ["canary"]}"#, r#"{"endpoint_key": 4711}"#] {
            let message = Secret::read(text).err().expect(text).to_string();
            assert!(!message.contains("canary") && !message.contains("4711"), "{message}");
        }
        let secret = Secret::read(r#"{"pool_client_secret": "s"}"#).unwrap();
        assert_eq!(secret.pool_client_secret().as_deref().map(String::as_str), Some("s"));
        assert!(Secret::read(r#"{"pool_client_secret": ""}"#).unwrap().pool_client_secret().is_none());
    }
}
