//! What API Gateway makes of an authorizer's policy.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>

use serde_json::Value;

/// What a policy says about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    Deny,
    /// No statement speaks of it.
    Silence,
}

/// Evaluates a policy document for a call, as IAM does.
pub fn evaluate(policy: &Value, arn: &str) -> Verdict {
    let mut verdict = Verdict::Silence;
    for statement in each(policy.get("Statement")) {
        let invokes = each(statement.get("Action")).any(|action| matches(text(action), "execute-api:Invoke"));
        if !invokes || !each(statement.get("Resource")).any(|pattern| matches(text(pattern), arn)) {
            continue;
        }
        match statement.get("Effect").map(text) {
            Some("Deny") => return Verdict::Deny,
            Some("Allow") => verdict = Verdict::Allow,
            _ => {}
        }
    }
    verdict
}

/// A list, or the one value that stands for it.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(values)) => values.iter().collect::<Vec<_>>(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
    .into_iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// IAM's wildcards: `*` is any text, slashes too, `?` is one character.
fn matches(pattern: &str, subject: &str) -> bool {
    let mut reached = vec![true];
    reached.resize(subject.len() + 1, false);
    for wanted in pattern.bytes() {
        let mut next = Vec::with_capacity(reached.len());
        let mut any = false;
        for (position, &here) in reached.iter().enumerate() {
            any |= here;
            let before = position.checked_sub(1);
            let stepped = before.and_then(|before| reached.get(before)).is_some_and(|&held| held);
            let byte = before.and_then(|before| subject.as_bytes().get(before));
            next.push(match wanted {
                b'*' => any,
                b'?' => stepped,
                literal => stepped && byte == Some(&literal),
            });
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_those_of_iam() {
        let table = [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "a/b/c", true),
            ("a*c", "a/b/c", true),
            ("a*c", "a/b/d", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("GET/items/*/x", "GET/items/1/2/x", true),
        ];
        for (pattern, subject, expected) in table {
            assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[test]
    fn a_deny_wins_and_silence_is_told_apart() {
        let policy: Value = serde_json::from_str(
            r#"{"Statement": [
                {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ["x/GET/items/*", "x/GET/me"]},
                {"Effect": "Deny", "Action": ["execute-api:Invoke"], "Resource": "x/GET/items/*/*"},
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
            ]}"#,
        )
        .unwrap();
        let table = [
            ("x/GET/me", Verdict::Allow),
            ("x/GET/items/1", Verdict::Allow),
            ("x/GET/items/1/2", Verdict::Deny),
            ("x/PUT/me", Verdict::Silence),
        ];
        for (arn, expected) in table {
            assert_eq!(evaluate(&policy, arn), expected, "{arn}");
        }
    }
}
