//! Odd events, cached answers and failing key sets, put to the built authorizer.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::Passage::{self, Allowed, Forbidden, Unauthorized};
use tests::gateway::{API, arn, http_v1, http_v2, passage, rest_request, rest_token};
use tests::http::Response;
use tests::{Audit, Function, Outcome, Reply, TokenIssuer, Verdict, evaluate, other_signing_key, workspace_root};

/// An authorizer that trusts one pool, that pool, and two of its tokens.
struct Gate {
    issuer: TokenIssuer,
    function: Function,
    token: String,
    other: String,
}

impl Gate {
    fn open(settings: &[(&str, &str)]) -> Result<Self> {
        Self::before(TokenIssuer::start()?, settings)
    }

    fn before(issuer: TokenIssuer, settings: &[(&str, &str)]) -> Result<Self> {
        let rules = workspace_root().join("tests/attacks.rules.toml");
        let mut all = issuer.settings();
        all.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // L01: everything that could be told is told, and still holds no secret.
        all.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let function = Function::start("authorizer", all)?;
        let token = issuer.mint(&issuer.access().with("tenant", "acme").with("roles", json!(["member"])))?;
        let other = issuer.mint(&issuer.access().with("tenant", "globex").with("roles", json!(["admin"])))?;
        Ok(Self { issuer, function, token, other })
    }

    fn send(&mut self, event: impl Into<Vec<u8>>) -> Result<Outcome> {
        let outcome = self.function.invoke(event);
        let mut audit = Audit::default();
        audit.keep_token(&self.token);
        audit.outcome(&self.function, &outcome)?;
        audit.printed(&self.function)?;
        if let Reply::Answer(body) = &outcome.reply {
            audit.text(&String::from_utf8_lossy(body))?;
        }
        Ok(outcome)
    }

    /// The code of an event for `GET /items`, and what its caller gets.
    fn heard(&mut self, event: &Value) -> Result<(Passage, String)> {
        let outcome = self.send(event.to_string())?;
        let code = self.function.code_of(&outcome).context("no code")?;
        Ok((passage(&outcome, &arn("GET", "/items")), code))
    }

    fn still_serves(&mut self) -> Result<()> {
        let event = http_v2(&self.token, "GET", "/items");
        let (heard, code) = self.heard(&event)?;
        ensure!(heard == Allowed, "a good event is told {heard:?}, {code}");
        Ok(())
    }

    fn policy(&mut self, token: &str, method: &str, path: &str) -> Result<Value> {
        let outcome = self.send(rest_request(token, method, path).to_string())?;
        Ok(outcome.json()?["policyDocument"].take())
    }
}

/// The event with one member set.
fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(object) = event.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.insert(name.to_owned(), value);
    }
    event
}

/// The event without one member.
fn without(mut event: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(object) = event.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.remove(name);
    }
    event
}

/// Sends each event, compares what its caller gets, and a good event after it.
fn each(gate: &mut Gate, table: Vec<(&str, &str, Value, Passage, &str)>) -> Result<()> {
    let mut failures = Vec::new();
    for (id, says, event, expected, expected_code) in table {
        match gate.heard(&event).and_then(|heard| gate.still_serves().map(|()| heard)) {
            Ok((heard, code)) if heard == expected && code == expected_code => {}
            Ok(heard) => failures.push(format!("{id} {says}: {heard:?} instead of {expected:?}, {expected_code}")),
            Err(error) => failures.push(format!("{id} {says}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

#[test]
fn a_token_comes_in_one_place_and_once() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let (token, other) = (gate.token.clone(), gate.other.clone());
    let (bearer, bad) = (format!("Bearer {token}"), "Bearer a.b.c".to_owned());
    let rest = || rest_request(&token, "GET", "/items");
    let v2 = || http_v2(&token, "GET", "/items");
    let headers = |one: Value, all: Value| with(with(rest(), "/headers", one), "/multiValueHeaders", all);
    let mut table = vec![
        (
            "A02",
            "no token",
            without(rest_token("x", "GET", "/items"), "/authorizationToken"),
            Unauthorized,
            "TokenMissing",
        ),
        ("A05", "both kinds of headers agree", rest(), Allowed, "Allowed"),
        (
            "A06",
            "good and bad",
            headers(json!({"Authorization": bearer}), json!({"Authorization": [bad, bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A06",
            "two good ones",
            headers(json!({"Authorization": bearer}), json!({"Authorization": [format!("Bearer {other}"), bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A06",
            "the name in two cases",
            headers(json!({"Authorization": bearer, "authorization": bad}), json!({})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        ("A07", "only in the lists", headers(json!(null), json!({"Authorization": [bearer]})), Allowed, "Allowed"),
        ("A07", "nowhere", headers(json!(null), json!(null)), Unauthorized, "TokenMissing"),
        (
            "A08",
            "joined by a comma",
            with(
                with(v2(), "/headers/authorization", json!(format!("{bearer},{bearer}"))),
                "/identitySource",
                json!([format!("{bearer},{bearer}")]),
            ),
            Forbidden,
            "TokenAmbiguous",
        ),
        ("A09", "a good one", v2(), Allowed, "Allowed"),
        (
            "A10",
            "the cache key is another token",
            with(v2(), "/headers/authorization", json!(format!("Bearer {other}"))),
            Forbidden,
            "TokenAmbiguous",
        ),
        (
            "A10",
            "the cache key is good, the header bad",
            with(v2(), "/headers/authorization", json!(bad)),
            Forbidden,
            "TokenAmbiguous",
        ),
        ("A11", "no identity source", without(v2(), "/identitySource"), Allowed, "Allowed"),
        ("A11", "an empty identity source", with(v2(), "/identitySource", json!([])), Allowed, "Allowed"),
        ("A11", "null as identity source", with(v2(), "/identitySource", json!(null)), Allowed, "Allowed"),
        (
            "A11",
            "another entry in the identity source",
            with(v2(), "/identitySource", json!([bearer, "192.0.2.1"])),
            Forbidden,
            "TokenAmbiguous",
        ),
        (
            "A14",
            "a cookie",
            with(without(v2(), "/headers/authorization"), "/cookies", json!([format!("access={token}")])),
            Forbidden,
            "TokenMissing",
        ),
        (
            "A18",
            "in the query",
            with(without(v2(), "/headers/authorization"), "/rawQueryString", json!(format!("access_token={token}"))),
            Forbidden,
            "TokenMissing",
        ),
        (
            "A31",
            "an API key",
            with(rest(), "/requestContext/identity/apiKey", json!("another-tenants-key")),
            Allowed,
            "Allowed",
        ),
    ];
    for value in [json!(null), json!(""), json!(7), json!([bearer]), json!({})] {
        let event = with(rest_token("x", "GET", "/items"), "/authorizationToken", value);
        table.push(("A02", "a token that is no text", event, Unauthorized, "TokenMissing"));
    }
    for name in ["Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"] {
        let event = headers(json!({name: bearer}), json!({name: [bearer]}));
        table.push(("A03", "the header's name in another case", event, Allowed, "Allowed"));
    }
    each(&mut gate, table)
}

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
        ("A12", token.clone(), false),
        ("A13", format!("Bearer\u{a0}{token}"), false),
        ("A13", format!("\u{ff22}earer {token}"), false),
        ("A13", format!("Bearer {token}\0"), false),
        ("A13", format!("Bearer {token}\n"), false),
        ("A13", format!("Bearer \r\n {token}"), false),
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

#[test]
fn an_event_that_contradicts_itself_is_refused() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let token = gate.token.clone();
    let rest = || rest_request(&token, "GET", "/items");
    let v2 = || http_v2(&token, "GET", "/items");
    let simple = || rest_token(&token, "GET", "/items");
    let refused = (Unauthorized, "EventRefused");
    let inconsistent = (Unauthorized, "EventInconsistent");
    let mut rows = vec![
        (
            "A17",
            "a WebSocket message",
            with(
                with(rest(), "/requestContext/eventType", json!("MESSAGE")),
                "/requestContext/connectionId",
                json!("x="),
            ),
            refused,
        ),
        ("A17", "a WebSocket connection", with(rest(), "/requestContext/eventType", json!("CONNECT")), refused),
        (
            "A16",
            "a token in the query, twice",
            with(
                without(without(rest(), "/headers"), "/multiValueHeaders"),
                "/multiValueQueryStringParameters",
                json!({"token": [token, token]}),
            ),
            (Unauthorized, "TokenMissing"),
        ),
        ("A20", "nothing", json!({}), refused),
        ("A20", "null", json!(null), refused),
        ("A20", "a list", json!([]), refused),
        ("A20", "a text", json!("x"), refused),
        ("A20", "another version", with(v2(), "/version", json!("3.0")), refused),
        ("A20", "another type", with(simple(), "/type", json!("COOKIE")), refused),
        ("A21", "no ARN", without(simple(), "/methodArn"), refused),
        ("A25", "another verb", with(rest(), "/httpMethod", json!("DELETE")), inconsistent),
        ("A25", "another verb in the context", with(rest(), "/requestContext/httpMethod", json!("POST")), inconsistent),
        ("A25", "another path", with(rest(), "/path", json!("/admin/members")), inconsistent),
        ("A25", "another resource", with(rest(), "/resource", json!("/admin/{proxy+}")), inconsistent),
        ("A25", "another verb of payload 2.0", with(v2(), "/requestContext/http/method", json!("PUT")), inconsistent),
        ("A25", "another path of payload 2.0", with(v2(), "/rawPath", json!("/me")), inconsistent),
        ("A25", "another route key", with(v2(), "/routeKey", json!("GET /me")), inconsistent),
        ("A21", "another API", with(rest(), "/requestContext/apiId", json!("other456")), inconsistent),
        ("A21", "another account", with(rest(), "/requestContext/accountId", json!("999999999999")), inconsistent),
        ("A24", "another stage", with(rest(), "/requestContext/stage", json!("dev")), inconsistent),
    ];
    let arns = [
        "",
        "arn:",
        "a:b:c",
        "arn:aws:s3:us-east-1:123456789012:example123/prod/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example123",
        "arn:aws:execute-api:us-east-1:123456789012:*/prod/GET/items",
        "arn:aws:execute-api:us-east-1:*:example123/prod/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example123/*/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example123/prod",
    ];
    for arn in arns {
        rows.push(("A21", arn, with(simple(), "/methodArn", json!(arn)), refused));
    }
    each(&mut gate, rows.into_iter().map(|(id, says, event, (heard, code))| (id, says, event, heard, code)).collect())?;
    // A stage may be called `$default`; the path then begins at once.
    let event = with(simple(), "/methodArn", json!(arn("GET", "/items").replace("/prod/", "/$default/")));
    let answer = gate.send(event.to_string())?.json()?;
    let verdict = evaluate(&answer["policyDocument"], &arn("GET", "/items").replace("/prod/", "/$default/"));
    ensure!(verdict == Verdict::Allow, "A24 the stage $default: {answer}");
    ensure!(
        evaluate(&answer["policyDocument"], &arn("GET", "/items")) != Verdict::Allow,
        "A24 another stage is allowed"
    );
    Ok(())
}

#[test]
fn a_path_is_taken_as_it_stands() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let token = gate.token.clone();
    let table = [
        ("A27", "GET", "/items/", "no trailing slash"),
        ("A27", "GET", "//items", "no empty segment"),
        ("A27", "GET", "/items//x", "no empty segment inside"),
        ("A29", "ANY", "/items", "no such verb"),
        ("A29", "get", "/items", "verbs are in capitals"),
        ("A29", "HEAD", "/items", "GET is not HEAD"),
        ("A29", "OPTIONS", "/items", "GET is not OPTIONS"),
        ("P04", "GET", "/users/1/admin/delete", "a segment is one segment"),
        ("P04", "GET", "/items/..", "no dots"),
        ("P04", "GET", "/items/%2e%2e", "no escaped dots"),
        ("P04", "GET", "/items/a%2Fb", "no escaped slash"),
        ("P05", "GET", "/items/*", "no star"),
        ("P05", "GET", "/item?", "no question mark"),
        ("P08", "*", "/*", "no star as verb"),
        ("A23", "GET", &format!("/items/{}", "x".repeat(1_600)), "a very long path"),
    ];
    for (id, method, path, says) in table {
        for event in [rest_token(&token, method, path), http_v2(&token, method, path)] {
            let outcome = gate.send(event.to_string())?;
            let heard = passage(&outcome, &arn(method, path));
            // In a policy a template's parameter is a star, which takes any one segment; and a request that is too
            // long to be named in a policy is still the same route.
            let one_segment = path.strip_prefix("/items/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
            let passes = (one_segment && event["type"] == "TOKEN") || (id == "A23" && event["version"] == "2.0");
            ensure!(heard != Allowed || passes, "{id} {says}: {method} {path:.40} is {heard:?}");
            if let Ok(answer) = outcome.json() {
                check_policy(&answer["policyDocument"]).with_context(|| format!("{id} {says}"))?;
            }
        }
    }
    // A29: a header that asks for another verb changes nothing.
    let event = with(rest_request(&token, "GET", "/items/1"), "/headers/X-HTTP-Method-Override", json!("DELETE"));
    let policy = gate.send(event.to_string())?.json()?["policyDocument"].take();
    ensure!(evaluate(&policy, &arn("DELETE", "/items/1")) != Verdict::Allow, "A29 the override is believed");
    gate.still_serves()
}

/// What no policy may have: wildcards in verb, API or stage, or long resources.
fn check_policy(policy: &Value) -> Result<()> {
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let resources = match &statement["Resource"] {
            Value::Array(resources) => resources.iter().collect(),
            one => vec![one],
        };
        ensure!(!resources.is_empty(), "a statement without a resource: {statement}");
        for resource in resources.into_iter().filter_map(Value::as_str) {
            ensure!(resource.len() <= 512, "P14 a resource of {} bytes", resource.len());
            if statement["Effect"] != "Allow" {
                continue;
            }
            let call = resource.strip_prefix(API).unwrap_or_default();
            let path = call.trim_start_matches('/').split_once('/');
            ensure!(
                path.is_some_and(
                    |(verb, path)| verb.bytes().all(|byte| byte.is_ascii_uppercase()) && !path.starts_with('*')
                ),
                "P08 {resource}"
            );
            ensure!(!resource.contains('?'), "P05 {resource}");
        }
    }
    Ok(())
}

#[test]
fn a_cached_policy_is_right_for_every_route() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let (member, admin) = (gate.token.clone(), gate.other.clone());
    // Verb, path, and whether the member of acme and the administrator of globex may.
    let calls = [
        ("GET", "/items", true, true),
        ("GET", "/items/1", true, true),
        ("DELETE", "/items/1", false, true),
        ("PUT", "/items/1", false, false),
        ("GET", "/items/1/2", false, false),
        ("GET", "/users/7", true, true),
        ("GET", "/users/7/orders", false, true),
        ("GET", "/users/7/8/orders", false, false),
        ("GET", "/users/1/admin/delete", false, false),
        ("GET", "/me", true, true),
        ("GET", "/me/", false, false),
        ("GET", "/profile", false, false),
        ("GET", "/scoped", false, false),
        ("GET", "/staff", false, false),
        ("GET", "/admin/members", false, true),
        ("GET", "/tenants/acme", true, false),
        ("GET", "/tenants/globex", false, true),
        ("GET", "/tenants/acme-2", false, false),
        ("POST", "/robots", false, false),
        ("GET", "/unknown", false, false),
    ];
    for (method, path, ..) in calls {
        let (of_member, of_admin) = (gate.policy(&member, method, path)?, gate.policy(&admin, method, path)?);
        for (who, policy) in [("member", &of_member), ("admin", &of_admin)] {
            check_policy(policy).with_context(|| format!("{who}, authorized at {method} {path}"))?;
            ensure!(policy["Statement"].as_array().is_some_and(|statements| !statements.is_empty()), "P06 {policy}");
        }
        for (method_2, path_2, member_may, admin_may) in calls {
            // P01, P02: whichever call the policy was made for, it says the same of another. A template that
            // cannot be written without opening another route is narrowed to the call at hand.
            let asked = arn(method_2, path_2);
            let same = (method, path) == (method_2, path_2);
            for (who, policy, may) in [("member", &of_member, member_may), ("admin", &of_admin, admin_may)] {
                let allowed = evaluate(policy, &asked) == Verdict::Allow;
                let narrowed = who == "admin" && path_2.starts_with("/users/") && !same;
                ensure!(
                    allowed == may || (narrowed && !allowed),
                    "P01 {who}: a policy made at {method} {path} says {allowed} of {method_2} {path_2}"
                );
            }
        }
        ensure!(gate.policy(&member, method, path)? == of_member, "P15 not the same twice");
    }
    Ok(())
}

#[test]
fn two_callers_never_get_each_others_answer() -> Result<()> {
    let mut gate = Gate::open(&[("LOG_LEVEL", "info")])?;
    let (acme, globex) = (gate.token.clone(), gate.other.clone());
    // P03, P11: many times in turn, over one process. `POOLHOUSE_CALLS` says how many.
    for _ in 0..setting("POOLHOUSE_CALLS", 1_000)? / 4 {
        for (token, tenant) in [(&acme, "acme"), (&globex, "globex")] {
            let answer = gate.function.invoke_json(&http_v2(token, "GET", "/items")).json()?;
            ensure!(answer["context"]["tenant"] == tenant, "P03 {answer}");
            let names: Vec<&String> = answer["context"].as_object().context("no context")?.keys().collect();
            ensure!(names == ["clientId", "roles", "subject", "tenant", "tokenUse"], "P11 the context has {names:?}");
            let answer = gate.function.invoke_json(&rest_token(token, "GET", "/items")).json()?;
            ensure!(answer["principalId"] == TokenIssuer::SUBJECT, "P12 {answer}");
            ensure!(answer.get("usageIdentifierKey").is_none(), "A31 {answer}");
            let foreign = if tenant == "acme" { "/tenants/globex" } else { "/tenants/acme" };
            ensure!(evaluate(&answer["policyDocument"], &arn("GET", foreign)) != Verdict::Allow, "P03 {answer}");
        }
    }
    gate.still_serves()
}

#[test]
fn every_front_is_answered_in_its_own_form() -> Result<()> {
    let here = arn("GET", "/items");
    for answer in ["simple", "iam"] {
        let mut gate = Gate::open(&[("ANSWER", answer)])?;
        let token = gate.token.clone();
        let fronts: [fn(&str, &str, &str) -> Value; 4] = [rest_token, rest_request, http_v1, http_v2];
        for (index, event) in fronts.into_iter().enumerate() {
            let good = gate.send(event(&token, "GET", "/items").to_string())?;
            ensure!(passage(&good, &here) == Allowed, "{answer} {index}: {:?}", good.reply);
            let simple = answer == "simple" && index == 3;
            ensure!(good.json()?.get("isAuthorized").is_some() == simple, "{answer} {index}: {:?}", good.reply);
            // L05: every refusal of a token is byte for byte the same.
            let bad: Vec<Reply> =
                ["a.b.c", "", &token.replacen('.', ".e", 1), token.trim_end_matches(|sign| sign != '.')]
                    .iter()
                    .map(|bad| Ok(gate.send(event(bad, "GET", "/items").to_string())?.reply))
                    .collect::<Result<_>>()?;
            let heard: Vec<_> = bad.iter().map(anonymous).collect();
            ensure!(heard.windows(2).all(|pair| pair[0] == pair[1]), "L05 {answer} {index}: {bad:?}");
        }
        gate.still_serves()?;
    }
    Ok(())
}

/// What of a reply reaches the caller: of a function error the text alone.
fn anonymous(reply: &Reply) -> (Option<Vec<u8>>, Option<String>) {
    match reply {
        Reply::Answer(body) => (Some(body.clone()), None),
        Reply::Error { message, .. } => (None, Some(message.clone())),
        other => (None, Some(format!("{other:?}"))),
    }
}

#[test]
fn bytes_that_are_no_event_do_no_harm() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let event = http_v2(&gate.token, "GET", "/items").to_string();
    let within = |place: &str, extra: &str| event.replacen(place, &format!("{place}{extra}"), 1);
    // What is nested in a member that nobody reads is passed over; nothing else passes.
    let rows = [
        ("A33", "deep, unknown", format!("{{\"type\":\"TOKEN\",\"x\":{deep}}}"), false),
        ("A33", "deep in the context", within("\"requestContext\":{", &format!("\"x\":{deep},")), true),
        ("A33", "deep in the headers", within("\"headers\":{", &format!("\"Authorization\":{deep},")), false),
        ("T15", "the type twice", within("{", "\"type\":\"TOKEN\","), false),
        ("T15", "the header twice", within("\"headers\":{", "\"authorization\":\"Bearer x\","), false),
        ("T15", "the ARN twice", within("{", "\"routeArn\":\"x\","), false),
    ];
    for (id, says, bytes, passes) in rows {
        ensure!(bytes != event, "{id} {says}: the event is as it was");
        let outcome = gate.send(bytes).with_context(|| format!("{id} {says}"))?;
        ensure!((passage(&outcome, &arn("GET", "/items")) == Allowed) == passes, "{id} {says}: {:?}", outcome.reply);
        gate.still_serves()?;
    }
    Ok(())
}

#[test]
fn without_a_key_set_nobody_passes_and_with_it_everybody_does() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = issuer_keys(&issuer)?;
    let unusable: Vec<(&str, &str, Response)> = vec![
        ("K08", "429", Response::new(429, "application/json", "{}").header("retry-after", "1")),
        ("K08", "500", Response::new(500, "application/json", "{}")),
        ("K08", "503", Response::new(503, "application/json", "{}")),
        ("K08", "403", Response::new(403, "application/json", "{}")),
        (
            "K11",
            "a huge body",
            Response::new(200, "application/json", format!("{{\"keys\":[]{}}}", " ".repeat(1_000_000))),
        ),
        (
            "K12",
            "a redirect",
            Response::new(302, "text/plain", "").header("location", format!("{}/keys", issuer.url())),
        ),
        ("K13", "a page", Response::new(200, "text/html", "<html>not now</html>")),
        (
            "K13",
            "a byte order mark",
            Response::new(200, "application/json", format!("\u{feff}{}", json!({"keys": good}))),
        ),
        ("K14", "no keys", Response::new(200, "application/json", "{}")),
        ("K14", "an empty list", Response::new(200, "application/json", r#"{"keys":[]}"#)),
        ("K14", "keys that are no list", Response::new(200, "application/json", r#"{"keys":{}}"#)),
        (
            "H34",
            "two keys of one name",
            Response::new(200, "application/json", json!({"keys": [good[0], good[0]]}).to_string()),
        ),
        (
            "H33",
            "a shared secret",
            Response::new(
                200,
                "application/json",
                json!({"keys": [{"kty": "oct", "kid": issuer.kid, "k": "c2VjcmV0"}]}).to_string(),
            ),
        ),
        (
            "H35",
            "a weak key",
            Response::new(
                200,
                "application/json",
                json!({"keys": [with(good[0].clone(), "/e", json!("AQ"))]}).to_string(),
            ),
        ),
    ];
    let mut gates = Vec::new();
    for (id, says, response) in unusable {
        let issuer = TokenIssuer::start()?;
        issuer.serve(response);
        let mut gate = Gate::before(issuer, &[])?;
        let token = gate.token.clone();
        let (heard, code) = gate.heard(&http_v2(&token, "GET", "/items"))?;
        // P17: nothing could be checked, so nothing is answered that could be cached.
        ensure!(heard == Passage::Failed && code == "KeySetUnavailable", "{id} {says}: {heard:?}, {code}");
        gate.issuer.serve_keys(&good);
        gates.push((id, says, gate));
    }
    // A failure is not for ever, and not asked about at every call.
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    for (id, says, mut gate) in gates {
        gate.still_serves().with_context(|| format!("{id} {says}, once the key set is back"))?;
        ensure!(gate.issuer.fetches() <= 5, "{id} {says}: {} fetches", gate.issuer.fetches());
    }
    Ok(())
}

#[test]
fn a_key_set_that_cannot_be_reached_is_waited_for_with_measure() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = json!({"keys": issuer_keys(&issuer)?}).to_string();
    let silent = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_silent = std::sync::Arc::clone(&silent);
    let server = tests::http::Server::start(move |_| {
        if is_silent.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_secs(3));
        }
        Response::new(200, "application/json", good.clone())
    })?;
    // A port that was free a moment ago, and a name that no resolver takes, for a label has 63 letters at most.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let rows = [
        ("refused", format!("http://{free}/keys")),
        ("no such name", format!("https://{}.example/keys", "a".repeat(64))),
        ("TLS where there is none", format!("https://{}/keys", server.address())),
        ("no answer in time", format!("{}/keys", server.url())),
    ];
    for (says, address) in rows {
        let rules = workspace_root().join("tests/attacks.rules.toml").display().to_string();
        let mut settings = issuer.settings();
        settings.retain(|(key, _)| key != "KEY_SET_URL");
        settings.extend([("KEY_SET_URL".to_owned(), address), ("RULES_FILE".to_owned(), rules)]);
        let mut function = Function::start("authorizer", settings)?;
        let token = issuer.mint(&issuer.access().with("tenant", "acme"))?;
        let event = http_v2(&token, "GET", "/items").to_string();
        // The first may ask again, the second comes too soon after it.
        for wait in [600, 0] {
            std::thread::sleep(std::time::Duration::from_millis(wait));
            let outcome = function.invoke(event.as_str());
            Audit::default().outcome(&function, &outcome)?;
            let code = function.code_of(&outcome);
            ensure!(code.as_deref() == Some("KeySetUnavailable"), "K08 {says}: {code:?}");
            ensure!(passage(&outcome, &arn("GET", "/items")) == Passage::Failed, "K08 {says}: {:?}", outcome.reply);
            // Two attempts of 0.7 s, on a machine that may be busy.
            ensure!(outcome.elapsed.as_millis() < 3_000, "K08 {says} took {:?}", outcome.elapsed);
        }
        if says == "no answer in time" {
            silent.store(false, std::sync::atomic::Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2_500));
            let outcome = function.invoke(event.as_str());
            ensure!(passage(&outcome, &arn("GET", "/items")) == Allowed, "K08 not for ever: {:?}", outcome.reply);
        }
    }
    Ok(())
}

/// A number from the environment, for longer runs.
fn setting(name: &str, otherwise: usize) -> Result<usize> {
    std::env::var(name).map_or(Ok(otherwise), |text| Ok(text.parse()?))
}

fn issuer_keys(issuer: &TokenIssuer) -> Result<Vec<Value>> {
    Ok(vec![tests::signing_key()?.jwk(&issuer.kid)])
}

/// `POOLHOUSE_CALLS` says how many; a good token comes after every tenth.
#[test]
fn unknown_names_cost_one_fetch_and_no_good_caller() -> Result<()> {
    let mut gate = Gate::open(&[("LOG_LEVEL", "info")])?;
    let (text, good) = (gate.issuer.access().with("tenant", "acme").text(), gate.token.clone());
    // Nobody looks at a signature under a name that is not known.
    let signature = tests::encode(other_signing_key()?.sign("anything")?);
    let (good, here) = (http_v2(&good, "GET", "/items").to_string(), arn("GET", "/items"));
    let begun = std::time::Instant::now();
    let mut slowest = std::time::Duration::ZERO;
    for number in 0..setting("POOLHOUSE_CALLS", 2_000)? {
        let header = json!({"alg": "RS256", "kid": format!("k{number}")}).to_string();
        let token = format!("{}.{}.{signature}", tests::encode(header), tests::encode(&text));
        let outcome = gate.function.invoke_json(&http_v2(&token, "GET", "/items"));
        ensure!(passage(&outcome, &here) == Forbidden, "K03 {:?}", outcome.reply);
        if number % 10 == 0 {
            let outcome = gate.function.invoke(good.as_str());
            ensure!(passage(&outcome, &here) == Allowed, "K04 {:?}", outcome.reply);
            slowest = slowest.max(outcome.elapsed);
        }
    }
    // One at start, one for the first name, and one for each cool-down of 10 s that passed meanwhile.
    let most = 2 + usize::try_from(begun.elapsed().as_secs())? / 10;
    ensure!(gate.issuer.fetches() <= most, "K03 {} fetches in {:?}", gate.issuer.fetches(), begun.elapsed());
    ensure!(slowest.as_secs() < 2, "K04 a good token waited {slowest:?}");
    Audit::default().printed(&gate.function)?;
    gate.still_serves()
}

#[test]
fn a_set_with_odd_keys_serves_by_its_good_ones() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = tests::signing_key()?.jwk(&issuer.kid);
    let leaked = with(other_signing_key()?.jwk("kA2"), "/d", json!("canary-private-exponent"));
    issuer.serve_keys(&[
        json!({"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "kid": "k3", "crv": "Ed25519", "x": "AA"}),
        json!(7),
        json!({"kty": "RSA", "kid": "k4", "n": "AQAB", "e": "AQAB"}),
        leaked,
        good,
    ]);
    let mut gate = Gate::before(issuer, &[])?;
    // H33, H36, K14: one key is usable, and it is used; the leak is told, not shown.
    gate.still_serves()?;
    let lines = gate.function.lines();
    ensure!(lines.iter().any(|line| line.text.contains("PrivateKeyPublished")), "H36 nobody was told");
    ensure!(!lines.iter().any(|line| line.text.contains("canary-private")), "H36 it was printed");
    Ok(())
}
