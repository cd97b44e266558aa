//! Contradictions in the `[roles]` section.

use super::{Ambiguous, RoleKind, RoleRule, RoleRules};
use crate::rules::Problems;

/// The most rules that an identity pool takes for one provider.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html#using-rules-to-assign-roles-to-users>
const MOST_RULES: usize = 25;

impl RoleRules {
    pub(crate) fn check(&self, problems: &mut Problems) {
        match self.kind {
            RoleKind::Rules if self.rules.is_empty() => {
                problems.add("roles.type", "is \"rules\", but there are no [[roles.rules]]")
            }
            RoleKind::Token if !self.rules.is_empty() => {
                problems.add("roles.rules", "are used only with roles.type = \"rules\"")
            }
            _ => {}
        }
        if self.rules.len() > MOST_RULES {
            problems.add(
                format!("roles.rules[{MOST_RULES}]"),
                format!(
                    "is one too many: an identity pool takes {MOST_RULES} rules, and there are {}",
                    self.rules.len()
                ),
            );
        }
        if self.ambiguous == Ambiguous::Authenticated && self.authenticated_role.is_none() {
            problems.add("roles.ambiguous", "is \"authenticated\", but roles.authenticated_role is missing");
        }
        check_arn(problems, "roles.authenticated_role", self.authenticated_role.as_deref());
        self.check_groups(problems);
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check(&format!("roles.rules[{index}]"), problems);
        }
    }

    fn check_groups(&self, problems: &mut Problems) {
        for (index, group) in self.groups.iter().enumerate() {
            let path = format!("roles.groups[{index}]");
            if group.name.is_empty() {
                problems.add(format!("{path}.name"), "must not be empty");
            }
            if self.groups.iter().take(index).any(|earlier| earlier.name == group.name) {
                problems.add(format!("{path}.name"), format!("names the group \"{}\" a second time", group.name));
            }
            check_arn(problems, &format!("{path}.role"), group.role.as_deref());
        }
    }
}

impl RoleRule {
    /// The bounds are the API's.
    /// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_MappingRule.html>
    fn check(&self, path: &str, problems: &mut Problems) {
        for (key, text, most) in [("claim", &self.claim, 64), ("value", &self.value, 128)] {
            if !(1..=most).contains(&text.chars().count()) {
                problems.add(format!("{path}.{key}"), format!("must have 1 to {most} characters"));
            }
        }
        if self.claim.chars().any(|c| c.is_whitespace() || c.is_control()) {
            problems.add(format!("{path}.claim"), "must not contain blanks");
        }
        check_arn(problems, &format!("{path}.role"), Some(&self.role));
    }
}

fn check_arn(problems: &mut Problems, path: &str, arn: Option<&str>) {
    if arn.is_some_and(|arn| !is_role_arn(arn)) {
        problems.add(path, "must be the ARN of an IAM role, such as \"arn:aws:iam::123456789012:role/reader\"");
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>
fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let partition = { next() == "arn" }.then(&mut next).unwrap_or_default();
    let (service, region, account, resource) = (next(), next(), next(), next());
    let name = resource.strip_prefix("role/").unwrap_or_default();
    (partition == "aws" || partition.starts_with("aws-"))
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=,.@-".contains(&byte))
        && text.len() <= 2048
}
