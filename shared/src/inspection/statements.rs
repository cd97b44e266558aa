//! Statements of a policy document, as far as an inspection reads them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde_json::{Map, Value};

/// One statement.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a>(&'a Map<String, Value>);

/// The statements of a document that allow something.
pub(super) fn allowing(document: &Value) -> Vec<Statement<'_>> {
    let statements: Vec<&Value> = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let allows = |statement: &Map<String, Value>| statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    statements.into_iter().filter_map(Value::as_object).filter(|one| allows(one)).map(Statement).collect()
}

impl<'a> Statement<'a> {
    /// The texts of an element: one, a list of them, or none.
    pub(super) fn texts(self, element: &str) -> Vec<&'a str> {
        texts(self.0.get(element))
    }

    /// Whether the element is there at all.
    pub(super) fn has(self, element: &str) -> bool {
        self.0.contains_key(element)
    }

    /// Whether one of its actions means this one.
    pub(super) fn means(self, action: &str) -> bool {
        self.texts("Action").iter().any(|pattern| is_like(&pattern.to_lowercase(), &action.to_lowercase()))
    }

    /// The principals of one kind, such as `Service`; `*` for everybody.
    pub(super) fn principals(self, kind: &str) -> Vec<&'a str> {
        match self.0.get("Principal") {
            Some(Value::String(all)) => vec![all],
            Some(Value::Object(kinds)) => texts(kinds.get(kind)),
            _ => Vec::new(),
        }
    }

    /// The conditions on a key: each operator with its values.
    pub(super) fn conditions(self, key: &str) -> Vec<(&'a str, Vec<&'a str>)> {
        let operators = self.0.get("Condition").and_then(Value::as_object);
        let of_operator = |(operator, keys): (&'a String, &'a Value)| {
            let values = keys.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?.1;
            Some((operator.as_str(), texts(Some(values))))
        };
        operators.into_iter().flatten().filter_map(of_operator).collect()
    }

    /// The values that a key must equal one of; empty when it need not.
    pub(super) fn equals(self, key: &str) -> Vec<&'a str> {
        let is_equality = |operator: &str| {
            let plain = operator.rsplit(':').next().unwrap_or_default();
            // `ForAllValues:` and `…IfExists` hold when the key is absent.
            let strict = !operator.starts_with("ForAllValues:") && !plain.ends_with("IfExists");
            strict
                && matches!(plain, "StringEquals" | "StringLike" | "ArnEquals" | "ArnLike" | "StringEqualsIgnoreCase")
        };
        let conditions = self.conditions(key).into_iter();
        conditions.filter(|(operator, _)| is_equality(operator)).flat_map(|(_, values)| values).collect()
    }

    /// Whether the key must be there: `Null` says so.
    pub(super) fn must_have(self, key: &str) -> bool {
        self.conditions(key).iter().any(|(operator, values)| *operator == "Null" && values.contains(&"false"))
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a text is meant by a pattern with `*` and `?`.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // How much of the text each beginning of the pattern can take.
    let mut taken = vec![true];
    taken.extend(text.iter().map(|_| false));
    for sign in pattern {
        let mut next = vec![sign == '*' && taken.first() == Some(&true)];
        for (at, letter) in text.iter().enumerate() {
            let (before, here) = (taken.get(at) == Some(&true), taken.get(at + 1) == Some(&true));
            let longer = next.last() == Some(&true);
            next.push(match sign {
                '*' => here || longer,
                '?' => before,
                sign => before && sign == *letter,
            });
        }
        taken = next;
    }
    taken.last() == Some(&true)
}
