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

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> GuestRules {
        GuestRules {
            keep_days: 30,
            most_items: 1_000,
            most_bytes: 1 << 20,
            attributes: ["data", "updated_at"].map(str::to_owned).into(),
            on_conflict: Conflict::KeepBoth,
            newer_by: None,
            aside_days: 90,
            most_proof_age_s: 600,
            groups: vec!["customers".to_owned()],
            delete_merged_identities: false,
        }
    }

    fn problems(rules: &GuestRules) -> Vec<String> {
        let mut problems = Problems::default();
        rules.check(&mut problems);
        problems.iter().map(|problem| problem.path.clone()).collect()
    }

    #[test]
    fn each_number_has_its_range() {
        fn keys(rules: &mut GuestRules) -> [(&'static str, &mut u64, u64, u64); 5] {
            [
                ("keep_days", &mut rules.keep_days, 1, 365),
                ("most_items", &mut rules.most_items, 1, 100_000),
                ("most_bytes", &mut rules.most_bytes, 1, 1_073_741_824),
                ("aside_days", &mut rules.aside_days, 1, 3_650),
                ("most_proof_age_s", &mut rules.most_proof_age_s, 60, 900),
            ]
        }
        for row in 0..5 {
            for (at, usable) in [("below", false), ("least", true), ("most", true), ("above", false)] {
                let mut rules = rules();
                let (key, value, least, most) = keys(&mut rules).into_iter().nth(row).unwrap();
                *value = match at {
                    "below" => least - 1,
                    "least" => least,
                    "most" => most,
                    _ => most + 1,
                };
                let expected = if usable { Vec::new() } else { vec![format!("guests.{key}")] };
                assert_eq!(problems(&rules), expected, "{key}, {at}");
            }
        }
    }

    #[test]
    fn names_can_be_used() {
        let longest = "a".repeat(255);
        let table = [
            ("data", true),
            ("pk", false),
            ("sk", false),
            ("expires_at", false),
            ("", false),
            (&longest, true),
            (&format!("{longest}a"), false),
        ];
        for (name, usable) in table {
            let mut rules = rules();
            rules.attributes.insert(name.to_owned());
            assert_eq!(problems(&rules).is_empty(), usable, "{name}");
        }
        for (group, usable) in [("ä".repeat(128), true), ("g".repeat(129), false), (String::new(), false)] {
            let mut rules = rules();
            rules.groups.push(group.clone());
            let expected: &[&str] = if usable { &[] } else { &["guests.groups"] };
            assert_eq!(problems(&rules), expected, "{group}");
        }
    }

    #[test]
    fn what_says_which_is_newer_is_there_when_it_is_asked_for() {
        let table = [
            (Conflict::KeepNewer, Some("updated_at"), true),
            (Conflict::KeepNewer, Some("seen_at"), false),
            (Conflict::KeepNewer, None, false),
            (Conflict::KeepUser, None, true),
            (Conflict::KeepUser, Some("updated_at"), false),
            (Conflict::KeepBoth, Some("updated_at"), false),
        ];
        for (on_conflict, newer_by, usable) in table {
            let rules = GuestRules { on_conflict, newer_by: newer_by.map(str::to_owned), ..rules() };
            let expected: &[&str] = if usable { &[] } else { &["guests.newer_by"] };
            assert_eq!(problems(&rules), expected, "{on_conflict:?} {newer_by:?}");
        }
    }
}
