//! Contradictions in the `[claims]` section.

use std::collections::HashMap;

use super::entry_check::check_entry;
use super::reserved::{may_add, may_suppress};
use super::scopes::is_scope;
use super::{ClaimEntry, ClaimRules, Condition, EventVersion, Membership, ScopeEntry, Source, TokenKind};
use crate::rules::Problems;

const BOTH: [TokenKind; 2] = [TokenKind::Id, TokenKind::Access];

impl ClaimRules {
    pub(crate) fn check(&self, problems: &mut Problems) {
        let mut of_a_name: HashMap<&str, Vec<(usize, &ClaimEntry)>> = HashMap::new();
        for (index, entry) in self.map.iter().enumerate() {
            of_a_name.entry(&entry.name).or_default().push((index, entry));
        }
        for (index, entry) in self.map.iter().enumerate() {
            let path = format!("claims.map[{index}]");
            check_entry(entry, self.token_version, &path, problems);
            self.check_place(entry, &path, problems);
            let namesakes = of_a_name.get(entry.name.as_str()).map_or(&[][..], Vec::as_slice);
            check_namesakes(entry, index, namesakes, &path, problems);
        }
        self.check_suppressed(problems);
        self.check_budget(problems);
        for (index, entry) in self.scopes.iter().enumerate() {
            entry.check(self.token_version, &format!("claims.scopes[{index}]"), problems);
        }
    }

    /// The name must be free in the tokens that carry it.
    fn check_place(&self, entry: &ClaimEntry, path: &str, problems: &mut Problems) {
        for kind in BOTH.into_iter().filter(|kind| entry.token.include(*kind)) {
            if let Err(why) = may_add(&entry.name, kind) {
                problems.add(format!("{path}.name"), format!("\"{}\" {why}", entry.name));
                return;
            }
            if self.suppress.of(kind).contains(&entry.name) {
                let list = kind.as_str();
                problems.add(
                    format!("{path}.name"),
                    format!("\"{}\" is suppressed by claims.suppress.{list}, which always wins", entry.name),
                );
            }
        }
    }

    fn check_suppressed(&self, problems: &mut Problems) {
        for kind in BOTH {
            let list = format!("claims.suppress.{}", kind.as_str());
            let names = self.suppress.of(kind);
            if kind == TokenKind::Access && self.token_version == EventVersion::V1 && !names.is_empty() {
                problems.add(&list, "cannot be done with token_version = \"v1\", which reaches the ID token only");
            }
            for (index, name) in names.iter().enumerate() {
                let path = format!("{list}[{index}]");
                if let Err(why) = may_suppress(name) {
                    problems.add(path, format!("\"{name}\" {why}"));
                } else if name.is_empty() || names.iter().take(index).any(|earlier| earlier == name) {
                    problems.add(path, "must be a claim's name, each once");
                }
            }
        }
    }

    fn check_budget(&self, problems: &mut Problems) {
        for kind in BOTH {
            let path = format!("claims.budget_bytes.{}", kind.as_str());
            let budget = self.budget_bytes.of(kind);
            let constants = super::token::constant_size(self, kind);
            if budget == 0 {
                problems.add(path, "must not be zero; to add nothing, leave the map empty");
            } else if constants > budget {
                problems.add(path, format!("is {budget}, but the constants that always go in take {constants}"));
            }
        }
    }
}

/// Entries of one name must not contradict each other.
fn check_namesakes(
    entry: &ClaimEntry,
    index: usize,
    namesakes: &[(usize, &ClaimEntry)],
    path: &str,
    problems: &mut Problems,
) {
    let name = || format!("{path}.name");
    let shares_token =
        |other: &ClaimEntry| BOTH.into_iter().any(|kind| entry.token.include(kind) && other.token.include(kind));
    let mut earlier = namesakes.iter().take_while(|(at, _)| *at < index);
    if let Some((first, _)) = earlier.find(|(_, other)| other.when.is_none() && shares_token(other)) {
        problems.add(
            name(),
            format!("\"{}\" is always given by claims.map[{first}] already; give that one a \"when\"", entry.name),
        );
    }
    // INVARIANT: an authorizer reads a tenant or roles from this name, so
    // nothing but that membership may ever fill it, in either token.
    let reserved = namesakes.iter().find_map(|(_, other)| membership(other));
    if reserved.is_some_and(|reserved| membership(entry) != Some(reserved)) {
        problems.add(
            name(),
            format!("\"{}\" carries a membership elsewhere in the map, so nothing else may fill it", entry.name),
        );
    }
}

impl Condition {
    pub(super) fn check(&self, path: &str, problems: &mut Problems) {
        if *self == Self::default() {
            problems.add(path, "names no condition; leave it out");
        }
        check_named(&[("group", self.group.as_deref()), ("client", self.client.as_deref())], path, problems);
        if self.source.as_deref().is_some_and(|source| !source.starts_with("TokenGeneration_")) {
            problems.add(format!("{path}.source"), "must be a trigger source, such as \"TokenGeneration_HostedAuth\"");
        }
    }
}

impl ScopeEntry {
    fn check(&self, version: EventVersion, path: &str, problems: &mut Problems) {
        if version == EventVersion::V1 {
            problems.add(path, "cannot be done with token_version = \"v1\", which reaches the ID token only");
        }
        if self.add.is_empty() && self.suppress.is_empty() {
            problems.add(path, "must add or suppress a scope");
        }
        for (key, list) in [("add", &self.add), ("suppress", &self.suppress)] {
            for (index, scope) in list.iter().enumerate().filter(|(_, scope)| !is_scope(scope)) {
                problems.add(
                    format!("{path}.{key}[{index}]"),
                    format!("\"{}\" is not a scope: one word of printable ASCII", scope.escape_debug()),
                );
            }
        }
        for (index, scope) in self.add.iter().enumerate().filter(|(_, scope)| self.suppress.contains(scope)) {
            problems.add(format!("{path}.add[{index}]"), format!("\"{scope}\" is suppressed by the same entry"));
        }
        check_named(&[("group", self.group.as_deref()), ("client", self.client.as_deref())], path, problems);
    }
}

/// A name that is empty could only ever match by accident.
fn check_named(names: &[(&str, Option<&str>)], path: &str, problems: &mut Problems) {
    for (key, _) in names.iter().filter(|(_, name)| name.is_some_and(str::is_empty)) {
        problems.add(format!("{path}.{key}"), "must not be empty; leave it out");
    }
}

fn membership(entry: &ClaimEntry) -> Option<Membership> {
    match entry.from {
        Source::Membership(membership) => Some(membership),
        _ => None,
    }
}
