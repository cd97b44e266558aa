//! Which scopes the access token gains and loses.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::{EventVersion, ScopeEntry};

/// The scopes to add and those to take out, each sorted.
///
/// Only scopes that the rules name are ever added, whatever the client asked
/// for; suppression wins. One that the token has already is not added again:
/// some pools' look-alikes would list it twice.
pub(super) fn edit(entries: &[ScopeEntry], facts: &Facts<'_>) -> (Vec<String>, Vec<String>) {
    let mut add = BTreeSet::new();
    let mut suppress = BTreeSet::new();
    if facts.request.version == EventVersion::V1 {
        return (Vec::new(), Vec::new());
    }
    for entry in entries.iter().filter(|entry| facts.meet_scopes(entry)) {
        suppress.extend(entry.suppress.iter().filter(|scope| is_scope(scope)).cloned());
        if !facts.request.machine || entry.client.is_some() {
            add.extend(entry.add.iter().filter(|scope| is_scope(scope)).cloned());
        }
    }
    add.retain(|scope| !suppress.contains(scope) && !facts.request.scopes.contains(scope));
    (add.into_iter().collect(), suppress.into_iter().collect())
}

/// Whether a text is one scope: Cognito takes no blanks, and OAuth no quotes,
/// backslashes or anything but printable ASCII either.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-3.3>
pub(super) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
