//! The settings of both back ends.

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
}

impl Settings {
    /// Reads `DIRECTORY_TABLE`, `ITEMS_TABLE` and `TENANT_ROLE_ARN`.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
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
            let read = Settings::read(&lookup);
            match refused {
                None => assert!(read.is_ok(), "{role}"),
                Some(key) => {
                    let message = read.unwrap_err().to_string();
                    assert!(message.starts_with(key), "{message}");
                }
            }
        }
    }
}
