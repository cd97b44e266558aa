//! What is wrong with the fields of a rule file.

use super::GraphqlRules;
use crate::rules::Problems;

/// The most fields. Each is looked at on every call.
const MAX_FIELDS: usize = 2_000;

/// The longest that AppSync keeps an answer, in seconds.
/// <https://docs.aws.amazon.com/appsync/latest/APIReference/API_LambdaAuthorizerConfig.html>
const MAX_CACHE_SECONDS: u64 = 3_600;

impl GraphqlRules {
    /// Checks each field by itself, and that none has two rules.
    pub(crate) fn check(&self, problems: &mut Problems) {
        if self.cache_seconds > MAX_CACHE_SECONDS {
            problems.add("graphql.cache_seconds", format!("must be at most {MAX_CACHE_SECONDS}"));
        }
        if self.fields.is_empty() || self.fields.len() > MAX_FIELDS {
            problems.add("graphql.fields", format!("must name from 1 to {MAX_FIELDS} fields"));
        }
        for (index, rule) in self.fields.iter().enumerate() {
            let path = |member: &str| format!("graphql.fields[{index}].{member}");
            for (member, name) in [("type", &rule.parent), ("field", &rule.field)] {
                if !is_name(name) {
                    problems.add(path(member), "must be a name of GraphQL: letters, digits and \"_\"");
                }
            }
            if self.fields.iter().take(index).any(|other| other.parent == rule.parent && other.field == rule.field) {
                problems.add(path("field"), format!("has two rules: {}.{}", rule.parent, rule.field));
            }
            rule.conditions().contradictions(&mut |member, message| problems.add(path(member), message));
        }
    }
}

/// <https://spec.graphql.org/October2021/#Name>
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && text.len() <= 128 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
