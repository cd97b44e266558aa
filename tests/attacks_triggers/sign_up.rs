//! Who may sign up, and what a sign-up tells of those who did.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::edit::{with, without};
use tests::{Function, PoolUser, Services, workspace_root};

use super::{Bench, event, sign_up};

#[test]
fn a_sign_up_is_let_in_by_its_address_alone() -> Result<()> {
    let mut bench = Bench::start("pre-sign-up")?;
    let none = json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false});
    // U01, U02, U03, U04: let in, and nothing confirmed or verified, however it was asked for.
    for address in ["ann@allowed.example", "ANN@ALLOWED.EXAMPLE", "a.n+n@allowed.example"] {
        let asked = with(
            sign_up(json!({"email": address})),
            "/response",
            json!({"autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": true}),
        );
        ensure!(bench.answer(&asked)? == none, "U02 {address}");
    }
    // U05
    let addresses = [
        "a@allowed.example.evil.example",
        "a@evil.example#@allowed.example",
        "\"a@allowed.example\"@evil.example",
        "a@allowed.example.",
        "a@\u{430}llowed.example",
        "a@sub.allowed.example",
        "a@allowed.example\n",
        "a@allowed.example,b@evil.example",
        "a@[127.0.0.1]",
        "a@b@allowed.example",
        "a@ allowed.example",
        " a@allowed.example",
        "a@allowed.example ",
        "a@allowed",
        "@allowed.example",
        "a@",
        "allowed.example",
        "a@allowed.example\0",
        "a(x)@allowed.example",
        "<a@allowed.example>",
        "a@allowed\u{ff0e}example",
        "a@-allowed.example",
        "a..b@allowed.example",
        ".a@allowed.example",
        "a@blocked.example",
        "canary-address@evil.example",
    ];
    for address in addresses {
        let outcome = bench.send(sign_up(json!({"email": address})).to_string())?;
        ensure!(outcome.error() == Some("This e-mail address cannot be used"), "U05 {address:?}: {:?}", outcome.reply);
    }
    // U09: no address at all, with a telephone number or without.
    for number in ["+15551234567", "0015551234567", "+1 555 canary-number", "+\u{661}\u{662}", "555"] {
        let outcome = bench.send(sign_up(json!({"phone_number": number})).to_string())?;
        ensure!(
            outcome.error() == Some("A required detail is missing or cannot be used"),
            "U09 {number}: {:?}",
            outcome.reply
        );
    }
    for number in ["0015551234567", "+1 555", "+\u{661}\u{662}\u{663}", "+0"] {
        let event = sign_up(json!({"email": "ann@allowed.example", "phone_number": number}));
        ensure!(bench.code(&event)? == "PhoneMalformed", "U09 {number}");
    }
    // U26: what decides about rights is not the client's to say.
    for (name, value) in [
        ("custom:role", "admin"),
        ("custom:tenant", "t2"),
        ("custom:roles", ""),
        ("cognito:groups", "admin"),
        ("email_verified", "true"),
        ("identities", "[]"),
    ] {
        let event = sign_up(json!({"email": "ann@allowed.example", name: value}));
        ensure!(bench.code(&event)? == "AttributeForbidden", "U26 {name}");
    }
    // U23, T13: an administrator is not bound; metadata changes nothing.
    let admin =
        with(sign_up(json!({"email": "a@blocked.example"})), "/triggerSource", json!("PreSignUp_AdminCreateUser"));
    ensure!(bench.answer(&admin)? == none, "U23");
    let metadata = json!({"role": "admin", "tenant": "t2", "autoConfirm": "true", "x": "canary-metadata-77aa"});
    let event = with(sign_up(json!({"email": "a@evil.example"})), "/request/clientMetadata", metadata);
    ensure!(bench.code(&event)? == "DomainNotAllowed", "T13");
    Ok(())
}

#[test]
fn a_provider_is_found_in_the_table_and_never_by_splitting() -> Result<()> {
    let mut bench = Bench::start("pre-sign-up")?;
    let verified = json!({"email": "ann@allowed.example", "email_verified": "true"});
    let identities = |accounts: Value| with(verified.clone(), "/identities", json!(accounts.to_string()));
    let google = |id: &str| json!({"userId": id, "providerName": "Google", "providerType": "Google", "primary": true});
    let table = [
        ("U22", "Google_123", verified.clone(), "Accepted"),
        ("U22", "google_123", verified.clone(), "Accepted"),
        ("U22", "Googlex_123", verified.clone(), "UnknownProvider"),
        ("T09", "Corp_SAML_Login_ann@x.example", verified.clone(), "EmailUnverified"),
        ("T09", "Corp_SAML_ann", verified.clone(), "UnknownProvider"),
        ("T09", "Corp_Google_1", verified.clone(), "UnknownProvider"),
        ("T09", "LoginWithAmazon_amzn1.account.AE", verified.clone(), "UnknownProvider"),
        ("T09", "+15551234567", verified.clone(), "UnknownProvider"),
        ("T09", "__proto__", verified.clone(), "UnknownProvider"),
        ("T09", " Google_1", verified.clone(), "UnknownProvider"),
        ("T09", "\u{202e}Google_1", verified.clone(), "UnknownProvider"),
        ("T09", "../Google_1", verified.clone(), "UnknownProvider"),
        ("T09", "Google", verified.clone(), "UnknownProvider"),
        ("T09", &"x".repeat(10_240), verified.clone(), "UnknownProvider"),
        ("T10", "Google_123", identities(json!([google("123")])), "Accepted"),
        ("T10", "Google_123", identities(json!([google("124")])), "IdentitiesInconsistent"),
        ("T10", "Google_123", identities(json!([{"userId": "123", "providerName": "Evil"}])), "IdentitiesInconsistent"),
        ("T10", "Google_123", with(verified.clone(), "/identities", json!("[{\"userId\":")), "IdentitiesInconsistent"),
        ("U12", "Google_123", with(verified.clone(), "/email_verified", json!("false")), "EmailUnverified"),
        ("U12", "Google_123", with(verified.clone(), "/email", json!("ann@evil.example")), "DomainNotAllowed"),
    ];
    for (id, name, attributes, expected) in table {
        let event =
            event("PreSignUp_ExternalProvider", "1", json!({"userAttributes": attributes, "validationData": {}}));
        let code = bench.code(&with(event, "/userName", json!(name)))?;
        ensure!(code == expected, "{id} {name:.40}: {code} instead of {expected}");
    }
    // A name of the pool's own users that looks like a provider's.
    let event = with(sign_up(json!({"email": "ann@allowed.example"})), "/userName", json!("Google_123"));
    ensure!(bench.code(&event)? == "UserNameReserved", "T09");
    Ok(())
}

/// Every call of a sign-up with this address, repetitions apart, and its answer.
/// The database is the service that notes its calls, and throttles them.
fn sign_up_seen(rules: &str, address: &str, taken: bool) -> Result<(BTreeSet<String>, String)> {
    let services = Services::start()?;
    if taken {
        services.pool().add(PoolUser::new("somebody", address));
    }
    let mut settings = services.settings_without_database();
    settings.push(("RULES_FILE".to_owned(), workspace_root().join(rules).display().to_string()));
    let mut function = Function::start("pre-sign-up", settings)?;
    let outcome = function.invoke(sign_up(json!({ "email": address })).to_string());
    // The members of a body come in any order, and the time is not the same twice.
    let ordered = |call: String| -> Result<String> {
        let (target, body) = call.split_once(' ').context("a call without a body")?;
        let body = without(serde_json::from_str(body)?, "/ExpressionAttributeValues/:now");
        Ok(format!("{target} {body}"))
    };
    let calls = services.calls().into_iter().map(ordered).collect::<Result<_>>()?;
    Ok((calls, format!("{:?}", outcome.reply)))
}

#[test]
fn a_sign_up_asks_nothing_about_who_is_there_already() -> Result<()> {
    // U27: the same calls and the same answer. Time is not looked at: what asks nothing takes no other way.
    let address = "ann@allowed.example";
    for (rules, asks) in [("tests/attacks.rules.toml", false), ("events/pre-sign-up/sign-up-invited.rules.toml", true)]
    {
        let (calls, answer) = sign_up_seen(rules, address, true)?;
        let other = sign_up_seen(rules, address, false)?;
        ensure!(other == (calls.clone(), answer.clone()), "U27 {rules}: {other:?} and {calls:?} {answer}");
        ensure!(calls.is_empty() != asks, "U27 {rules}: {calls:?}");
        // Who may come by invitation alone, is looked up among the invitations.
        let invitations = |call: &String| call.starts_with("DynamoDB_20120810.Query") && call.contains("EMAIL#");
        ensure!(calls.iter().all(invitations), "U27 {rules}: {calls:?}");
    }
    Ok(())
}
