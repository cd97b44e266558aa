//! What API Gateway makes of an authorizer's policy.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>

use iam_rs::{Context, Principal, PrincipalId};
use serde_json::{Value, json};

use crate::iam::allows;
use crate::tokens::now;

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

/// Evaluates a policy document for a call that is made now, as IAM does.
pub fn evaluate(policy: &Value, arn: &str) -> Verdict {
    evaluate_at(policy, arn, now())
}

/// The same at another time, in seconds since 1970.
pub fn evaluate_at(policy: &Value, arn: &str, now: u64) -> Verdict {
    let mut verdict = Verdict::Silence;
    for statement in each(policy.get("Statement")) {
        let invokes = each(statement.get("Action")).any(|action| matches(text(action), "execute-api:Invoke"));
        if !invokes || !each(statement.get("Resource")).any(|pattern| matches(text(pattern), arn)) {
            continue;
        }
        if statement.get("Condition").is_some_and(|condition| !holds(condition, now)) {
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

/// Whether a condition holds at a time, by an evaluator that is not ours.
fn holds(condition: &Value, now: u64) -> bool {
    let statement = json!({"Effect": "Allow", "Action": "x:Y", "Resource": "*", "Condition": condition});
    let principal = Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:user/any".to_owned()));
    let context = Context::new().with_string("aws:CurrentTime", now.to_string());
    allows(&[statement], principal, "x:Y", "arn:aws:x:::y", &context).unwrap_or(false)
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

    #[test]
    fn a_statement_counts_while_its_condition_holds() {
        let policy = |condition: Value| json!({"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "x", "Condition": condition}]});
        let until = policy(json!({"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:00Z"}}));
        for (now, expected) in [(1_799_999_999, Verdict::Allow), (1_800_000_000, Verdict::Silence), (0, Verdict::Allow)]
        {
            assert_eq!(evaluate_at(&until, "x", now), expected, "{now}");
        }
        let unknown = policy(json!({"StringEquals": {"aws:Unknown": "x"}}));
        assert_eq!(evaluate_at(&unknown, "x", 0), Verdict::Silence, "a key that is not there");
    }
}
