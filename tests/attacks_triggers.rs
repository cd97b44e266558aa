//! Odd and hostile user-pool events, put to the built trigger functions.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::edit::{with, without};
use tests::http::{Request, Response, Server};
use tests::{Audit, DIRECTORY_TABLE, Function, Outcome, PoolUser, Reply, Services, workspace_root};

const SUB: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const CLIENT: &str = "1example23456789";
const TRIGGERS: [&str; 3] = ["pre-sign-up", "post-confirmation", "pre-token-generation"];

/// A trigger function and the services that it calls.
struct Bench {
    services: Services,
    function: Function,
    audit: Audit,
}

impl Bench {
    fn start(function: &str) -> Result<Self> {
        let services = Services::start()?;
        let settings = services.settings();
        Self::with(function, services, settings)
    }

    fn with(function: &str, services: Services, settings: Vec<(String, String)>) -> Result<Self> {
        Self::with_rules(function, services, settings, &workspace_root().join("tests/attacks.rules.toml"))
    }

    fn with_rules(
        function: &str,
        services: Services,
        mut settings: Vec<(String, String)>,
        rules: &Path,
    ) -> Result<Self> {
        settings.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // L01: everything that could be told is told, and still holds no secret.
        settings.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        let mut audit = Audit::default();
        ["canary-password-8d1f", "canary-metadata-77aa", "canary-address", "canary-number"]
            .iter()
            .for_each(|secret| audit.keep_secret(secret));
        Ok(Self { services, function: Function::start(function, settings)?, audit })
    }

    /// Sends an event and checks what holds always: T18, an error's text is on the list; L02, one JSON line.
    fn send(&mut self, event: impl Into<Vec<u8>>) -> Result<Outcome> {
        let outcome = self.function.invoke(event);
        self.audit.outcome(&self.function, &outcome)?;
        self.audit.printed(&self.function)?;
        Ok(outcome)
    }

    fn code(&mut self, event: &Value) -> Result<String> {
        let outcome = self.send(event.to_string())?;
        self.function.code_of(&outcome).context("no code")
    }

    /// The answer to an event, which must be the event itself but for its response.
    fn answer(&mut self, event: &Value) -> Result<Value> {
        let mut answer = self.send(event.to_string())?.json()?;
        let response = answer["response"].take();
        let mut whole = event.clone();
        whole["response"] = json!(null);
        ensure!(answer == whole, "T17 the event came back changed: {answer}");
        Ok(response)
    }

    fn still_serves(&mut self) -> Result<()> {
        let event = good(self.function.name());
        let outcome = self.send(event.to_string())?;
        ensure!(matches!(outcome.reply, Reply::Answer(_)), "a good event is told {:?}", outcome.reply);
        Ok(())
    }

    fn put(&self, item: Value) -> Result<()> {
        self.services.put(DIRECTORY_TABLE, &item)
    }
}

fn event(source: &str, version: &str, request: Value) -> Value {
    json!({
        "version": version,
        "region": "us-east-1",
        "userPoolId": "us-east-1_EXAMPLE01",
        "userName": SUB,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": CLIENT},
        "triggerSource": source,
        "request": request,
        "response": {},
    })
}

/// An event that the function answers.
fn good(function: &str) -> Value {
    match function {
        "pre-sign-up" => sign_up(json!({"email": "ann@allowed.example"})),
        "post-confirmation" => confirmation(attributes()),
        _ => token("TokenGeneration_Authentication", json!({"userAttributes": attributes()})),
    }
}

fn attributes() -> Value {
    json!({"sub": SUB, "email": "ann@allowed.example", "email_verified": "true", "cognito:user_status": "CONFIRMED"})
}

fn sign_up(attributes: Value) -> Value {
    event("PreSignUp_SignUp", "1", json!({"userAttributes": attributes, "validationData": null}))
}

fn confirmation(attributes: Value) -> Value {
    event("PostConfirmation_ConfirmSignUp", "1", json!({ "userAttributes": attributes }))
}

fn token(source: &str, request: Value) -> Value {
    event(source, "2", request)
}

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

fn items(bench: &Bench) -> Result<Vec<String>> {
    let key = |item: &Value| {
        format!("{} {}", item["pk"]["S"].as_str().unwrap_or_default(), item["sk"]["S"].as_str().unwrap_or_default())
    };
    Ok(bench.services.items(DIRECTORY_TABLE)?.iter().map(key).collect())
}

fn provisioned() -> Vec<String> {
    vec![format!("USER#{SUB} PROFILE"), format!("acme#members {SUB}")]
}

#[test]
fn a_confirmed_user_is_provisioned_exactly_once() -> Result<()> {
    let mut bench = Bench::start("post-confirmation")?;
    let event = confirmation(attributes());
    // O02: nothing for a forgotten password.
    let forgot = with(event.clone(), "/triggerSource", json!("PostConfirmation_ConfirmForgotPassword"));
    ensure!(bench.answer(&forgot)? == json!({}), "O02");
    ensure!(items(&bench)?.is_empty() && bench.services.calls().is_empty(), "O02 something was provisioned");
    // O01, O03: once, and the same after each replay.
    ensure!(bench.answer(&event)? == json!({}), "O01");
    ensure!(items(&bench)? == provisioned(), "O01 {:?}", items(&bench)?);
    let first = bench.services.items(DIRECTORY_TABLE)?;
    for _ in 0..3 {
        ensure!(bench.answer(&event)? == json!({}), "O03");
    }
    ensure!(bench.services.items(DIRECTORY_TABLE)? == first, "O03 a replay changed the directory");
    let added = bench.services.calls();
    ensure!(
        added.len() == 4 && added.iter().all(|call| call.contains("AdminAddUserToGroup") && call.contains("\"users\"")),
        "O05 {added:?}"
    );
    Ok(())
}

#[test]
fn ten_at_once_provision_one_user() -> Result<()> {
    let services = Services::start()?;
    let settings: Vec<_> = services
        .settings()
        .into_iter()
        .chain([("RULES_FILE".to_owned(), workspace_root().join("tests/attacks.rules.toml").display().to_string())])
        .collect();
    services.put(DIRECTORY_TABLE, &invitation("globex", "ann@allowed.example"))?;
    // O03: ten processes, as Lambda would start them.
    let functions =
        (0..10).map(|_| Function::start("post-confirmation", settings.clone())).collect::<Result<Vec<_>>>()?;
    let answered: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = functions
            .into_iter()
            .map(|mut function| {
                scope.spawn(move || function.invoke(confirmation(attributes()).to_string()).json().is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(false)).collect()
    });
    ensure!(answered.iter().all(|answered| *answered), "O03 {answered:?}");
    let keys: Vec<Value> = services.items(DIRECTORY_TABLE)?.iter().map(|item| item["pk"].clone()).collect();
    ensure!(
        keys == [json!({"S": format!("USER#{SUB}")}), json!({"S": "acme#members"}), json!({"S": "globex#members"})],
        "O03 {keys:?}"
    );
    Ok(())
}

fn invitation(tenant: &str, address: &str) -> Value {
    json!({
        "pk": {"S": format!("{tenant}#invitations")}, "sk": {"S": address}, "subject": {"S": format!("EMAIL#{address}")},
        "tenant": {"S": tenant}, "roles": {"SS": ["admin"]}, "invited_by": {"S": SUB},
        "created_at": {"N": "1767225600"}, "expires_at": {"N": "4102444800"},
    })
}

#[test]
fn a_step_that_fails_costs_no_other_and_is_made_up_for() -> Result<()> {
    let mut bench = Bench::start("post-confirmation")?;
    let event = confirmation(attributes());
    let refusal = |kind: &str| {
        Response::new(400, "application/x-amz-json-1.1", json!({"__type": kind, "message": "not today"}).to_string())
    };
    // O04, O05: the group fails. One that the pool lacks costs nothing else; one
    // that may come later comes first, and until then the profile is missing.
    for (kind, code, written) in [
        ("UserNotFoundException", "UserMissing", Vec::new()),
        ("InternalErrorException", "PoolUnreachable", Vec::new()),
        ("ResourceNotFoundException", "GroupMissing", provisioned()),
    ] {
        bench.services.answer_groups_with(refusal(kind));
        let outcome = bench.function.invoke(event.to_string());
        ensure!(
            outcome.error() == Some("This is not possible right now, please try again"),
            "O05 {kind}: {:?}",
            outcome.reply
        );
        ensure!(
            bench.function.code_of(&outcome).as_deref() == Some(code),
            "O05 {kind}: {:?}",
            bench.function.code_of(&outcome)
        );
        ensure!(items(&bench)? == written, "O04 {kind}: {:?}", items(&bench)?);
    }
    bench.services.answer_groups_with(Response::new(200, "application/x-amz-json-1.1", "{}"));
    ensure!(bench.code(&event)? == "ProvisionedBefore", "O04");
    ensure!(items(&bench)? == provisioned(), "O04 {:?}", items(&bench)?);
    // O04: what post-confirmation left undone, the first token does, whole.
    let mut bench = Bench::start("pre-token-generation")?;
    let event = token("TokenGeneration_Authentication", json!({"userAttributes": attributes()}));
    bench.services.answer_groups_with(refusal("InternalErrorException"));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "O04 a right without its group");
    ensure!(items(&bench)?.is_empty(), "O04 {:?}", items(&bench)?);
    bench.services.answer_groups_with(Response::new(200, "application/x-amz-json-1.1", "{}"));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!("acme"), "O04");
    ensure!(items(&bench)? == provisioned(), "O04 {:?}", items(&bench)?);
    Ok(())
}

#[test]
fn without_the_directory_nothing_is_claimed_and_the_error_is_safe() -> Result<()> {
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = Bench::with("post-confirmation", services, settings)?;
    // O08: the pool has confirmed the user already; the first token makes up for it.
    let outcome = bench.send(confirmation(attributes()).to_string())?;
    ensure!(outcome.error() == Some("This is not possible right now, please try again"), "O08 {:?}", outcome.reply);
    ensure!(outcome.elapsed < Duration::from_secs(5), "O08 {:?}", outcome.elapsed);
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = Bench::with("pre-token-generation", services, settings)?;
    // N12: a sign-in goes on, a right does not.
    let event = token(
        "TokenGeneration_RefreshTokens",
        json!({"userAttributes": attributes(), "groupConfiguration": {"groupsToOverride": ["acme:admin"]}}),
    );
    let response = bench.answer(&event)?;
    ensure!(!response.to_string().contains("acme") && !response.to_string().contains("admin"), "N12 {response}");
    // T19: always before Cognito gives up, however little time is left.
    for remaining in [5_000, 800, 250, 50, 0] {
        let outcome = bench.function.invoke_within(event.to_string(), Duration::from_millis(remaining));
        let least = Duration::from_millis(remaining.clamp(600, 4_600));
        ensure!(outcome.elapsed < least, "T19 {remaining} ms left, {:?} taken", outcome.elapsed);
        ensure!(!matches!(outcome.reply, Reply::Exited | Reply::TimedOut), "T19 {:?}", outcome.reply);
    }
    Ok(())
}

fn profile(active: Option<&str>) -> Value {
    let mut item = json!({
        "pk": {"S": format!("USER#{SUB}")}, "sk": {"S": "PROFILE"}, "subject": {"S": format!("USER#{SUB}")},
        "created_at": {"N": "1767225600"}, "version": {"N": "1"},
    });
    if let Some(tenant) = active {
        item["active_tenant"] = json!({"S": tenant});
    }
    item
}

fn membership(tenant: &str, roles: &[&str], status: &str) -> Value {
    let mut item = json!({
        "pk": {"S": format!("{tenant}#members")}, "sk": {"S": SUB}, "subject": {"S": format!("USER#{SUB}")},
        "tenant": {"S": tenant}, "status": {"S": status}, "created_at": {"N": "1767225600"}, "version": {"N": "1"},
    });
    if !roles.is_empty() {
        item["roles"] = json!({"SS": roles});
    }
    item
}

/// What both tokens say of tenant and roles.
fn rights(response: &Value) -> Result<(Value, Value)> {
    let details = &response["claimsAndScopeOverrideDetails"];
    let of = |token: &str| {
        let added = &details[token]["claimsToAddOrOverride"];
        (added["tenant"].clone(), added["roles"].clone())
    };
    ensure!(of("idTokenGeneration") == of("accessTokenGeneration"), "the tokens differ: {response}");
    Ok(of("accessTokenGeneration"))
}

#[test]
fn a_token_carries_what_the_server_wrote_and_nothing_else() -> Result<()> {
    let none = (json!(null), json!(null));
    let table = [
        (
            "N05",
            "one membership",
            vec![profile(None), membership("acme", &["member"], "active")],
            (json!("acme"), json!(["member"])),
        ),
        ("N06", "no membership", vec![profile(None)], none.clone()),
        ("N06", "suspended", vec![profile(None), membership("acme", &["admin"], "suspended")], none.clone()),
        (
            "N06",
            "two tenants, none chosen",
            vec![profile(None), membership("acme", &["member"], "active"), membership("globex", &["admin"], "active")],
            none.clone(),
        ),
        (
            "N07",
            "two tenants, one chosen",
            vec![
                profile(Some("globex")),
                membership("acme", &["member"], "active"),
                membership("globex", &["admin"], "active"),
            ],
            (json!("globex"), json!(["admin"])),
        ),
        (
            "N07",
            "chosen, but not a member",
            vec![profile(Some("t2")), membership("acme", &["member"], "active")],
            (json!("acme"), json!(["member"])),
        ),
        (
            "N06",
            "chosen, but suspended there",
            vec![profile(Some("globex")), membership("globex", &["admin"], "suspended")],
            none.clone(),
        ),
    ];
    for (id, says, seeds, expected) in table {
        let mut bench = Bench::start("pre-token-generation")?;
        seeds.into_iter().try_for_each(|item| bench.put(item))?;
        // N05, N07, T13: the client's own words change nothing, in attributes, groups or metadata.
        let mut attributes = attributes();
        attributes["custom:tenant"] = json!("t2");
        attributes["custom:role"] = json!("admin");
        let metadata = json!({"tenant": "t2", "role": "admin", "x": "canary-metadata-77aa"});
        for source in ["TokenGeneration_Authentication", "TokenGeneration_RefreshTokens", "TokenGeneration_HostedAuth"]
        {
            let request = json!({"userAttributes": attributes, "clientMetadata": metadata, "groupConfiguration": {"groupsToOverride": ["t2:admin"]}});
            let response = bench.answer(&token(source, request.clone()))?;
            let found = rights(&response)?;
            let wanted =
                if says == "chosen, but not a member" && found == none { none.clone() } else { expected.clone() };
            ensure!(found == wanted, "{id} {says}: {found:?}");
            ensure!(!response.to_string().contains("groupOverrideDetails"), "{id} the groups were touched: {response}");
            // N09, N11: no scope beyond the table's, and the same answer each time.
            let scopes = response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["scopesToAdd"].clone();
            let admin = expected.1 == json!(["admin"]);
            ensure!(scopes == if admin { json!(["items/write"]) } else { json!(null) }, "N09 {says}: {scopes}");
            ensure!(bench.answer(&token(source, request))? == response, "{id} {says}: not the same twice");
        }
    }
    Ok(())
}

#[test]
fn a_role_that_is_taken_away_is_gone_at_the_next_refresh() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    bench.put(profile(None))?;
    bench.put(membership("acme", &["admin"], "active"))?;
    let event =
        token("TokenGeneration_RefreshTokens", json!({"userAttributes": attributes(), "groupConfiguration": {}}));
    ensure!(rights(&bench.answer(&event)?)?.1 == json!(["admin"]), "N11");
    bench.put(membership("acme", &["member"], "active"))?;
    ensure!(rights(&bench.answer(&event)?)?.1 == json!(["member"]), "N11");
    bench.put(membership("acme", &["member"], "suspended"))?;
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "N11");
    Ok(())
}

#[test]
fn a_machine_gets_only_what_its_client_is_given() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    // N10, N03: no user, and null wherever there could be one.
    for request in [
        json!({"userAttributes": {}, "groupConfiguration": {}, "scopes": ["items/read"]}),
        json!({"userAttributes": null, "groupConfiguration": null, "scopes": null}),
        json!(null),
    ] {
        let mut event = event("TokenGeneration_ClientCredentials", "3", request);
        event["userName"] = json!(null);
        let response = bench.answer(&event)?;
        let access = &response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
        ensure!(access["claimsToAddOrOverride"] == json!({"channel": "machine"}), "N10 {response}");
        ensure!(response["claimsAndScopeOverrideDetails"].get("idTokenGeneration").is_none(), "N10 {response}");
    }
    ensure!(items(&bench)?.is_empty(), "N10 a machine was provisioned");
    // N03, T05: a user without groups.
    for groups in
        [json!(null), json!({}), json!({"groupsToOverride": null, "iamRolesToOverride": null, "preferredRole": null})]
    {
        let event = token(
            "TokenGeneration_Authentication",
            json!({"userAttributes": attributes(), "groupConfiguration": groups}),
        );
        ensure!(rights(&bench.answer(&event)?)?.0 == json!("acme"), "N03 {groups}");
    }
    Ok(())
}

#[test]
fn a_user_whose_provisioning_was_missed_is_healed_by_one_token() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    let event = token("TokenGeneration_NewPasswordChallenge", json!({"userAttributes": attributes()}));
    ensure!(rights(&bench.answer(&event)?)? == (json!("acme"), json!(["member"])), "O08");
    ensure!(items(&bench)? == provisioned(), "O08 {:?}", items(&bench)?);
    let first = bench.services.items(DIRECTORY_TABLE)?;
    ensure!(rights(&bench.answer(&event)?)? == (json!("acme"), json!(["member"])), "O08");
    ensure!(bench.services.items(DIRECTORY_TABLE)? == first, "O08 the second token wrote again");
    // An address that nobody has checked places nobody.
    let mut bench = Bench::start("pre-token-generation")?;
    let mut unproved = attributes();
    unproved["email_verified"] = json!("false");
    let event = token("TokenGeneration_Authentication", json!({ "userAttributes": unproved }));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "N05 an unproved address gave a tenant");
    Ok(())
}

fn arrival(address: &str) -> Value {
    json!({
        "pk": {"S": "LEGACY#old-7"}, "sk": {"S": "ARRIVAL"}, "address": {"S": address}, "groups": {"SS": ["staff"]},
        "memberships": {"L": [{"M": {"tenant": {"S": "globex"}, "roles": {"SS": ["admin"]}}}]},
        "written_at": {"N": "1767225600"},
    })
}

#[test]
fn what_another_brought_along_cannot_be_had_by_writing_his_identifier() -> Result<()> {
    // U26, N05: no client may write the attribute; one that could gets nothing by it.
    let mut claimed = attributes();
    claimed["custom:legacy_id"] = json!("old-7");
    for (address, expected) in [
        ("victim@allowed.example", (json!("acme"), json!(["member"]))),
        // His own: two tenants, and none chosen yet.
        ("ann@allowed.example", (json!(null), json!(null))),
    ] {
        let mut bench = Bench::start("pre-token-generation")?;
        bench.put(arrival(address))?;
        let event = token("TokenGeneration_Authentication", json!({ "userAttributes": claimed }));
        ensure!(rights(&bench.answer(&event)?)? == expected, "N05 {address}");
        let keys = items(&bench)?;
        let own = address == "ann@allowed.example";
        ensure!(keys.contains(&format!("globex#members {SUB}")) == own, "N05 {address}: {keys:?}");
        ensure!(keys.contains(&"LEGACY#old-7 ARRIVAL".to_owned()) != own, "N05 {address}: {keys:?}");
        let joined = bench.services.calls().iter().filter(|call| call.contains("\"staff\"")).count();
        ensure!(joined == usize::from(own), "N05 {address}: {:?}", bench.services.calls());
    }
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

/// A service that verifies tokens, and says what the token asks of it.
struct Siteverify {
    server: Server,
    /// Path and body of each question.
    asked: Arc<Mutex<Vec<String>>>,
}

/// Holds what a form must not be broken out of with.
const CHALLENGE_SECRET: &str = "canary-challenge+secret/&response=x";
const CHALLENGE_SECRET_IN_FORM: &str = "canary-challenge%2Bsecret%2F%26response%3Dx";

impl Siteverify {
    fn start() -> Result<Self> {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let asking = Arc::clone(&asked);
        let server = Server::start(move |request| {
            if request.header("x-amz-target") == Some("secretsmanager.GetSecretValue") {
                let secret = json!({ "challenge_secret": CHALLENGE_SECRET }).to_string();
                return Response::new(200, "application/x-amz-json-1.1", json!({ "SecretString": secret }).to_string());
            }
            let body = String::from_utf8_lossy(&request.body).into_owned();
            asking.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {body}", request.path));
            verdict(&request, &body)
        })?;
        Ok(Self { server, asked })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings(&self) -> [(String, String); 2] {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:challenge";
        [("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.server.url()), ("CHALLENGE_SECRET_ARN", arn.to_owned())]
            .map(|(key, value)| (key.to_owned(), value))
    }

    /// The rules of the attacks with a challenge that is verified here.
    fn rules(&self, name: &str) -> Result<std::path::PathBuf> {
        let rules = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
        let url = self.server.url();
        let hosts = "hostnames = [\"app.allowed.example\"]";
        let challenge =
            format!("[sign_up.challenge]\nparameter = \"captcha\"\nverify_url = \"{url}/siteverify\"\n{hosts}\n");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("challenge-{name}.toml"));
        std::fs::write(&path, format!("{rules}\n{challenge}"))?;
        Ok(path)
    }

    fn bench(&self, name: &str, services: Services, mut settings: Vec<(String, String)>) -> Result<Bench> {
        settings.extend(self.settings());
        let mut bench = Bench::with_rules("pre-sign-up", services, settings, &self.rules(name)?)?;
        ["canary-challenge", "canary-token"].iter().for_each(|secret| bench.audit.keep_secret(secret));
        Ok(bench)
    }
}

fn verdict(request: &Request, body: &str) -> Response {
    let json = |verdict: Value| Response::new(200, "application/json", verdict.to_string());
    let yes = json!({"success": true, "hostname": "app.allowed.example", "challenge_ts": "2026-01-01T00:00:00Z"});
    let token = body.strip_prefix(&format!("secret={CHALLENGE_SECRET_IN_FORM}&response=canary-token-"));
    let is_form = request.header("content-type") == Some("application/x-www-form-urlencoded");
    let Some(token) = token.filter(|_| is_form && request.method == "POST") else {
        return json(json!({"success": false, "error-codes": ["bad-request"]}));
    };
    match token {
        "no" => json(json!({"success": false, "error-codes": ["invalid-input-response"]})),
        "stale" => json(json!({"success": false, "error-codes": ["timeout-or-duplicate"]})),
        "elsewhere" => json(with(yes, "/hostname", json!("app.evil.example"))),
        "nowhere" => json(with(yes, "/hostname", json!(null))),
        "our-secret" => json(json!({"success": false, "error-codes": ["invalid-input-secret"]})),
        "html" => Response::new(200, "text/html", "<html>canary-token</html>"),
        "broken" => Response::new(500, "application/json", yes.to_string()),
        "moved" => Response::new(307, "text/plain", "").header("location", "/elsewhere"),
        "huge" => Response::new(200, "application/json", format!("{yes}{}", " ".repeat(64 << 10))),
        "packed" => json(yes).header("content-encoding", "gzip"),
        "slow" => {
            std::thread::sleep(Duration::from_millis(500));
            json(yes)
        }
        "hanging" => {
            std::thread::sleep(Duration::from_secs(6));
            json(yes)
        }
        _ => json(yes),
    }
}

/// A sign-up that brings this as its token.
fn challenged(token: impl Into<Value>) -> Value {
    let validation = json!({ "captcha": token.into() });
    with(sign_up(json!({"email": "ann@allowed.example"})), "/request/validationData", validation)
}

#[test]
fn u25_a_solved_challenge_lets_in_once() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("once", services, settings)?;
    let table = [
        ("canary-token-1", "Accepted"),
        // The service would say yes to all of them.
        ("canary-token-1", "ChallengeUsed"),
        ("canary-token-1", "ChallengeUsed"),
        ("canary-token-2", "Accepted"),
        ("canary-token-1", "ChallengeUsed"),
        // Also when the first time ended otherwise.
        ("canary-token-no", "ChallengeFailed"),
        ("canary-token-no", "ChallengeUsed"),
        ("canary-token-broken", "ChallengeStatus"),
        ("canary-token-broken", "ChallengeUsed"),
        ("canary-token-stale", "ChallengeFailed"),
        ("canary-token-elsewhere", "ChallengeElsewhere"),
        ("canary-token-nowhere", "ChallengeElsewhere"),
    ];
    for (token, expected) in table {
        let outcome = bench.send(challenged(token).to_string())?;
        let code = bench.function.code_of(&outcome).context("no code")?;
        ensure!(code == expected, "U25 {token}: {code} instead of {expected}");
        let told = match expected {
            "Accepted" => None,
            "ChallengeStatus" => Some("This is not possible right now, please try again"),
            _ => Some("A required detail is missing or cannot be used"),
        };
        ensure!(outcome.error() == told, "U25 {token}: {:?}", outcome.reply);
    }
    // The marks are in the table, the tokens are not.
    let marks = bench.services.items(DIRECTORY_TABLE)?;
    ensure!(marks.len() == 7 && !json!(marks).to_string().contains("canary"), "U25 {marks:?}");
    // Another instance knows them.
    let settings = bench.services.settings();
    let mut other = verifier.bench("once", bench.services, settings)?;
    ensure!(other.code(&challenged("canary-token-1"))? == "ChallengeUsed", "U25 at another instance");
    ensure!(other.code(&challenged("canary-token-3"))? == "Accepted", "U25 at another instance");
    Ok(())
}

#[test]
fn u25_without_a_token_nobody_is_asked() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("missing", services, settings)?;
    let plain = sign_up(json!({"email": "ann@allowed.example"}));
    let validation = |value: Value| with(plain.clone(), "/request/validationData", value);
    let by = |source: &str, name: &str, attributes: Value| {
        let event = with(challenged("canary-token-9"), "/triggerSource", json!(source));
        with(with(event, "/userName", json!(name)), "/request/userAttributes", attributes)
    };
    let address = json!({"email": "ann@allowed.example", "email_verified": "true"});
    let table = [
        ("null", plain.clone(), "ChallengeMissing"),
        ("another name", validation(json!({"Captcha": "canary-token-9"})), "ChallengeMissing"),
        ("a list", validation(json!([{"Name": "captcha", "Value": "canary-token-9"}])), "ChallengeMissing"),
        ("a text", validation(json!("canary-token-9")), "ChallengeMissing"),
        ("empty", challenged(""), "ChallengeMissing"),
        ("a number", challenged(4711), "ChallengeMissing"),
        ("an object", challenged(json!({"S": "canary-token-9"})), "ChallengeMissing"),
        ("too long", challenged(format!("canary-token-{}", "x".repeat(4084))), "ChallengeFailed"),
        ("a blank behind", challenged("canary-token-9 "), "ChallengeFailed"),
        ("a line break", challenged("canary-token-9\r\nx: y"), "ChallengeFailed"),
        ("an umlaut", challenged("canary-token-\u{e4}"), "ChallengeFailed"),
        (
            "refused anyway",
            with(challenged("canary-token-9"), "/request/userAttributes", json!({"email": "a@evil.example"})),
            "DomainNotAllowed",
        ),
        ("an administrator", by("PreSignUp_AdminCreateUser", "ann", address.clone()), "Accepted"),
        ("a provider", by("PreSignUp_ExternalProvider", "Google_1", address), "Accepted"),
    ];
    for (name, event, expected) in table {
        let code = bench.code(&event)?;
        ensure!(code == expected, "U25 {name}: {code} instead of {expected}");
    }
    ensure!(verifier.asked().is_empty(), "U25 {:?}", verifier.asked());
    ensure!(items(&bench)?.is_empty(), "U25 {:?}", items(&bench)?);
    // The token itself was never used up.
    ensure!(bench.code(&challenged("canary-token-9"))? == "Accepted", "U25 the token is still good");
    Ok(())
}

#[test]
fn u25_without_a_clear_yes_in_time_nobody_gets_in() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("unclear", services, settings)?;
    let table = [
        ("our-secret", "ChallengeUnjudged"),
        ("html", "ChallengeAnswerUnreadable"),
        ("broken", "ChallengeStatus"),
        ("moved", "ChallengeStatus"),
        ("huge", "ChallengeBodyRefused"),
        ("packed", "ChallengeBodyRefused"),
        ("hanging", "ChallengeTimedOut"),
        ("slow", "Accepted"),
    ];
    for (token, expected) in table {
        let outcome = bench.send(challenged(format!("canary-token-{token}")).to_string())?;
        let code = bench.function.code_of(&outcome).context("no code")?;
        ensure!(code == expected, "U25 {token}: {code} instead of {expected}");
        ensure!(outcome.elapsed < Duration::from_secs(4), "U25 {token} took {:?}", outcome.elapsed);
        let told = (expected != "Accepted").then_some("This is not possible right now, please try again");
        ensure!(outcome.error() == told, "U25 {token}: {:?}", outcome.reply);
    }
    let elsewhere = verifier.asked().into_iter().any(|asked| !asked.starts_with("/siteverify "));
    ensure!(!elsewhere, "U25 a redirect was followed");
    // The marks cannot be written, so nobody can say that a token is new.
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = verifier.bench("no-marks", services, settings)?;
    ensure!(bench.code(&challenged("canary-token-1"))? == "DirectoryUnreachable", "U25 without the table");
    Ok(())
}

#[test]
fn u25_the_challenge_is_off_unless_the_rules_have_one() -> Result<()> {
    let mut bench = Bench::start("pre-sign-up")?;
    for token in [json!("canary-token-1"), json!(4711), json!("x".repeat(5_000)), json!([1e300])] {
        ensure!(bench.code(&challenged(token.clone()))? == "Accepted", "U25 {token:.40}");
        ensure!(bench.code(&challenged(token.clone()))? == "Accepted", "U25 {token:.40} again");
    }
    ensure!(items(&bench)?.is_empty() && bench.services.calls().is_empty(), "U25 something was asked");
    Ok(())
}

#[test]
fn u25_template_and_rules_that_disagree_do_not_start() -> Result<()> {
    let verifier = Siteverify::start()?;
    let (with_challenge, without) = (verifier.rules("start")?, workspace_root().join("tests/attacks.rules.toml"));
    let answering = |status: u16, body: Value| {
        Server::start(move |_| Response::new(status, "application/x-amz-json-1.1", body.to_string()))
    };
    let (denied, empty) =
        (answering(400, json!({"__type": "AccessDeniedException"}))?, answering(200, json!({"SecretString": "{}"}))?);
    let [_, arn] = verifier.settings();
    let at = |server: &Server| vec![arn.clone(), ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), server.url())];
    let table = [
        (&with_challenge, Vec::new(), "CHALLENGE_SECRET_ARN is missing"),
        (&without, vec![arn.clone()], "CHALLENGE_SECRET_ARN is there"),
        (&with_challenge, at(&denied), "CHALLENGE_SECRET_ARN names a secret that cannot be read"),
        (&with_challenge, at(&empty), "CHALLENGE_SECRET_ARN names a secret without a challenge_secret"),
    ];
    for (rules, settings, expected) in table {
        let services = Services::start()?;
        let all = services.settings().into_iter().chain(settings);
        let all = all.chain([("RULES_FILE".to_owned(), rules.display().to_string())]);
        let said = Function::start("pre-sign-up", all).err().context("it starts")?.to_string();
        ensure!(said.contains(expected) && said.contains("SettingRefused"), "U25 {expected}: {said}");
    }
    Ok(())
}
