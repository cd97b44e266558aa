//! The one call on Secrets Manager, made before the first event.

use aws_sdk_secretsmanager::Client;
use shell::SettingError;
use zeroize::Zeroizing;

use super::{KEY, Secret};

/// Fetches the secret; without a name it holds nothing.
pub(crate) async fn fetch(config: &shell::aws::SdkConfig, arn: Option<&str>) -> Result<Secret, SettingError> {
    let Some(arn) = arn else { return Ok(Secret::default()) };
    let answer = Client::new(config).get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| {
        SettingError::new(KEY, format!("names a secret that cannot be read: {}", shell::chain(&error)))
    })?;
    let text = answer.secret_string.ok_or_else(|| SettingError::new(KEY, "names a secret that is not a text"))?;
    Secret::read(&Zeroizing::new(text))
}
