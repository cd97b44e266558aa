//! The names of tenants, roles and users: parsed once, compared byte for byte.
//!
//! All end up in keys of tables, session tags and resource names, so their
//! alphabets hold nothing that any of these could read as syntax.

/// Makes a text type that only its own parser can build.
macro_rules! text_type {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, as it was parsed.
            pub fn as_str(&self) -> &str {
                &self.0
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

/// Lets a text type stand in a rule file, with a message that quotes what is
/// wrong: the error's place may be that of a whole list.
macro_rules! in_rules {
    ($name:ident, $what:literal, $pattern:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    let start: String = text.chars().take(80).collect();
                    serde::de::Error::custom(format_args!("{start:?} is no {}: {}", $what, $pattern))
                })
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "title": concat!("A ", $what),
                    "pattern": $pattern,
                })
            }
        }
    };
}
pub(crate) use in_rules;

text_type! {
    /// The name of a tenant, byte for byte: nothing is trimmed or lower-cased.
    TenantId
}
in_rules!(TenantId, "tenant's name", "^[a-z0-9][a-z0-9-]{0,62}$");

text_type! {
    /// The name of a role that a user has in a tenant.
    RoleName
}
in_rules!(RoleName, "role's name", "^[a-z][a-z0-9-]{0,31}$");

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

text_type! {
    /// The short name by which the rules speak of an issuer of tokens.
    IssuerName
}
in_rules!(IssuerName, "issuer's name", "^[a-z][a-z0-9-]{0,15}$");

impl IssuerName {
    /// The user pools of the deployment, all of them, in the list of a route.
    pub const POOL: &'static str = "pool";

    /// Reads an issuer's name; `None` when it is not one. It holds no `_`, which
    /// ends it in the subject of a caller.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text, 16, |first| first.is_ascii_lowercase()).then(|| Self(text.to_owned()))
    }
}

text_type! {
    /// A user's `sub`, or a machine's client id: what the pool gave, never chosen
    /// by the user.
    Subject
}

impl Subject {
    /// Reads a subject: 1 to 128 ASCII letters, digits, `-` and `_`; `None` when
    /// it is not one. Cognito's is a UUID; anything that could not stand in a key
    /// unchanged is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }
}

text_type! {
    /// A session: the `origin_jti` that the tokens of one sign-in have in common,
    /// also after a refresh.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>
    SessionId
}

impl SessionId {
    /// Reads a session's name: 1 to 128 ASCII letters, digits, `-` and `_`, told
    /// apart by case; `None` when it is not one. Cognito's is a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        Subject::parse(text).map(|Subject(text)| Self(text))
    }
}

text_type! {
    /// A user's identifier in the system that the users are moved in from,
    /// byte for byte.
    LegacyId
}
in_rules!(LegacyId, "user's id in the old system", "^[^\\p{Cc}#]{1,128}$");

impl LegacyId {
    /// Reads an identifier: 1 to 128 characters, no control characters and no
    /// `#`, which separates the parts of a key; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.chars().count());
        (fits && !text.chars().any(|c| c.is_control() || c == '#')).then(|| Self(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tenant_is_named_byte_for_byte_or_not_at_all() {
        let longest = "a".repeat(63);
        let too_long = "a".repeat(64);
        let far_too_long = "a".repeat(257);
        let table = [
            ("acme", true),
            ("a", true),
            ("7", true),
            ("acme-eu-1", true),
            ("a-", true),
            (longest.as_str(), true),
            ("", false),
            ("-acme", false),
            ("t1#", false),
            ("t1/../t2", false),
            ("*", false),
            ("t1*", false),
            ("?", false),
            ("${aws:PrincipalTag/x}", false),
            ("T1", false),
            ("t1 ", false),
            (" t1", false),
            ("t1\n", false),
            ("t1\0", false),
            ("t_1", false),
            ("t.1", false),
            ("t:1", false),
            ("\u{ff54}1", false),
            ("\u{442}1", false),
            ("t\u{200d}1", false),
            (too_long.as_str(), false),
            (far_too_long.as_str(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(TenantId::parse(text).is_some(), accepted, "{text:?}");
        }
    }

    #[test]
    fn a_role_begins_with_a_letter_and_is_short() {
        let longest = "r".repeat(32);
        let too_long = "r".repeat(33);
        let table = [
            ("admin", true),
            ("read-only", true),
            ("r2", true),
            (longest.as_str(), true),
            ("2r", false),
            ("-r", false),
            ("Admin", false),
            ("admin ", false),
            ("admin,owner", false),
            ("admin owner", false),
            ("", false),
            (too_long.as_str(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(RoleName::parse(text).is_some(), accepted, "{text:?}");
        }
    }

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

    #[test]
    fn an_identifier_of_old_is_taken_as_it_is_unless_it_would_break_a_key() {
        let (longest, too_long) = ("\u{fc}".repeat(128), "a".repeat(129));
        let table = [
            ("auth0|5f7c8ec7c33c6c004bbafe82", true),
            ("7", true),
            (" Ann M\u{fc}ller ", true),
            (longest.as_str(), true),
            ("", false),
            ("a#b", false),
            ("a\nb", false),
            ("a\u{85}b", false),
            (too_long.as_str(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(LegacyId::parse(text).map(|id| id.as_str().to_owned()), accepted.then(|| text.to_owned()));
        }
    }

    #[test]
    fn a_group_gives_a_tenant_only_when_both_its_parts_are_names() {
        let table = [
            ("acme:admin", Some(("acme", "admin"))),
            ("acme", None),
            ("acme:", None),
            (":admin", None),
            ("acme:admin:owner", None),
            ("acme:Admin", None),
            ("acme: admin", None),
            ("acme#x:admin", None),
            ("acme\u{ff1a}admin", None),
            ("", None),
        ];
        for (group, expected) in table {
            let found = tenant_group(group);
            let found = found.as_ref().map(|(tenant, role)| (tenant.as_str(), role.as_str()));
            assert_eq!(found, expected, "{group:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_name_is_quoted_in_short_and_escaped() {
        let table = [
            (r#""Acme""#, r#""Acme" is no tenant's name: ^[a-z0-9][a-z0-9-]{0,62}$"#),
            (r#""a\n\u001b[2J""#, r#""a\n\u{1b}[2J" is no"#),
        ];
        for (json, expected) in table {
            let error = serde_json::from_str::<TenantId>(json).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let long = serde_json::to_string(&"A".repeat(10_000)).unwrap();
        assert!(serde_json::from_str::<TenantId>(&long).unwrap_err().to_string().len() < 200);
    }

    proptest! {
        #[test]
        fn what_matches_the_pattern_is_a_name_and_keeps_its_bytes(text in "[a-z0-9][a-z0-9-]{0,62}") {
            let tenant = TenantId::parse(&text).unwrap();
            prop_assert_eq!(tenant.as_str(), text);
        }

        #[test]
        fn no_name_holds_what_keys_arns_or_patterns_read_as_syntax(text in any::<String>()) {
            if let Some(tenant) = TenantId::parse(&text) {
                prop_assert_eq!(tenant.as_str(), &text);
                let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
                prop_assert!((1..=63).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-'));
            }
        }
    }
}
