//! What is wrong with a rule file: all of it at once, each with its place.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Unfit;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `claims.map[2].name`; empty for the file as a whole.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the text that it is about; empty at the start for the file
    /// as a whole.
    pub span: Range<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Where something stands in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the text.
    pub span: Range<usize>,
}

/// Finds the place of a key, such as `claims.map[2].name`. A key that is not
/// written out has the place of the table that lacks it.
pub fn place_of(text: &str, path: &str) -> Place {
    let span = DeTable::parse(text).map(|document| find(&document, path)).unwrap_or_default();
    let (line, column) = place(text, span.start);
    Place { line, column, span }
}

/// Everything that is wrong, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem at a key. The line is found later, by [`Self::locate`].
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { path: path.into(), line: 1, column: 1, span: 0..0, message: message.into() });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Finds the line and column of each problem by its path. A key that is not
    /// written out has the place of the table that lacks it.
    pub(super) fn locate(mut self, text: &str) -> Self {
        if let Ok(document) = DeTable::parse(text) {
            for problem in &mut self.0 {
                problem.span = find(&document, &problem.path);
                (problem.line, problem.column) = place(text, problem.span.start);
            }
        }
        self.0.sort_by_key(|problem| (problem.line, problem.column));
        self
    }

    /// Every error of syntax.
    pub(super) fn of_syntax(text: &str, document: &Spanned<DeTable<'_>>, errors: &[toml::de::Error]) -> Self {
        let one = |error: &toml::de::Error| {
            let span = error.span().unwrap_or_default();
            let mut message = error.message().replace('\n', ", ");
            // The second of two equal keys is not part of the document, so no path
            // would name it.
            if let Some(key) = text.get(span.clone()).filter(|_| message == "duplicate key") {
                message = format!("duplicate key `{key}`");
            }
            Problem::at(text, document.get_ref(), span, message)
        };
        Self(errors.iter().map(one).collect())
    }

    /// The first value that does not fit.
    pub(super) fn unfit(text: &str, document: &Spanned<DeValue<'_>>, unfit: &Unfit) -> Self {
        let empty = DeTable::new();
        let table = document.get_ref().as_table().unwrap_or(&empty);
        let message = unfit.message().replace('\n', ", ");
        Self(vec![Problem::at(text, table, unfit.span().unwrap_or_default(), message)])
    }
}

impl Problem {
    fn at(text: &str, document: &DeTable<'_>, span: Range<usize>, message: String) -> Self {
        let (line, column) = place(text, span.start);
        Self { path: path_at(document, span.start), line, column, span, message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The line and column of a byte, both from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The span of the deepest part of `path` that is written out.
fn find(document: &Spanned<DeTable<'_>>, path: &str) -> Range<usize> {
    let mut table = Some(document.get_ref());
    let mut found = 0..0;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let (name, indices) = step.split_once('[').unwrap_or((step, ""));
        let Some((key, value)) = table.and_then(|table| table.get_key_value(name)) else { return found };
        found = key.span();
        let mut value = value;
        for index in indices.split('[') {
            let Ok(index) = index.trim_end_matches(']').parse::<usize>() else { break };
            let Some(item) = value.get_ref().get(index) else { return found };
            found = item.span();
            value = item;
        }
        table = value.get_ref().as_table();
    }
    found
}

/// The path of the deepest key or value at a byte.
fn path_at(document: &DeTable<'_>, offset: usize) -> String {
    let mut path = String::new();
    deepen(document, offset, &mut path);
    path
}

fn deepen(table: &DeTable<'_>, offset: usize, path: &mut String) {
    for (key, value) in table {
        if key.span().contains(&offset) || holds(value, offset) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key.get_ref());
            return deepen_value(value.get_ref(), offset, path);
        }
    }
}

fn deepen_value(value: &DeValue<'_>, offset: usize, path: &mut String) {
    match value {
        DeValue::Table(table) => deepen(table, offset, path),
        DeValue::Array(items) => {
            if let Some((index, item)) = items.iter().enumerate().find(|(_, item)| holds(item, offset)) {
                path.push_str(&format!("[{index}]"));
                deepen_value(item.get_ref(), offset, path);
            }
        }
        _ => {}
    }
}

/// The span of a `[table]` is that of its header, so its members are asked too.
fn holds(value: &Spanned<DeValue<'_>>, offset: usize) -> bool {
    value.span().contains(&offset)
        || match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().any(|(key, value)| key.span().contains(&offset) || holds(value, offset))
            }
            DeValue::Array(items) => items.iter().any(|item| holds(item, offset)),
            _ => false,
        }
}
