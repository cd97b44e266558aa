//! A user, read from an export, on the way to the table.

use std::collections::BTreeMap;

use shared::migration::{LegacyUser, sign_in_key};
use shared::names::LegacyId;

use super::options::SignIn;
use super::rejection::Rejection;

/// The largest record, in bytes; what the user-migration function takes from an
/// endpoint is bound in the same way.
const LARGEST_RECORD: usize = 64 * 1024;

/// A user as every format can say him.
#[derive(Default)]
pub(super) struct Person {
    /// What tells him from all others in the old system.
    pub(super) id: Option<String>,
    /// His e-mail address.
    pub(super) email: Option<String>,
    /// His user name.
    pub(super) user_name: Option<String>,
    /// His attributes, under the old system's own names.
    pub(super) attributes: BTreeMap<String, String>,
    /// Whether the old system says that the address is his.
    pub(super) email_verified: bool,
    /// The hash, in a form that `shared::password` reads.
    pub(super) hash: Option<String>,
    /// His groups and roles.
    pub(super) groups: Vec<String>,
    /// Whether he may not sign in.
    pub(super) disabled: bool,
    /// Whether he has to choose a new password.
    pub(super) must_reset: bool,
}

/// What tells a person from others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// His identifier.
    pub(super) id: LegacyId,
    /// The keys of his sign-in names, each once.
    pub(super) names: Vec<String>,
}

/// A person as the table's rows: one for each name, with the same record.
pub(super) struct Entry {
    /// The number of his row in the export.
    pub(super) row: u64,
    /// The keys of the rows.
    pub(super) keys: Keys,
    /// The JSON of his `LegacyUser`.
    pub(super) record: String,
}

impl Person {
    /// His identifier and the names that he signs in by.
    pub(super) fn keys(&self, sign_in: &[SignIn]) -> Result<Keys, Rejection> {
        let id = self.id.as_deref().ok_or(Rejection::IdMissing)?;
        let id = LegacyId::parse(id).ok_or(Rejection::IdUnusable)?;
        let named = sign_in.iter().filter_map(|name| match name {
            SignIn::Email => self.email.as_deref(),
            SignIn::Username => self.user_name.as_deref(),
        });
        let mut names = Vec::new();
        for name in named {
            let key = sign_in_key(name).ok_or(Rejection::NameUnusable)?;
            if !names.contains(&key) {
                names.push(key);
            }
        }
        if names.is_empty() { Err(Rejection::NameMissing) } else { Ok(Keys { id, names }) }
    }

    /// His record. Without a hash no old password can be right: he has to choose
    /// a new one.
    pub(super) fn record(self, id: &LegacyId) -> Result<String, Rejection> {
        let user = LegacyUser {
            must_reset: self.must_reset || self.hash.is_none(),
            attributes: self.attributes,
            email_verified: self.email_verified,
            hash: self.hash,
            groups: self.groups,
            disabled: self.disabled,
            ..LegacyUser::new(id.clone())
        };
        let record = serde_json::to_string(&user).map_err(|_| Rejection::Unreadable)?;
        if record.len() > LARGEST_RECORD { Err(Rejection::TooLarge) } else { Ok(record) }
    }
}
