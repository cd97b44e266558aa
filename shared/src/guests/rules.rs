//! What the operator says of guests.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::rules::Problems;

/// Attributes of a record that have a meaning of their own. `pk` and `sk` are its
/// key, `expires_at` is written by the guest keeper alone.
const OWN_ATTRIBUTES: [&str; 3] = ["pk", "sk", "expires_at"];

/// What guests may keep, and what becomes of it when one is promoted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GuestRules {
    /// How many days what a guest keeps outlives his last write: 1 to 365.
    pub keep_days: u64,
    /// The most items that one guest may keep: 1 to 100,000.
    pub most_items: u64,
    /// The most bytes that one guest may keep, as DynamoDB counts them: up to 1 GiB.
    pub most_bytes: u64,
    /// The attributes that a guest may write, besides the key. The guests' role
    /// in template.yaml lists the same.
    pub attributes: BTreeSet<String>,
    /// What happens when a user has a record of the same name already.
    pub on_conflict: Conflict,
    /// The attribute that says which of two records is newer, a number; for
    /// "keep-newer".
    #[serde(default)]
    pub newer_by: Option<String>,
    /// How many days a record is kept that was not given to the user, out of
    /// everybody's reach: 1 to 3,650.
    pub aside_days: u64,
    /// The age in seconds from which an OpenID token of the identity pool proves
    /// nothing any more: 60 to 900.
    pub most_proof_age_s: u64,
    /// The Cognito groups that a guest gets with the promotion. The pool must
    /// have them.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether the identity of a guest whose user had one already is deleted
    /// afterwards. Cognito has disabled it then.
    #[serde(default)]
    pub delete_merged_identities: bool,
}

/// What happens when a user has a record of the same name already. Nothing is
/// ever overwritten silently: what has to give way is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// The user's stays, the guest's is set aside.
    KeepUser,
    /// The newer one stays, the other is set aside. Where that cannot be said,
    /// the user's stays.
    KeepNewer,
    /// Both stay: the guest's gets a new name.
    KeepBoth,
}

impl GuestRules {
    pub(crate) fn check(&self, problems: &mut Problems) {
        let mut add = |key: &str, message: String| problems.add(format!("guests.{key}"), message);
        let ranges = [
            ("keep_days", self.keep_days, 1, 365),
            ("most_items", self.most_items, 1, 100_000),
            ("most_bytes", self.most_bytes, 1, 1 << 30),
            ("aside_days", self.aside_days, 1, 3_650),
            ("most_proof_age_s", self.most_proof_age_s, 60, 900),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                add(key, format!("must lie between {least} and {most}"));
            }
        }
        for name in &self.attributes {
            if OWN_ATTRIBUTES.contains(&name.as_str()) {
                add("attributes", format!("\"{name}\" has a meaning of its own; leave it out"));
            } else if name.is_empty() || name.len() > 255 {
                add("attributes", format!("{name:?} is no attribute's name: 1 to 255 bytes"));
            }
        }
        match (self.on_conflict, &self.newer_by) {
            (Conflict::KeepNewer, None) => {
                add("newer_by", "\"keep-newer\" needs the attribute that says which is newer".to_owned());
            }
            (Conflict::KeepNewer, Some(name)) if !self.attributes.contains(name) => {
                add("newer_by", format!("guests do not write \"{name}\"; it is not among `attributes`"));
            }
            (Conflict::KeepUser | Conflict::KeepBoth, Some(_)) => {
                add("newer_by", "only \"keep-newer\" asks for it; leave it out".to_owned());
            }
            _ => {}
        }
        if let Some(name) = self.groups.iter().find(|name| name.is_empty() || name.chars().count() > 128) {
            add("groups", format!("{name:?} is no group's name: 1 to 128 characters"));
        }
    }
}
