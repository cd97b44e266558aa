//! The one call on Secrets Manager, made before the first event.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueInput;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::read;
use crate::SettingError;
use crate::aws::Client;

/// Fetches the secret that the setting `key` names.
pub async fn fetch<T: DeserializeOwned>(client: &Client, key: &'static str, arn: &str) -> Result<T, SettingError> {
    let answer = client.send(GetSecretValueInput::builder().secret_id(arn).build()).await;
    let answer = answer.map_err(|error| {
        SettingError::new(key, format!("names a secret that cannot be read: {}", crate::chain(&error)))
    })?;
    let text = answer.secret_string.ok_or_else(|| SettingError::new(key, "names a secret that is not a text"))?;
    read(key, &Zeroizing::new(text))
}
