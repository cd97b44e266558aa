//! The settings of the function.

use shared::guests::proof::KEY_SET_URL;
use shared::guests::{GuestRules, IdentityPoolId};
use shell::check_address;
use shell::{Lookup, SettingError};

/// What the function works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The records table.
    pub records_table: String,
    /// The pool whose guests are promoted.
    pub identity_pool: IdentityPoolId,
    /// The user pool as the identity pool names it.
    pub provider: String,
    /// The user pool's own id.
    pub user_pool_id: String,
    /// The queue that goes on with promotions.
    pub queue_url: String,
    /// The bus that hears of them.
    pub event_bus: String,
    /// Where the identity pool's keys are.
    pub key_set_url: String,
    /// What the operator says of guests.
    pub rules: GuestRules,
}

impl Settings {
    /// Reads `RECORDS_TABLE`, `IDENTITY_POOL_ID`, `USER_POOL_PROVIDER`,
    /// `QUEUE_URL`, `EVENT_BUS` (`default`), `GUEST_KEY_SET_URL` (that of AWS)
    /// and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let provider = SettingError::required(lookup, "USER_POOL_PROVIDER")?;
        let user_pool_id = pool_of(&provider).ok_or_else(|| {
            SettingError::new(
                "USER_POOL_PROVIDER",
                "must name the user pool as an identity pool does, such as cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
            )
        })?;
        let identity_pool = SettingError::required(lookup, "IDENTITY_POOL_ID")?;
        let identity_pool = IdentityPoolId::parse(&identity_pool).ok_or_else(|| {
            SettingError::new("IDENTITY_POOL_ID", "must be the id of an identity pool: a region, a colon and a UUID")
        })?;
        let key_set_url = SettingError::optional(lookup, "GUEST_KEY_SET_URL").unwrap_or_else(|| KEY_SET_URL.to_owned());
        let rules = shell::rules(lookup)?.guests;
        Ok(Self {
            records_table: SettingError::required(lookup, "RECORDS_TABLE")?,
            identity_pool,
            user_pool_id: user_pool_id.to_owned(),
            provider,
            queue_url: SettingError::required(lookup, "QUEUE_URL")?,
            event_bus: SettingError::optional(lookup, "EVENT_BUS").unwrap_or_else(|| "default".to_owned()),
            key_set_url: check_address("GUEST_KEY_SET_URL", key_set_url)?,
            rules: rules.ok_or_else(|| {
                SettingError::new("RULES_FILE", "names a rule file without a section [guests], which says what to do")
            })?,
        })
    }
}

/// The pool's id in `cognito-idp.<region>.amazonaws.com/<pool id>`.
fn pool_of(provider: &str) -> Option<&str> {
    let (host, pool) = provider.split_once('/')?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_pool = pool.contains('_') && pool.bytes().all(allowed);
    (host.starts_with("cognito-idp.") && is_pool).then_some(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abc";
    const POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";

    #[test]
    fn each_setting_is_read_or_named() {
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/rules.toml");
        let good = [
            ("RECORDS_TABLE", "records"),
            ("IDENTITY_POOL_ID", POOL),
            ("USER_POOL_PROVIDER", PROVIDER),
            ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
            ("RULES_FILE", rules),
        ];
        let read = |changed: Option<(&str, &str)>| {
            Settings::read(&|key: &str| {
                let changed = changed.filter(|(name, _)| *name == key).map(|(_, value)| value);
                changed
                    .or_else(|| good.iter().find(|(name, _)| *name == key).map(|(_, value)| *value))
                    .map(str::to_owned)
            })
        };
        let settings = read(None).unwrap();
        assert_eq!((settings.user_pool_id.as_str(), settings.event_bus.as_str()), ("us-east-1_abc", "default"));
        assert_eq!(settings.key_set_url, KEY_SET_URL);
        let refused = [
            ("RECORDS_TABLE", ""),
            ("IDENTITY_POOL_ID", ""),
            ("IDENTITY_POOL_ID", "us-east-1_abc"),
            ("USER_POOL_PROVIDER", ""),
            ("USER_POOL_PROVIDER", "us-east-1_abc"),
            ("USER_POOL_PROVIDER", "cognito-idp.us-east-1.amazonaws.com/"),
            ("USER_POOL_PROVIDER", "cognito-idp.us-east-1.amazonaws.com/us-east-1_a/b"),
            ("QUEUE_URL", ""),
            ("GUEST_KEY_SET_URL", "http://keys.example"),
            ("GUEST_KEY_SET_URL", "http://localhost.example/"),
            ("RULES_FILE", "/nowhere"),
        ];
        for (key, value) in refused {
            let error = read(Some((key, value))).unwrap_err().to_string();
            assert!(error.starts_with(key), "{key}={value}: {error}");
        }
        for url in ["http://127.0.0.1:4566/guest-keys", "http://localhost/", "https://keys.example/a"] {
            assert_eq!(read(Some(("GUEST_KEY_SET_URL", url))).unwrap().key_set_url, url);
        }
    }
}
