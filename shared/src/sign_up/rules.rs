//! The `[sign_up]` section of the rule file.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::address::DomainPattern;
use crate::attributes;
use crate::rules::Problems;

use super::ChallengeRules;

/// Who may sign up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUpRules {
    /// Who may sign up at all.
    pub mode: Mode,
    /// The domains whose addresses may sign up; empty means every domain.
    #[serde(default)]
    pub allowed_domains: Vec<DomainPattern>,
    /// The domains whose addresses may not, also when `allowed_domains` has them.
    #[serde(default)]
    pub blocked_domains: Vec<DomainPattern>,
    /// The attributes that a sign-up must bring.
    #[serde(default)]
    pub required_attributes: Vec<String>,
    /// The attributes that a client may never set.
    #[serde(default)]
    pub forbidden_attributes: Vec<String>,
    /// The challenge that tells people from programs. Without it nobody is asked.
    pub challenge: Option<ChallengeRules>,
}

/// Who may sign up at all. Administrators may always create users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everyone.
    Open,
    /// Those who hold an invitation.
    Invited,
    /// Nobody.
    Closed,
}

impl SignUpRules {
    pub(crate) fn check(&self, problems: &mut Problems) {
        if let Some(challenge) = &self.challenge {
            challenge.check(problems);
        }
        let blocked: BTreeSet<&str> = self.blocked_domains.iter().map(DomainPattern::as_str).collect();
        for (index, domain) in self.allowed_domains.iter().enumerate() {
            if let Some(by) = domain.covered_by(&blocked) {
                let message = format!("\"{domain}\" is allowed and, by \"{by}\" in blocked_domains, blocked");
                problems.add(format!("sign_up.allowed_domains[{index}]"), message);
            }
        }
        check_names("required_attributes", &self.required_attributes, problems);
        check_names("forbidden_attributes", &self.forbidden_attributes, problems);
        let required: BTreeSet<&str> = self.required_attributes.iter().map(String::as_str).collect();
        for (index, name) in self.forbidden_attributes.iter().enumerate() {
            let path = format!("sign_up.forbidden_attributes[{index}]");
            if required.contains(name.as_str()) {
                problems.add(path, format!("\"{name}\" is required and forbidden"));
            } else if name == "email" && (self.mode == Mode::Invited || !self.allowed_domains.is_empty()) {
                problems.add(path, "nobody could sign up: invitations and allowed_domains go by the e-mail address");
            }
        }
    }
}

/// A misspelt name would lock everybody out, or nobody.
fn check_names(key: &str, names: &[String], problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let path = format!("sign_up.{key}[{index}]");
        if !attributes::is_writable_name(name) {
            let right = "a standard attribute or one that begins with \"custom:\"";
            problems.add(path, format!("\"{name}\" is no attribute that a client could set; name {right}"));
        } else if !seen.insert(name) {
            problems.add(path, format!("\"{name}\" is there twice"));
        }
    }
}
