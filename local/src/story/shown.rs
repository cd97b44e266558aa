//! What of a call the story shows: short, and nothing secret.

use serde_json::{Map, Value};

use super::token::short;

/// What is sent to the API, short and without what proves a guest.
pub(super) fn without_secrets(body: &Value) -> String {
    let mut shown = body.clone();
    for (name, value) in shown.as_object_mut().into_iter().flatten() {
        if ["guestToken", "claimSecret"].contains(&name.as_str()) {
            *value = Value::from("…");
        }
    }
    short_ids(&shown.to_string())
}

/// One short line, without tokens and sessions.
pub(super) fn brief(members: &Map<String, Value>) -> String {
    let secret = |name: &str| name.ends_with("Token") || name == "Session" || name == "AuthenticationResult";
    let shown: Map<_, _> =
        members.iter().filter(|(name, _)| !secret(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    let text = short_ids(&Value::Object(shown).to_string());
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The text with its long ids cut down to what tells them apart.
pub(super) fn short_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let parts = text.split_inclusive(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-');
    let cut = parts.map(|part| {
        let word = part.trim_end_matches(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-');
        let rest = part.strip_prefix(word).unwrap_or_default();
        if is_id(word) { format!("{}…{rest}", short(word)) } else { part.to_owned() }
    });
    cut.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_cut_and_nothing_else() {
        let table = [
            ("/members/01848fee-9d1a-415e-8fda-84098981c532/roles", "/members/01848fee…/roles"),
            (r#"{"subject":"01848fee-9d1a-415e-8fda-84098981c532"}"#, r#"{"subject":"01848fee…"}"#),
            ("01848fee-9d1a-415e-8fda-84098981c532", "01848fee…"),
            ("/tenants/acme-of-the-world", "/tenants/acme-of-the-world"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(short_ids(text), expected);
        }
    }
}
