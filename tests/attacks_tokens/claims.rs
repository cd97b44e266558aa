//! Rows C and P12: what a signed token says of its use, its client and its caller.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{Claims, TokenIssuer};

use crate::{Gate, Row, issuers, member, row, times};

#[test]
fn a_genuine_token_with_wrong_claims_is_refused() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let mut rows = times::rows(&gate.issuer)?;
    rows.extend(issuers::rows(&gate.issuer)?);
    rows.extend(uses_and_clients(&gate.issuer)?);
    rows.extend(rights(&gate.issuer)?);
    gate.refuses_all(&rows)?;
    // C15, C17: an issuer that is not ours is never asked for anything. One fetch was
    // at start, and one for a key of another pool.
    ensure!(gate.issuer.fetches() <= 2, "the key set was asked for {} times", gate.issuer.fetches());
    Ok(())
}

/// A token that is good but for this claim.
pub(crate) fn mint(issuer: &TokenIssuer, name: &str, value: impl Into<Value>) -> Result<String> {
    issuer.mint(&member(issuer.access()).with(name, value))
}

/// What it is for, and to whom it was issued.
fn uses_and_clients(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let client = issuer.client_id.as_str();
    let without = |name: &str| issuer.mint(&member(issuer.access()).without(name));
    let mut rows = vec![
        row("C20", "no token_use", without("token_use")?, "TokenUseRefused"),
        row("C22", "no client_id", without("client_id")?, "ClientRefused"),
        row("C21", "another client of the pool", mint(issuer, "client_id", "2example23456789")?, "ClientRefused"),
        row("C25", "client_id and aud disagree", mint(issuer, "aud", "2example23456789")?, "AudienceRefused"),
    ];
    let uses = [
        json!(null),
        json!("Access"),
        json!("ACCESS"),
        json!(["access"]),
        json!("refresh"),
        json!(""),
        json!("access "),
        json!(" access"),
        json!("access\0"),
        json!("access id"),
        json!("\u{ff41}ccess"),
        json!("bearer"),
        json!(1),
        json!(true),
        json!({"token_use": "access"}),
    ];
    for value in uses {
        rows.push(row("C20", format!("token_use {value}"), mint(issuer, "token_use", value)?, "TokenUseRefused"));
    }
    let clients = [
        json!(null),
        json!([client]),
        json!(1),
        json!(true),
        json!(""),
        json!({"client_id": client}),
        json!(client.to_uppercase()),
        json!(format!("{client} ")),
        json!(format!(" {client}")),
        json!(format!("{client}\0")),
        json!(format!("{client},x")),
        json!(client.get(1..)),
        json!(format!("{client}x")),
        json!("*"),
    ];
    for value in clients {
        rows.push(row("C22", format!("client_id {value}"), mint(issuer, "client_id", value)?, "ClientRefused"));
    }
    // An access token that is bound to a resource is for that resource.
    let resources = [
        json!("https://api.example"),
        json!(["https://api.example"]),
        json!([client, "https://api.example"]),
        json!([client, client]),
        json!([]),
        json!([[client]]),
        json!(""),
        json!(null),
        json!(1),
        json!({"aud": client}),
        json!(client.to_uppercase()),
    ];
    for value in resources {
        rows.push(row("C24", format!("aud {value}"), mint(issuer, "aud", value)?, "AudienceRefused"));
    }
    Ok(rows)
}

/// What it says of the caller.
fn rights(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let mut rows = vec![row("C29", "no sub", issuer.mint(&member(issuer.access()).without("sub"))?, "SubjectRefused")];
    let tenants = [
        "t1#",
        "t1#t2",
        "#",
        "t1/../t2",
        "../t2",
        "*",
        "t1*",
        "?",
        "t?",
        "${aws:PrincipalTag/x}",
        "T1",
        "Acme",
        "t1 ",
        " t1",
        "t1\n",
        "t1\0",
        "\u{ff54}1",
        "t\u{131}",
        "\u{430}cme",
        "acm\u{65}\u{301}",
        "acme\u{200b}",
        "",
        "-t",
        "t1:admin",
        "t1.x",
        "t1_x",
        "t1,t2",
        "t1 t2",
        "t1%2Ft2",
        "t1\\t2",
        "'t1'",
        "\"t1\"",
        "arn:aws:iam::1:role/x",
    ];
    for value in tenants.map(str::to_owned).into_iter().chain(["t".repeat(64), "t".repeat(257)]) {
        rows.push(row("C33", format!("tenant {value:?}"), mint(issuer, "tenant", value)?, "TenantRefused"));
    }
    for value in [json!(["acme"]), json!([]), json!(1), json!(true), json!(null), json!({"tenant": "acme"})] {
        rows.push(row("C32", format!("tenant {value}"), mint(issuer, "tenant", value)?, "TenantRefused"));
    }
    let roles = [
        json!("admin  member"),
        json!(" admin"),
        json!("admin "),
        json!("admin\tmember"),
        json!("admin,member"),
        json!(["Admin"]),
        json!([1]),
        json!([null]),
        json!([["admin"]]),
        json!({}),
        json!({"admin": true}),
        json!(null),
        json!(true),
        json!(["a b"]),
        json!([""]),
        json!(["admin*"]),
        json!(["\u{430}dmin"]),
    ];
    for value in roles {
        rows.push(row("C32", format!("roles {value}"), mint(issuer, "roles", value)?, "RightsRefused"));
    }
    for value in [json!("staff"), json!([1]), json!([null]), json!([["staff"]]), json!({}), json!(null), json!(true)] {
        rows.push(row("C30", format!("groups {value}"), mint(issuer, "cognito:groups", value)?, "RightsRefused"));
    }
    let scopes = [
        json!(["items/admin"]),
        json!(1),
        json!(null),
        json!({}),
        json!("openid  items/admin"),
        json!(" items/admin"),
        json!("items/admin "),
        json!(" "),
    ];
    for value in scopes {
        rows.push(row("C28", format!("scope {value}"), mint(issuer, "scope", value)?, "RightsRefused"));
    }
    let subjects = [
        json!(null),
        json!(""),
        json!(1),
        json!(true),
        json!(["u-1"]),
        json!({"sub": "u-1"}),
        json!("a#b"),
        json!("../x"),
        json!("a/b"),
        json!("a b"),
        json!(" a"),
        json!("a\n"),
        json!("a:b"),
        json!("a*"),
        json!("a,b"),
        json!("${a}"),
        json!("\u{e9}"),
        json!("a\u{0}b"),
        json!("a\u{202e}b"),
        json!("s".repeat(129)),
        json!("s".repeat(1_250)),
    ];
    for value in subjects {
        rows.push(row("P12", format!("sub {value:.60}"), mint(issuer, "sub", value)?, "SubjectRefused"));
    }
    let ten = mint(issuer, "sub", "s".repeat(10_000))?;
    rows.push(row("P12", "sub of 10 KB", ten, "TokenTooLarge"));
    // A user who is named as a client is, and an ID token of a client.
    let client = issuer.client_id.as_str();
    rows.push(row("P12", "a user named like a client", mint(issuer, "sub", client)?, "SubjectRefused"));
    let of_id: Claims = member(issuer.id()).with("sub", client);
    rows.push(row("P12", "a client's ID token", issuer.mint(&of_id)?, "SubjectRefused"));
    Ok(rows)
}
