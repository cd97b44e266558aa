//! Rows A12 and A13: what stands before a token.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::edit::with;
use tests::gateway::Passage::Allowed;
use tests::gateway::{http_v2, rest_token};

use crate::Gate;

#[test]
fn a_scheme_is_bearer_and_one_blank() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let token = gate.token.clone();
    let table = [
        ("A12", format!("bearer {token}"), true),
        ("A12", format!("BEARER {token}"), true),
        ("A12", format!("Bearer  {token}"), false),
        ("A12", format!("Bearer\t{token}"), false),
        ("A12", format!(" Bearer {token}"), false),
        ("A12", format!("Bearer {token} "), false),
        ("A12", "Bearer".to_owned(), false),
        ("A12", "Bearer ".to_owned(), false),
        ("A12", format!("Bearer Bearer {token}"), false),
        ("A12", format!("Bearer:{token}"), false),
        ("A12", format!("Token {token}"), false),
        ("A12", "Basic YW5uOnNlY3JldA==".to_owned(), false),
        ("A12", "Bearer null".to_owned(), false),
        ("A12", format!("Bearer={token}"), false),
        ("A12", format!("Bearer;{token}"), false),
        ("A12", format!("Bearer{token}"), false),
        ("A12", format!("BearerX {token}"), false),
        ("A12", format!("Bear {token}"), false),
        ("A12", format!("DPoP {token}"), false),
        ("A12", format!("JWT {token}"), false),
        ("A12", format!("Bearer {token} x"), false),
        ("A12", format!("Bearer {token};"), false),
        ("A12", format!("Bearer \"{token}\""), false),
        ("A12", format!("\"Bearer {token}\""), false),
        ("A12", format!("Bearer%20{token}"), false),
        ("A12", format!("Bearer {{{token}}}"), false),
        ("A12", format!("{token} Bearer"), false),
        ("A12", token.clone(), false),
        ("A13", format!("Bearer\u{a0}{token}"), false),
        ("A13", format!("\u{ff22}earer {token}"), false),
        ("A13", format!("Bearer {token}\0"), false),
        ("A13", format!("Bearer {token}\n"), false),
        ("A13", format!("Bearer \r\n {token}"), false),
        ("A13", format!("Bearer\n{token}"), false),
        ("A13", format!("Bearer\0{token}"), false),
        ("A13", format!("\0Bearer {token}"), false),
        ("A13", format!("\u{feff}Bearer {token}"), false),
        ("A13", format!("Bearer\u{b}{token}"), false),
        ("A13", format!("Bearer\u{3000}{token}"), false),
        ("A13", format!("Bearer\u{2028}{token}"), false),
        ("A13", format!("Bearer \u{200b}{token}"), false),
        ("A13", format!("Bearer {token}\u{200b}"), false),
        ("A13", format!("B\u{435}arer {token}"), false),
        ("A13", format!("Be\u{430}rer {token}"), false),
    ];
    for (id, value, passes) in table {
        let mut events = Vec::from([with(rest_token("x", "GET", "/items"), "/authorizationToken", json!(value))]);
        let http = with(http_v2("x", "GET", "/items"), "/headers/authorization", json!(value));
        events.push(with(http, "/identitySource", json!([value])));
        for event in events {
            let (heard, code) = gate.heard(&event)?;
            ensure!((heard == Allowed) == passes, "{id} {:?}: {heard:?}, {code}", value.replace(&token, "t"));
        }
    }
    gate.still_serves()
}
