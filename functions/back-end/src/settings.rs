//! The settings of both back ends.

use shared::revocation::RevocationRules;
use shell::{Lookup, SettingError};

/// Where a back end's data is, and with whose rights it reaches a tenant's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Profiles, memberships and invitations.
    pub directory_table: String,
    /// The tenants' items.
    pub items_table: String,
    /// The role that is assumed with the tenant as session tag.
    pub tenant_role_arn: String,
    /// Where ended sessions are written; `None` where revocation is off.
    pub revocations: Option<Revocations>,
}

/// Where ended sessions are written, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    /// The table.
    pub table: String,
    /// How many days a refresh token lives.
    pub refresh_days: u64,
}

/// The longest that Cognito lets a refresh token live, in days.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html#CognitoUserPools-CreateUserPoolClient-request-RefreshTokenValidity>
const MOST_REFRESH_DAYS: u64 = 3_650;

impl Revocations {
    fn read(lookup: Lookup<'_>, rules: &RevocationRules) -> Result<Option<Self>, SettingError> {
        const KEY: &str = "REFRESH_TOKEN_DAYS";
        let Some(table) = shell::revocation_table(lookup, rules)? else { return Ok(None) };
        let days = SettingError::required(lookup, KEY)?.parse().ok();
        let days = days.filter(|days| (1..=MOST_REFRESH_DAYS).contains(days));
        let problem = || SettingError::new(KEY, format!("must be a whole number from 1 to {MOST_REFRESH_DAYS}"));
        Ok(Some(Self { table, refresh_days: days.ok_or_else(problem)? }))
    }
}

impl Settings {
    /// Reads `DIRECTORY_TABLE`, `ITEMS_TABLE` and `TENANT_ROLE_ARN`, and where
    /// revocation is on `REVOCATION_TABLE` and `REFRESH_TOKEN_DAYS`.
    pub fn read(lookup: Lookup<'_>, revocation: &RevocationRules) -> Result<Self, SettingError> {
        let role = SettingError::required(lookup, "TENANT_ROLE_ARN")?;
        if !is_role_arn(&role) {
            return Err(SettingError::new(
                "TENANT_ROLE_ARN",
                "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/tenant",
            ));
        }
        Ok(Self {
            directory_table: SettingError::required(lookup, "DIRECTORY_TABLE")?,
            items_table: SettingError::required(lookup, "ITEMS_TABLE")?,
            tenant_role_arn: role,
            revocations: Revocations::read(lookup, revocation)?,
        })
    }
}

fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    next() == "arn"
        && next().starts_with("aws")
        && next() == "iam"
        && next().is_empty()
        && next().len() == 12
        && next().strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_required_and_the_role_is_one() {
        let role = "arn:aws:iam::123456789012:role/tenant";
        let table = [
            ("d", "i", role, None),
            ("", "i", role, Some("DIRECTORY_TABLE")),
            ("d", "", role, Some("ITEMS_TABLE")),
            ("d", "i", "", Some("TENANT_ROLE_ARN")),
            ("d", "i", "tenant", Some("TENANT_ROLE_ARN")),
            ("d", "i", "arn:aws:iam::123456789012:user/ann", Some("TENANT_ROLE_ARN")),
            ("d", "i", "arn:aws:iam::123456789012:role/", Some("TENANT_ROLE_ARN")),
            ("d", "i", "arn:aws-cn:iam::123456789012:role/x/tenant", None),
        ];
        for (directory, items, role, refused) in table {
            let lookup = |key: &str| {
                let value = match key {
                    "DIRECTORY_TABLE" => directory,
                    "ITEMS_TABLE" => items,
                    "TENANT_ROLE_ARN" => role,
                    _ => return None,
                };
                Some(value.to_owned())
            };
            let read = Settings::read(&lookup, &RevocationRules::default());
            match refused {
                None => assert!(read.is_ok(), "{role}"),
                Some(key) => {
                    let message = read.unwrap_err().to_string();
                    assert!(message.starts_with(key), "{message}");
                }
            }
        }
    }

    #[test]
    fn a_mark_is_kept_for_as_long_as_a_refresh_token_lives() {
        let on = RevocationRules { mode: shared::revocation::Mode::On, ..RevocationRules::default() };
        for (days, accepted) in [("1", true), ("3650", true), ("0", false), ("3651", false), ("", false), ("x", false)]
        {
            let lookup = |key: &str| match key {
                "REVOCATION_TABLE" => Some("r".to_owned()),
                "REFRESH_TOKEN_DAYS" => Some(days.to_owned()),
                _ => None,
            };
            let read = Revocations::read(&lookup, &on);
            assert_eq!(read.is_ok(), accepted, "{days}: {read:?}");
            assert!(read.err().is_none_or(|error| error.to_string().starts_with("REFRESH_TOKEN_DAYS")), "{days}");
        }
        assert_eq!(Revocations::read(&|_: &str| None, &RevocationRules::default()), Ok(None));
    }
}
