//! Events and bytes that no trigger can make anything of.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::edit::{with, without};
use tests::{DIRECTORY_TABLE, Reply, Services};

use super::{Bench, TRIGGERS, good};

#[test]
fn no_event_breaks_a_trigger() -> Result<()> {
    for function in TRIGGERS {
        let mut bench = Bench::start(function)?;
        let good = good(function);
        let mut events = vec![json!(null), json!([]), json!("x"), json!({}), json!(7)];
        // T06: members missing, one and two at a time; T05: null, and of other types.
        let members = [
            "/version",
            "/region",
            "/userPoolId",
            "/userName",
            "/callerContext",
            "/triggerSource",
            "/request",
            "/response",
            "/callerContext/clientId",
            "/request/userAttributes",
        ];
        for (index, first) in members.iter().enumerate() {
            for value in [json!(null), json!({}), json!([]), json!(""), json!(7), json!(true)] {
                events.push(with(good.clone(), first, value));
            }
            for second in members.iter().skip(index) {
                events.push(without(without(good.clone(), first), second));
            }
        }
        for name in ["clientMetadata", "validationData", "groupConfiguration", "scopes"] {
            for value in [json!(null), json!({}), json!([]), json!("x"), json!(7)] {
                events.push(with(good.clone(), &format!("/request/{name}"), value));
            }
        }
        // T07, T08
        for value in [json!(7), json!(1.5), json!(true), json!(null), json!({}), json!(["x"]), json!("v".repeat(2_049))]
        {
            for name in ["email", "email_verified", "sub", "identities", "custom:plan"] {
                events.push(with(good.clone(), &format!("/request/userAttributes/{name}"), value.clone()));
            }
        }
        for (index, event) in events.iter().enumerate() {
            bench.send(event.to_string()).with_context(|| format!("T06 {function}: {event}"))?;
            if index % 8 == 0 {
                bench.still_serves().with_context(|| format!("T06 {function}, after {event}"))?;
            }
        }
        bench.still_serves()?;
    }
    Ok(())
}

#[test]
fn no_bytes_break_a_trigger() -> Result<()> {
    for function in TRIGGERS {
        let mut bench = Bench::start(function)?;
        let text = good(function).to_string();
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let attributes: Vec<String> =
            (0..10_000).map(|number| format!("\"custom:a{number}\":\"canary-address\"")).collect();
        let rows: Vec<(&str, Vec<u8>)> = vec![
            ("T15 a member twice", text.replacen('{', "{\"userName\":\"x\",", 1).into()),
            ("T15 the same escaped", text.replacen('{', "{\"user\\u004eame\":\"x\",", 1).into()),
            (
                "T15 an attribute twice",
                text.replacen("\"email\":", "\"email\":\"canary-address@evil.example\",\"email\":", 1).into(),
            ),
            ("T16 deep", text.replacen('{', &format!("{{\"x\":{deep},"), 1).into()),
            (
                "T16 deep attributes",
                text.replacen("\"userAttributes\":{", &format!("\"userAttributes\":{{\"x\":{deep},"), 1).into(),
            ),
            ("T16 6 MB", text.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(6_000_000)), 1).into()),
            (
                "T08 10,000 attributes",
                text.replacen("\"userAttributes\":{", &format!("\"userAttributes\":{{{},", attributes.join(",")), 1)
                    .into(),
            ),
            ("T16 a lone surrogate", text.replacen("ann@", "\\ud800@", 1).into()),
        ];
        for (says, bytes) in rows {
            let outcome = bench.send(bytes).with_context(|| format!("{says}, {function}"))?;
            let refused = says.starts_with("T15") || says.starts_with("T08");
            ensure!(!refused || outcome.error().is_some(), "{says}, {function}: {:?}", outcome.reply);
            bench.still_serves().with_context(|| format!("{says}, {function}"))?;
        }
    }
    Ok(())
}

#[test]
fn bytes_that_are_not_text_are_an_error_and_no_more() -> Result<()> {
    for function in TRIGGERS.into_iter().chain(["authorizer"]) {
        let issuer = tests::TokenIssuer::start()?;
        let services = Services::start()?;
        let mut settings = services.settings();
        settings.extend(issuer.settings());
        let mut bench = Bench::with(function, services, settings)?;
        let text = if function == "authorizer" { "{\"x\":\"y\"}".to_owned() } else { good(function).to_string() };
        let mut invalid = text.clone().into_bytes();
        invalid.splice(6..7, [0xff, 0xfe]);
        // T16: Lambda itself lets no such bytes through; the runtime answers them before the function does.
        for bytes in [invalid, b"{".to_vec(), Vec::new(), b"\xef\xbb\xbf{}".to_vec()] {
            let outcome = bench.function.invoke(bytes.clone());
            ensure!(matches!(outcome.reply, Reply::Error { .. }), "T16 {function} {bytes:.8?}: {:?}", outcome.reply);
            let again = bench.function.invoke(text.clone());
            ensure!(!matches!(again.reply, Reply::Exited | Reply::TimedOut), "T16 {function}: {:?}", again.reply);
        }
    }
    Ok(())
}

#[test]
fn an_unknown_source_opens_nothing() -> Result<()> {
    let mut bench = Bench::start("pre-sign-up")?;
    // T01: who may enter is not decided by a source that nobody knows.
    for source in [
        json!("PreSignUp_Future"),
        json!(""),
        json!(null),
        json!(7),
        json!("TokenGeneration_HostedAuth"),
        json!("presignup_signup"),
    ] {
        let code = bench.code(&with(good("pre-sign-up"), "/triggerSource", source.clone()))?;
        ensure!(code == "UnknownSource", "T01 {source}: {code}");
    }
    let mut bench = Bench::start("post-confirmation")?;
    // What comes after the fact passes, unchanged and without effect.
    for source in [json!("PostConfirmation_Future"), json!(""), json!(null), json!("PreSignUp_SignUp")] {
        let event = with(good("post-confirmation"), "/triggerSource", source.clone());
        ensure!(bench.answer(&event)? == json!({}), "T01 {source}");
    }
    ensure!(bench.services.items(DIRECTORY_TABLE)?.is_empty(), "T01 an unknown source wrote something");
    let mut bench = Bench::start("pre-token-generation")?;
    for source in [json!("PostConfirmation_ConfirmSignUp"), json!(""), json!(null)] {
        let code = bench.code(&with(good("pre-token-generation"), "/triggerSource", source.clone()))?;
        ensure!(code == "UnknownSource", "T01 {source}: {code}");
    }
    Ok(())
}
