//! Row L04: every reason that the authorizer can give is given, through the
//! built binary. Which there are the sources say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::{app_sync, http_v2, rest_request};
use tests::http::{Response, Server};
use tests::sources::sources;
use tests::{
    Claims, Function, REVOCATION_TABLE, Services, TokenIssuer, compact, now, other_signing_key, signing_key,
    workspace_root,
};

/// What the sources can say and no event can bring about, and why.
const UNREACHABLE: [(&str, &str); 1] = [("ReplyUnwritable", "an answer is made of texts, and these can be written")];

/// The files that name reasons: the authorizer's own, why tokens and calls are
/// refused, and what the shell says for every function.
const NAMED_IN: [&str; 6] = [
    "functions/authorizer/src",
    "shared/src/graphql/mod.rs",
    "shared/src/revocation/mod.rs",
    "shared/src/token/refusal.rs",
    "shared/src/routes/mod.rs",
    "functions/shell/src/run.rs",
];

/// Every code of those files: an arm of a `match`, or what a failure is made with.
fn named() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for place in NAMED_IN {
        let path = workspace_root().join(place);
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        for source in sources(folder).iter().filter(|source| source.path.starts_with(&path)) {
            let text = source.lines.join("\n");
            for before in ["=> \"", "Failure::new(\"", "refused_as(\"", "simple(None), \""] {
                let codes_here = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
                codes.extend(codes_here.filter(|code| is_code(code)).map(str::to_owned));
            }
        }
    }
    codes
}

/// Capitalized words run together; a method or a setting is not.
fn is_code(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn start(settings: Vec<(String, String)>) -> Result<Function> {
    start_with("", settings)
}

/// Starts an authorizer with more rules than those of the other attacks.
fn start_with(more: &str, settings: Vec<(String, String)>) -> Result<Function> {
    let text = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
    let rules = std::env::temp_dir().join(format!("reasons-{}-{}.toml", std::process::id(), more.len()));
    std::fs::write(&rules, format!("{text}\n{more}"))?;
    let settings = settings.into_iter().chain([("RULES_FILE".to_owned(), rules.display().to_string())]);
    let function = Function::start("authorizer", settings);
    std::fs::remove_file(&rules)?;
    function
}

/// One event for each reason, but for what is wrong with the key set.
fn events(issuer: &TokenIssuer) -> Result<Vec<Value>> {
    let good = || issuer.access().with("tenant", "acme").with("roles", json!(["member"]));
    let items = |claims: Claims| Ok::<_, anyhow::Error>(http_v2(&issuer.mint(&claims)?, "GET", "/items"));
    let headed = |header: Value| {
        let token = compact(header.to_string(), good().text(), signing_key()?)?;
        Ok::<_, anyhow::Error>(http_v2(&token, "GET", "/items"))
    };
    let at = |path: &str| Ok::<_, anyhow::Error>(http_v2(&issuer.mint(&good())?, "GET", path));
    let kid = issuer.kid.as_str();
    let machine = issuer.access().without("username").with("sub", issuer.client_id.as_str());
    let mut inconsistent = rest_request(&issuer.mint(&good())?, "GET", "/items");
    let mut twice = at("/items")?;
    if let (Some(one), Some(other)) = (inconsistent.as_object_mut(), twice.as_object_mut()) {
        one.insert("httpMethod".to_owned(), json!("DELETE"));
        other.insert("identitySource".to_owned(), json!(["Bearer another"]));
    }
    Ok(vec![
        items(good())?,
        http_v2(&"A".repeat(9_000), "GET", "/items"),
        http_v2("a.b.c", "GET", "/items"),
        headed(json!({"alg": "RS256", "kid": kid, "crit": ["exp"]}))?,
        headed(json!({"alg": "none", "kid": kid}))?,
        headed(json!({"alg": "RS256"}))?,
        headed(json!({"alg": "RS256", "kid": "another"}))?,
        http_v2(&compact(issuer.header(), good().text(), other_signing_key()?)?, "GET", "/items"),
        items(good().with("iss", "https://other.example"))?,
        items(good().without("exp"))?,
        items(good().with("iat", now() - 600).with("exp", now() - 1))?,
        items(good().with("nbf", now() + 600))?,
        items(good().with("token_use", "refresh"))?,
        items(good().with("client_id", "2example23456789"))?,
        items(good().with("aud", "https://api.example"))?,
        items(good().with("sub", ""))?,
        items(good().with("tenant", "*"))?,
        items(good().with("roles", json!([1])))?,
        at("/items/")?,
        at("/unknown")?,
        at("/profile")?,
        http_v2(&issuer.mint(&machine)?, "GET", "/me"),
        http_v2(&issuer.mint(&good().without("tenant"))?, "GET", "/items"),
        at("/tenants/globex")?,
        at("/staff")?,
        at("/admin/members")?,
        at("/scoped")?,
        http_v2("", "GET", "/items"),
        twice,
        inconsistent,
        json!({}),
    ])
}

#[test]
fn every_reason_has_an_event_that_brings_it_about() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let mut produced: BTreeMap<String, usize> = BTreeMap::new();
    let mut function = start(issuer.settings())?;
    let events = events(&issuer)?.into_iter().map(|event| event.to_string().into_bytes());
    for event in events.chain([b"\"\xff\"".to_vec()]) {
        let outcome = function.invoke(event.clone());
        let said = function.code_of(&outcome);
        let code = said.with_context(|| format!("no code for {}", String::from_utf8_lossy(&event)))?;
        *produced.entry(code).or_default() += 1;
    }
    let others = [of_key_sets(&issuer)?, of_fronts(&issuer)?, of_revocation(&issuer)?];
    for code in others.into_iter().flatten() {
        *produced.entry(code).or_default() += 1;
    }
    let (named, produced): (BTreeSet<String>, BTreeSet<String>) = (named(), produced.into_keys().collect());
    ensure!(named.len() > 30, "only {named:?} were found in the sources");
    let unreachable: BTreeSet<String> = UNREACHABLE.iter().map(|(code, _)| (*code).to_owned()).collect();
    let missing: Vec<_> = named.difference(&produced).filter(|code| !unreachable.contains(*code)).collect();
    ensure!(missing.is_empty(), "L04 no event brings about {missing:?}");
    let unknown: Vec<_> = produced.difference(&named).collect();
    ensure!(unknown.is_empty(), "L04 not in the sources: {unknown:?}");
    ensure!(unreachable.is_disjoint(&produced) && unreachable.is_subset(&named), "L04 {unreachable:?}");
    Ok(())
}

/// The reasons of a key set that cannot be had, and of one that takes too long.
fn of_key_sets(issuer: &TokenIssuer) -> Result<Vec<String>> {
    let silent = Arc::new(AtomicBool::new(false));
    let is_silent = Arc::clone(&silent);
    let server = Server::start(move |_| {
        if is_silent.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_secs(2));
        }
        Response::new(503, "text/plain", "")
    })?;
    let mut settings = issuer.settings();
    settings.retain(|(key, _)| key != "KEY_SET_URL");
    settings.push(("KEY_SET_URL".to_owned(), format!("{}/keys", server.url())));
    let mut function = start(settings)?;
    let event = http_v2(&issuer.mint(&issuer.access().with("tenant", "acme"))?, "GET", "/items").to_string();
    let first = function.invoke(event.as_str());
    silent.store(true, Ordering::SeqCst);
    // Past the time in which nobody asks again.
    std::thread::sleep(Duration::from_millis(1_200));
    let second = function.invoke_within(event.as_str(), Duration::from_millis(500));
    [first, second].iter().map(|outcome| function.code_of(outcome).context("no code")).collect()
}

/// The reasons of a GraphQL API, of another issuer, and of answers that are kept.
fn of_fronts(issuer: &TokenIssuer) -> Result<Vec<String>> {
    let corp = "https://id.corp.example";
    let more = format!(
        "[graphql]\n[[graphql.fields]]\ntype = \"Query\"\nfield = \"items\"\n\
         [[routes]]\nmethod = \"GET\"\npath = \"/shared\"\nissuers = [\"pool\", \"corp\"]\n\
         [[issuers]]\nname = \"corp\"\nissuer = \"{corp}\"\nkey_set = \"{}/keys\"\naudiences = [\"api\"]\ntypes = [\"JWT\"]\n",
        issuer.url()
    );
    let mut settings = issuer.settings();
    settings.push(("CACHE_SECONDS".to_owned(), "60".to_owned()));
    let mut function = start_with(&more, settings)?;
    let good = issuer.mint(&issuer.access().with("tenant", "acme"))?;
    let ending = issuer.mint(&issuer.access().with("tenant", "acme").with("exp", now() + 20))?;
    let claims = json!({"iss": corp, "sub": "p-1", "aud": "api", "iat": now(), "exp": now() + 900});
    let header = json!({"alg": "RS256", "kid": issuer.kid, "typ": "JWT"});
    let of_corp = compact(header.to_string(), claims.to_string(), signing_key()?)?;
    let events = [
        app_sync(&good, "{ secrets }"),
        app_sync(&good, "{ items"),
        http_v2(&ending, "GET", "/me"),
        http_v2(&of_corp, "GET", "/me"),
    ];
    codes(&mut function, &events)
}

/// The reasons of ended sessions and changed rights.
fn of_revocation(issuer: &TokenIssuer) -> Result<Vec<String>> {
    let services = Services::start()?;
    let later = json!({"N": (now() + 60).to_string()});
    for (key, says) in [
        ("SESSION#s-1", json!({})),
        ("USER#u-2", json!({"authenticated_before": later})),
        ("USER#u-3", json!({"issued_before": later})),
    ] {
        let mut item = json!({"pk": {"S": key}, "expires_at": {"N": (now() + 1_000).to_string()}});
        if let (Some(item), Some(says)) = (item.as_object_mut(), says.as_object()) {
            item.extend(says.clone());
        }
        services.put(REVOCATION_TABLE, &item)?;
    }
    let of = |user: &str, session: &str| issuer.access().with("sub", user).with("origin_jti", session);
    let event = |claims: &Claims| Ok::<_, anyhow::Error>(http_v2(&issuer.mint(claims)?, "GET", "/me"));
    let table = [("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned())];
    let settings =
        |of_services: Vec<_>| issuer.settings().into_iter().chain(of_services).chain(table.clone()).collect();
    let on = "[revocation]\nmode = \"on\"\n";
    let events = [
        event(&of("u-1", "s-1"))?,
        event(&of("u-2", "s-2"))?,
        event(&of("u-3", "s-3"))?,
        event(&issuer.access().without("origin_jti"))?,
    ];
    let mut found = codes(&mut start_with(on, settings(services.settings()))?, &events)?;
    let mut blind = start_with(on, settings(services.settings_without_database()))?;
    found.extend(codes(&mut blind, &[event(&of("u-4", "s-4"))?])?);
    Ok(found)
}

fn codes(function: &mut Function, events: &[Value]) -> Result<Vec<String>> {
    let code = |event: &Value| {
        let outcome = function.invoke_json(event);
        function.code_of(&outcome).with_context(|| format!("no code for {event}"))
    };
    events.iter().map(code).collect()
}
