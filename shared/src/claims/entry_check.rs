//! Contradictions within one entry of the claim map.

use super::reserved::must_be_simple;
use super::{ClaimEntry, Constant, EventVersion, Format, Membership, Source, TokenKind};
use crate::rules::Problems;

pub(super) fn check_entry(entry: &ClaimEntry, version: EventVersion, path: &str, problems: &mut Problems) {
    if entry.name.is_empty() || entry.name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        problems.add(format!("{path}.name"), "must be a claim's name, without blanks");
    }
    if version == EventVersion::V1 {
        check_v1(entry, path, problems);
    }
    if entry.name == "aud" {
        check_audience(entry, path, problems);
    }
    if entry.token.include(TokenKind::Id) && must_be_simple(&entry.name, TokenKind::Id) && is_written_as_list(entry) {
        problems.add(format!("{path}.from"), format!("\"{}\" must not be a list in an ID token", entry.name));
    }
    check_source(entry, path, problems);
    if entry.format.is_some() && !is_list(entry) {
        problems.add(format!("{path}.format"), "is for lists, and this source gives one value");
    }
    if entry.priority.is_some() && matches!(entry.from, Source::Membership(_)) {
        problems.add(format!("{path}.priority"), "has no effect: a membership is never dropped");
    }
    if let Some(condition) = &entry.when {
        condition.check(&format!("{path}.when"), problems);
    }
}

/// v1 reaches the ID token only, and its values are texts.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#user-pool-lambda-pre-token-generation-event-versions>
fn check_v1(entry: &ClaimEntry, path: &str, problems: &mut Problems) {
    if entry.token.include(TokenKind::Access) {
        problems.add(
            format!("{path}.token"),
            "must be \"id\" with token_version = \"v1\", which does not reach the access token",
        );
    }
    if is_written_as_list(entry) {
        problems
            .add(format!("{path}.from"), "is a list, which token_version = \"v1\" cannot carry; add format = \"text\"");
    }
    if matches!(&entry.from, Source::Constant(constant) if !matches!(constant, Constant::Text(_))) {
        problems.add(format!("{path}.from.constant"), "must be a text with token_version = \"v1\"; put it in quotes");
    }
}

/// An audience is the id of the app client and nothing else.
fn check_audience(entry: &ClaimEntry, path: &str, problems: &mut Problems) {
    let client = entry.when.as_ref().and_then(|when| when.client.as_deref());
    match &entry.from {
        Source::Constant(Constant::Text(id)) if client.is_none_or(|client| client == id) => {}
        _ => problems.add(
            format!("{path}.from"),
            "must be a constant for \"aud\": the id of the app client that the token is for",
        ),
    }
}

fn check_source(entry: &ClaimEntry, path: &str, problems: &mut Problems) {
    match &entry.from {
        Source::Groups(false) => problems.add(format!("{path}.from.groups"), "must be true"),
        Source::Attribute(name) if name.is_empty() => {
            problems.add(format!("{path}.from.attribute"), "must be an attribute's name");
        }
        Source::Constant(constant) if constant.value().is_none() => {
            problems.add(format!("{path}.from.constant"), "must be a number that JSON has");
        }
        Source::List(parts) => {
            let splits = |part: &String| part.is_empty() || part.contains(char::is_whitespace);
            if parts.is_empty() {
                problems.add(format!("{path}.from.list"), "must not be empty");
            } else if entry.format == Some(Format::Text) && parts.iter().any(splits) {
                problems.add(format!("{path}.from.list"), "has a part with a blank, which joins two into one text");
            }
        }
        _ => {}
    }
}

fn is_list(entry: &ClaimEntry) -> bool {
    match entry.from {
        Source::Membership(membership) => membership != Membership::Tenant,
        Source::Groups(_) | Source::List(_) => true,
        Source::Attribute(_) | Source::Constant(_) => false,
    }
}

fn is_written_as_list(entry: &ClaimEntry) -> bool {
    is_list(entry) && entry.format != Some(Format::Text)
}
