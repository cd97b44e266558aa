//! Rows A17 to A25, A33, L05 and T15: events that are none or contradict themselves,
//! and how each front is answered.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::edit::{with, without};
use tests::gateway::Passage::{Allowed, Forbidden, Unauthorized};
use tests::gateway::{arn, http_v1, http_v2, passage, rest_request, rest_token, web_socket};
use tests::{Reply, Verdict, evaluate};

use crate::{Gate, each};

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
        ("A17", "a whole connection", web_socket(&[("Authorization", &format!("Bearer {token}"))], &[]), refused),
        ("A20", "a number", json!(7), refused),
        ("A20", "true", json!(true), refused),
        ("A20", "an empty text", json!(""), refused),
        ("A20", "an event in a list", json!([simple()]), refused),
        ("A20", "an event in a text", json!(simple().to_string()), refused),
        (
            "A20",
            "a trigger's event",
            json!({"version": "1", "triggerSource": "PreSignUp_SignUp", "request": {}}),
            refused,
        ),
        ("A20", "a version that is a number", with(v2(), "/version", json!(2.0)), refused),
        ("A20", "a type in small letters", with(simple(), "/type", json!("token")), refused),
        ("A20", "a type that is a list", with(simple(), "/type", json!(["TOKEN"])), refused),
        ("A20", "no type", without(rest(), "/type"), refused),
        ("A20", "a TOKEN of an HTTP API", with(v2(), "/type", json!("TOKEN")), refused),
        ("A20", "a context that is a text", with(rest(), "/requestContext", json!("x")), refused),
        ("A20", "nothing", json!({}), refused),
        ("A20", "null", json!(null), refused),
        ("A20", "a list", json!([]), refused),
        ("A20", "a text", json!("x"), refused),
        ("A20", "another version", with(v2(), "/version", json!("3.0")), refused),
        ("A20", "another type", with(simple(), "/type", json!("COOKIE")), refused),
        ("A21", "no ARN", without(simple(), "/methodArn"), refused),
        ("A21", "null for an ARN", with(simple(), "/methodArn", json!(null)), refused),
        ("A21", "an ARN in a list", with(simple(), "/methodArn", json!([arn("GET", "/items")])), refused),
        ("A21", "payload 2.0 without an ARN", without(v2(), "/routeArn"), refused),
        (
            "A21",
            "payload 2.0 with the ARN of 1.0",
            with(without(v2(), "/routeArn"), "/methodArn", json!(arn("GET", "/items"))),
            refused,
        ),
        (
            "A25",
            "another resource in the context",
            with(rest(), "/requestContext/resourcePath", json!("/admin/members")),
            inconsistent,
        ),
        (
            "A25",
            "a template that the path does not meet",
            with(rest(), "/requestContext/resourcePath", json!("/items/{id}")),
            inconsistent,
        ),
        (
            "A25",
            "a template of another place",
            with(rest(), "/requestContext/resourcePath", json!("/admin/{proxy+}")),
            inconsistent,
        ),
        (
            "A25",
            "another path, payload 1.0",
            with(http_v1(&token, "GET", "/items"), "/path", json!("/me")),
            inconsistent,
        ),
        (
            "A25",
            "another resource, payload 1.0",
            with(http_v1(&token, "GET", "/items"), "/requestContext/resourcePath", json!("/me")),
            inconsistent,
        ),
        (
            "A25",
            "another verb, payload 1.0",
            with(http_v1(&token, "GET", "/items"), "/httpMethod", json!("DELETE")),
            inconsistent,
        ),
        ("A25", "a verb in small letters", with(rest(), "/httpMethod", json!("get")), inconsistent),
        ("A25", "another verb in the route key", with(v2(), "/routeKey", json!("DELETE /items")), inconsistent),
        (
            "A25",
            "another route key in the context",
            with(v2(), "/requestContext/routeKey", json!("GET /me")),
            inconsistent,
        ),
        (
            "A25",
            "another verb in the context's route key",
            with(v2(), "/requestContext/routeKey", json!("PUT /items")),
            inconsistent,
        ),
        ("A25", "another path in the context", with(v2(), "/requestContext/http/path", json!("/me")), inconsistent),
        ("A25", "a longer path", with(rest(), "/path", json!("/items/1")), inconsistent),
        ("A21", "another API of an HTTP API", with(v2(), "/requestContext/apiId", json!("other456")), inconsistent),
        (
            "A21",
            "another account of an HTTP API",
            with(v2(), "/requestContext/accountId", json!("999999999999")),
            inconsistent,
        ),
        ("A24", "another stage of an HTTP API", with(v2(), "/requestContext/stage", json!("dev")), inconsistent),
        ("A24", "a stage with a slash", with(rest(), "/requestContext/stage", json!("prod/GET")), inconsistent),
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
        "arn:aws:execute-api:us-east-1:123456789012:example123/prod/",
        "arn:aws:execute-api:us-east-1:123456789012:example123//GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:/prod/GET/items",
        "arn:aws:execute-api:us-east-1::example123/prod/GET/items",
        "arn:aws:execute-api::123456789012:example123/prod/GET/items",
        "arn:aws:execute-api:us-east-?:123456789012:example123/prod/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example???/prod/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:${x}/prod/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example123/pr*/GET/items",
        "arn:aws:execute-api:us-east-1:123456789012:example123/${stage}/GET/items",
        "arn:*:execute-api:us-east-1:123456789012:example123/prod/GET/items",
        "ARN:aws:execute-api:us-east-1:123456789012:example123/prod/GET/items",
        " arn:aws:execute-api:us-east-1:123456789012:example123/prod/GET/items",
        "*",
        "arn:aws:lambda:us-east-1:123456789012:function:authorizer",
    ];
    let console = arn("GET", "/items").replace("/prod/", "/test-invoke-stage/");
    rows.push(("A24", "the console's stage", with(simple(), "/methodArn", json!(console)), refused));
    let of_rest = with(with(rest(), "/methodArn", json!(console)), "/requestContext/stage", json!("test-invoke-stage"));
    rows.push(("A24", "the console's stage, REQUEST", of_rest, refused));
    let of_http = with(with(v2(), "/routeArn", json!(console)), "/requestContext/stage", json!("test-invoke-stage"));
    rows.push(("A24", "the console's stage, payload 2.0", of_http, refused));
    // A TOKEN event says nothing but its ARN: who names another place is answered for that place, and not for ours.
    for (from, to) in [
        ("us-east-1", "eu-west-1"),
        ("123456789012", "999999999999"),
        ("example123", "other456"),
        ("/prod/", "/dev/"),
        ("arn:aws:", "arn:aws-cn:"),
    ] {
        let event = with(simple(), "/methodArn", json!(arn("GET", "/items").replace(from, to)));
        rows.push(("A21", to, event, (Forbidden, "Allowed")));
    }
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
        ("A33", "deep in the list of sources", within("\"identitySource\":", &format!("{deep},\"x\":")), false),
        (
            "A33",
            "deep objects, unknown",
            within("{", &format!("\"x\":{},", "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000))),
            true,
        ),
        ("A33", "deep in the headers", within("\"headers\":{", &format!("\"Authorization\":{deep},")), false),
        ("T15", "the context twice", within("{", "\"requestContext\":{},"), false),
        ("T15", "the headers twice", within("{", "\"headers\":{},"), false),
        ("T15", "the ARN twice, once escaped", within("{", "\"route\\u0041rn\":\"x\","), false),
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
