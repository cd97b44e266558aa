//! The members of one exported user, read leniently: absent, `null` and empty
//! are alike, and what has the wrong type is as good as absent.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One user as the export has him, whether it was a JSON object or a line of CSV.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The members of a JSON object.
    pub(super) fn of_object(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// The cells of a line below their headings; empty ones count as absent.
    pub(super) fn of_cells<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let filled = cells.filter(|(_, cell)| !cell.is_empty());
        Self(filled.map(|(heading, cell)| (heading.to_owned(), Value::from(cell))).collect())
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A text or a whole number, as text: identifiers come as either.
    pub(super) fn identifier(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) if number.is_u64() => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether the member is JSON's own `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Whether something guards the user that is not plainly off: a flag that
    /// cannot be understood counts as set.
    pub(super) fn is_set(&self, name: &str) -> bool {
        let off = |text: &str| ["0", "f", "false", "n", "no"].iter().any(|word| text.eq_ignore_ascii_case(word));
        match self.0.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty() && !off(text),
            Some(Value::Number(number)) => number.as_u64() != Some(0),
            Some(_) => true,
        }
    }

    /// Whether the cell is one of these words, byte for byte.
    pub(super) fn says(&self, name: &str, words: &[&str]) -> bool {
        self.text(name).is_some_and(|text| words.contains(&text))
    }

    /// The texts of a list; of a single text, that text.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        texts(self.0.get(name))
    }

    /// The objects of a list.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let list = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_object).cloned().map(Self).collect()
    }

    /// The members of a member.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.0.get(name).and_then(Value::as_object).cloned().map(Self)
    }

    /// The members of an object that was written as text.
    pub(super) fn object_in_text(&self, name: &str) -> Option<Self> {
        serde_json::from_str(self.text(name)?).ok().map(Self)
    }

    /// All members by name.
    pub(super) fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// The named members that are a text, a number or a boolean, as text.
    pub(super) fn only(&self, names: &[&str]) -> BTreeMap<String, String> {
        let named = names.iter().filter_map(|name| Some(((*name).to_owned(), scalar(self.0.get(*name)?)?)));
        named.collect()
    }

    /// All such members but the named ones.
    pub(super) fn all_but(&self, names: &[&str]) -> BTreeMap<String, String> {
        let others = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        others.filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
    }

    /// The members of a member, each as `<name>.<member>`; of a list its first entry.
    pub(super) fn below(&self, name: &str) -> BTreeMap<String, String> {
        self.object(name).map(|object| object.dotted(name)).unwrap_or_default()
    }

    /// All members, each as `<prefix>.<member>`; of a list its first entry.
    pub(super) fn dotted(&self, prefix: &str) -> BTreeMap<String, String> {
        let first = |value: &Value| value.as_array().map_or_else(|| scalar(value), |list| scalar(list.first()?));
        self.0.iter().filter_map(|(name, value)| Some((format!("{prefix}.{name}"), first(value)?))).collect()
    }
}

/// The texts of a list; of a single text, that text.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().flat_map(|entry| texts_of_scalar(Some(entry))).collect(),
        other => texts_of_scalar(other),
    }
}

fn texts_of_scalar(value: Option<&Value>) -> Vec<String> {
    let text = value.and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).into_iter().collect()
}

/// A text that is not empty, a number or a boolean, as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
