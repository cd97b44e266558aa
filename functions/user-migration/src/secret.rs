//! The keys of the old system, kept in Secrets Manager.

use serde::Deserialize;
use shared::password::Keys;
use shell::SettingError;
use shell::aws::Client;
use shell::secret::SecretText;
use zeroize::Zeroizing;

use crate::endpoint::EndpointKey;

const KEY: &str = "SECRET_ARN";

/// The secret's JSON. What it holds cannot be printed.
#[derive(Default, Deserialize)]
pub(crate) struct Secret {
    #[serde(default)]
    pool_client_secret: Option<SecretText>,
    #[serde(default)]
    endpoint_key: Option<SecretText>,
    #[serde(default)]
    firebase_signer_key: Option<SecretText>,
}

/// Fetches the secret; without a name it holds nothing.
pub(crate) async fn fetch(client: &Client, arn: Option<&str>) -> Result<Secret, SettingError> {
    match arn {
        Some(arn) => shell::secret::fetch(client, KEY, arn).await,
        None => Ok(Secret::default()),
    }
}

impl Secret {
    /// The secret of the old pool's app client, if it has one.
    pub(crate) fn pool_client_secret(self) -> Option<Zeroizing<String>> {
        self.pool_client_secret.and_then(SecretText::present)
    }

    /// The key that is shared with the endpoint.
    pub(crate) fn endpoint_key(&self) -> Result<EndpointKey, SettingError> {
        let key = self.endpoint_key.as_ref().and_then(|text| EndpointKey::read(text.as_str()));
        key.ok_or_else(|| SettingError::new(KEY, "names a secret whose endpoint_key is not 24 to 64 bytes in base64"))
    }

    /// The keys that hashes need.
    pub(crate) fn hash_keys(&self, firebase: bool) -> Result<Keys, SettingError> {
        if !firebase {
            return Ok(Keys::default());
        }
        let key = self.firebase_signer_key.as_ref().and_then(|text| Keys::with_firebase_signer(text.as_str()));
        key.ok_or_else(|| SettingError::new(KEY, "names a secret whose firebase_signer_key is not a key in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Secret, SettingError> {
        shell::secret::read(KEY, text)
    }

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
            let result = used(&read(text).unwrap());
            let message = result.err().map(|error| error.to_string());
            assert_eq!(message.is_some(), expected.is_some(), "{name}: {message:?}");
            let message = message.unwrap_or_default();
            assert!(message.contains(expected.unwrap_or_default()) && !message.contains("canary"), "{name}: {message}");
        }
    }

    #[test]
    fn an_old_pool_may_have_a_secret() {
        let secret = read(r#"{"pool_client_secret": "s"}"#).unwrap();
        assert_eq!(secret.pool_client_secret().as_deref().map(String::as_str), Some("s"));
        assert!(read(r#"{"pool_client_secret": ""}"#).unwrap().pool_client_secret().is_none());
    }
}
