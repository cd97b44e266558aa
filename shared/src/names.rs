//! The names of tenants and roles: parsed once, compared byte for byte.
//!
//! Both end up in keys of tables, session tags and resource names, so their
//! alphabets hold nothing that any of these could read as syntax.

use serde::{Deserialize, Serialize};

/// Makes a text type that only its own parser can build.
macro_rules! text_type {
    ($(#[$about:meta])* $name:ident, $what:literal, $pattern:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name(#[cfg_attr(feature = "schema", schemars(regex(pattern = $pattern)))] String);

        impl $name {
            /// The text, as it was parsed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            // The message does not quote the text: a log may show it.
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or(concat!($what, " must match ", $pattern))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_type;

text_type! {
    /// The name of a tenant, byte for byte: nothing is trimmed or lower-cased.
    TenantId, "the name of a tenant", "^[a-z0-9][a-z0-9-]{0,62}$"
}

text_type! {
    /// The name of a role that a user has in a tenant.
    RoleName, "the name of a role", "^[a-z][a-z0-9-]{0,31}$"
}

impl TenantId {
    /// Reads a tenant's name; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text, 63, |first| first.is_ascii_lowercase() || first.is_ascii_digit()).then(|| Self(text.to_owned()))
    }
}

impl RoleName {
    /// Reads a role's name; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text, 32, |first| first.is_ascii_lowercase()).then(|| Self(text.to_owned()))
    }
}

/// Reads the Cognito group `<tenant>:<role>`; `None` for any other group.
pub fn tenant_group(group: &str) -> Option<(TenantId, RoleName)> {
    let (tenant, role) = group.split_once(':')?;
    Some((TenantId::parse(tenant)?, RoleName::parse(role)?))
}

fn is_name(text: &str, most: usize, may_begin: impl Fn(u8) -> bool) -> bool {
    text.len() <= most
        && text.bytes().next().is_some_and(may_begin)
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
