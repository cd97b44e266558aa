//! Reads from a GraphQL document which fields of the three root types it asks for.
//!
//! Only so much is read as that takes; what stands in brackets is passed over.
//! AppSync refuses a document that is not well formed, so what is passed over
//! here cannot hide a field there.
//! <https://spec.graphql.org/October2021/#sec-Document-Syntax>

use std::collections::{BTreeMap, BTreeSet};

/// The longest document that is looked at, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// How deep inline fragments may lie in one another.
const MAX_DEPTH: usize = 16;

/// The fields of `Query`, `Mutation` and `Subscription` that any operation of a
/// document asks for, with their type; `None` when it cannot be read. Which of
/// several operations is meant does not matter: all of them have to be allowed.
pub(super) fn asked_for(text: &str) -> Option<BTreeSet<(&'static str, &str)>> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return None;
    }
    let tokens = tokens(text)?;
    let mut reader = Reader(&tokens);
    let (mut operations, mut fragments) = (Vec::new(), BTreeMap::new());
    while let Some(token) = reader.next() {
        match token {
            Token::Sign(b'{') => operations.push(("Query", reader.selections(0)?)),
            Token::Name("fragment") => {
                let name = reader.name()?;
                (reader.name()? == "on").then_some(())?;
                reader.name()?;
                reader.until_braces()?;
                // Of two fragments of one name either could be meant.
                fragments.insert(name, reader.selections(0)?).is_none().then_some(())?;
            }
            Token::Name(word) => {
                let root = match word {
                    "query" => "Query",
                    "mutation" => "Mutation",
                    "subscription" => "Subscription",
                    _ => return None,
                };
                if let Some(Token::Name(_)) = reader.peek() {
                    reader.next();
                }
                reader.until_braces()?;
                operations.push((root, reader.selections(0)?));
            }
            _ => return None,
        }
    }
    let mut asked = BTreeSet::new();
    for (root, selections) in &operations {
        let (mut open, mut seen): (Vec<&[Selection<'_>]>, BTreeSet<&str>) = (vec![selections], BTreeSet::new());
        while let Some(selections) = open.pop() {
            for selection in selections {
                match selection {
                    Selection::Field(name) => {
                        asked.insert((*root, *name));
                    }
                    Selection::Inline(inner) => open.push(inner),
                    Selection::Spread(name) if seen.insert(name) => open.push(fragments.get(name)?),
                    Selection::Spread(_) => {}
                }
            }
        }
    }
    Some(asked)
}

/// One entry of the braces of an operation or fragment.
enum Selection<'a> {
    Field(&'a str),
    Spread(&'a str),
    Inline(Vec<Selection<'a>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    /// `...`
    Spread,
    /// One of the signs that stand alone.
    Sign(u8),
    /// A number or a text.
    Value,
}

struct Reader<'t, 'a>(&'t [Token<'a>]);

impl<'a> Reader<'_, 'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn name(&mut self) -> Option<&'a str> {
        match self.next()? {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Passes over what stands in brackets, the first of which is taken already.
    fn past(&mut self, open: u8, close: u8) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Token::Sign(sign) if sign == open => depth += 1,
                Token::Sign(sign) if sign == close => depth -= 1,
                _ => {}
            }
        }
        Some(())
    }

    /// Passes over arguments, variables and directives.
    fn extras(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(Token::Sign(b'(')) => {
                    self.next();
                    self.past(b'(', b')')?;
                }
                Some(Token::Sign(b'@')) => {
                    self.next();
                    self.name()?;
                }
                _ => return Some(()),
            }
        }
    }

    /// Passes over everything up to the braces, and the first of these.
    fn until_braces(&mut self) -> Option<()> {
        self.extras()?;
        (self.next()? == Token::Sign(b'{')).then_some(())
    }

    /// The entries of braces, the first of which is taken already.
    fn selections(&mut self, depth: usize) -> Option<Vec<Selection<'a>>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut found = Vec::new();
        loop {
            match self.next()? {
                Token::Sign(b'}') => return Some(found),
                Token::Spread => found.push(self.spread(depth)?),
                Token::Name(first) => {
                    let mut name = first;
                    if self.peek() == Some(Token::Sign(b':')) {
                        self.next();
                        name = self.name()?;
                    }
                    self.extras()?;
                    if self.peek() == Some(Token::Sign(b'{')) {
                        self.next();
                        self.past(b'{', b'}')?;
                    }
                    found.push(Selection::Field(name));
                }
                _ => return None,
            }
        }
    }

    /// What follows three dots.
    fn spread(&mut self, depth: usize) -> Option<Selection<'a>> {
        match self.peek() {
            Some(Token::Name(name)) if name != "on" => {
                self.next();
                self.extras()?;
                return Some(Selection::Spread(name));
            }
            Some(Token::Name(_)) => {
                self.next();
                self.name()?;
            }
            _ => {}
        }
        self.until_braces()?;
        self.selections(depth + 1).map(Selection::Inline)
    }
}

/// The tokens of a document, without what means nothing.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}' => first.len_utf8(),
            '#' => rest.find(['\r', '\n']).unwrap_or(rest.len()),
            '.' if rest.starts_with("...") => {
                tokens.push(Token::Spread);
                3
            }
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                tokens.push(Token::Sign(u8::try_from(first).ok()?));
                1
            }
            'A'..='Z' | 'a'..='z' | '_' => {
                let end = rest.find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_')).unwrap_or(rest.len());
                tokens.push(Token::Name(rest.get(..end)?));
                end
            }
            '0'..='9' | '-' => {
                let part = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '+' | '-');
                tokens.push(Token::Value);
                rest.find(|sign: char| !part(sign)).unwrap_or(rest.len())
            }
            '"' => {
                tokens.push(Token::Value);
                text_length(rest)?
            }
            _ => return None,
        };
        rest = rest.get(taken..)?;
    }
    Some(tokens)
}

/// The length of the text at the beginning, with its quotes.
/// <https://spec.graphql.org/October2021/#sec-String-Value>
fn text_length(rest: &str) -> Option<usize> {
    if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut from = 0;
        loop {
            let at = from + block.get(from..)?.find("\"\"\"")?;
            if !block.get(..at)?.ends_with('\\') {
                return Some(3 + at + 3);
            }
            from = at + 3;
        }
    }
    let mut escaped = false;
    for (at, sign) in rest.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            '\r' | '\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_the_root_types_are_found_however_they_are_asked_for() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("", Some(&[])),
            ("{ items { id } }", Some(&["Query.items"])),
            ("query { a b, c }", Some(&["Query.a", "Query.b", "Query.c"])),
            (
                "mutation M($id: ID! = \"}\", $o: In = {a: [1, {b: 2}]}) @x(y: \"{\") { deleteTenant(id: $id) }",
                Some(&["Mutation.deleteTenant"]),
            ),
            ("subscription S { onItem(id: \"x\") { id } }", Some(&["Subscription.onItem"])),
            ("{ harmless: secret }", Some(&["Query.secret"])),
            ("{ a(text: \"} secret {\") }", Some(&["Query.a"])),
            ("{ a(text: \"\\\"\") b }", Some(&["Query.a", "Query.b"])),
            ("{ a(text: \"\"\"} \\\"\"\" \" { \"\"\") b }", Some(&["Query.a", "Query.b"])),
            ("{ a # } secret\n b }", Some(&["Query.a", "Query.b"])),
            ("{ a # }\r secret }", Some(&["Query.a", "Query.secret"])),
            ("{ a { secret { b } } c @include(if: $x) { d } }", Some(&["Query.a", "Query.c"])),
            ("{ ... { a } ... on Query @x { b ... on Query { c } } }", Some(&["Query.a", "Query.b", "Query.c"])),
            ("{ ...F } fragment F on Query { a ...G } fragment G on Query { b ...F }", Some(&["Query.a", "Query.b"])),
            ("query A { a } mutation B { b }", Some(&["Mutation.b", "Query.a"])),
            ("query A { ...F } mutation B { ...F } fragment F on X { c }", Some(&["Mutation.c", "Query.c"])),
            ("{ a(n: -1.5e+3, l: [1,2], e: RED, b: true) }", Some(&["Query.a"])),
            ("query on { fragment query on: x }", Some(&["Query.fragment", "Query.query", "Query.x"])),
            ("{ __typename __schema { types { name } } }", Some(&["Query.__schema", "Query.__typename"])),
            ("\u{feff}{ a }", Some(&["Query.a"])),
            ("{ a", None),
            ("{ a }}", None),
            ("{ a(x: ) }", Some(&["Query.a"])),
            ("{ a(x: \" }", None),
            ("{ a(x: \"\"\" }", None),
            ("{ ...F }", None),
            ("{ ...F } fragment F on Q { a } fragment F on Q { b }", None),
            ("type Query { a: String }", None),
            ("{ a ; b }", None),
            ("{ ä }", None),
            ("a", None),
        ];
        for (text, expected) in table {
            let found =
                asked_for(text).map(|all| all.iter().map(|(of, field)| format!("{of}.{field}")).collect::<Vec<_>>());
            assert_eq!(found, expected.map(|all| all.iter().map(|name| (*name).to_owned()).collect()), "{text}");
        }
        let deep = |levels: usize| format!("{}a{}", "{ ... ".repeat(levels), "}".repeat(levels));
        assert!(asked_for(&format!("{{ {} }}", "... { ".repeat(100_000))).is_none(), "too long");
        assert!(asked_for(&deep(40)).is_none(), "too deep");
        let nested = format!("{}a{}", "{ a ".repeat(9_000), "}".repeat(9_000));
        assert!(asked_for(&nested).is_some(), "deep, but nothing is asked of it");
    }
}
