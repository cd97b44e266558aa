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
        check_role(problems, "roles.authenticated_role", self.authenticated_role.as_deref());
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
            check_role(problems, &format!("{path}.role"), group.role.as_deref());
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
        check_role(problems, &format!("{path}.role"), Some(&self.role));
    }
}

fn check_role(problems: &mut Problems, path: &str, role: Option<&str>) {
    if role.is_some_and(|role| !is_role_arn(role) && !is_logical_id(role)) {
        problems.add(
            path,
            "must be the ARN of an IAM role, such as \"arn:aws:iam::123456789012:role/reader\", or the name of a role in \
             template.yaml, such as \"AdministratorRole\"",
        );
    }
}

/// What a resource may be called in a CloudFormation template.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html>
fn is_logical_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
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

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:iam::123456789012:role/reader";

    fn problems(text: &str) -> Vec<(String, String)> {
        let rules: RoleRules = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut problems = Problems::default();
        rules.check(&mut problems);
        problems.iter().map(|problem| (problem.path.clone(), problem.message.clone())).collect()
    }

    fn rule(claim: &str, value: &str, role: &str) -> String {
        format!("[[rules]]\nclaim = \"{claim}\"\nmatch = \"starts-with\"\nvalue = \"{value}\"\nrole = \"{role}\"\n")
    }

    fn by_rules(rules: &str) -> String {
        format!("type = \"rules\"\n{rules}")
    }

    #[test]
    fn role_rules_without_contradictions_are_taken() {
        let groups = format!("[[groups]]\nname = \"a\"\nprecedence = 0\nrole = \"{ARN}\"\n[[groups]]\nname = \"b\"");
        let table = [
            String::new(),
            format!("ambiguous = \"authenticated\"\nauthenticated_role = \"{ARN}\""),
            groups,
            by_rules(&rule("c", "v", ARN).repeat(25)),
            by_rules(&rule("c", "v", "arn:aws-cn:iam::123456789012:role/path/reader@x")),
            by_rules(&rule("c", "v", "AdministratorRole")),
            "ambiguous = \"authenticated\"\nauthenticated_role = \"AuthenticatedRole\"".to_owned(),
        ];
        for text in table {
            assert_eq!(problems(&text), [], "{text}");
        }
    }

    #[test]
    fn each_contradiction_is_named_with_its_key() {
        let mut table = vec![
            ("type = \"rules\"".to_owned(), "roles.type", "no [[roles.rules]]"),
            (rule("c", "v", ARN), "roles.rules", "only with"),
            (by_rules(&rule("c", "v", ARN).repeat(26)), "roles.rules[25]", "there are 26"),
            ("ambiguous = \"authenticated\"".to_owned(), "roles.ambiguous", "authenticated_role is missing"),
            ("[[groups]]\nname = \"\"".to_owned(), "roles.groups[0].name", "empty"),
            ("[[groups]]\nname = \"a\"\n[[groups]]\nname = \"a\"".to_owned(), "roles.groups[1].name", "second time"),
            (by_rules(&rule("", "v", ARN)), "roles.rules[0].claim", "1 to 64"),
            (by_rules(&rule("a b", "v", ARN)), "roles.rules[0].claim", "blanks"),
            (by_rules(&rule(&"c".repeat(65), "v", ARN)), "roles.rules[0].claim", "1 to 64"),
            (by_rules(&rule("c", "", ARN)), "roles.rules[0].value", "1 to 128"),
            (by_rules(&rule("c", &"v".repeat(129), ARN)), "roles.rules[0].value", "1 to 128"),
            (format!("authenticated_role = \"{ARN}*\""), "roles.authenticated_role", "ARN"),
        ];
        let too_long = "R".repeat(256);
        let not_roles = [
            "",
            "Reader-Role",
            "Reader Role",
            "Rôle",
            &too_long,
            "!GetAtt Reader.Arn",
            "arn:aws:iam::123456789012:user/reader",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::12345:role/reader",
            "arn:aws:iam:eu-west-1:123456789012:role/reader",
            "arn:aws:s3::123456789012:role/reader",
            "arn:evil:iam::123456789012:role/reader",
            "urn:aws:iam::123456789012:role/reader",
            "arn:aws:iam::123456789012:role/reader:x",
        ];
        for arn in not_roles {
            table.push((format!("[[groups]]\nname = \"a\"\nrole = \"{arn}\""), "roles.groups[0].role", "ARN"));
            table.push((by_rules(&rule("c", "v", arn)), "roles.rules[0].role", "ARN"));
        }
        for (text, path, words) in table {
            let found = problems(&text);
            let [(found_path, message)] = found.as_slice() else { panic!("{text}: {found:?}") };
            assert_eq!(found_path, path, "{text}");
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
