//! Groups A and P: every kind of event, and how each is answered.

#![cfg(test)]

mod support;

use authorizer::Authorizer;
use serde_json::{Value, json};
use shell::key_set::{Fetch, FetchError, Limits};
use support::keys::{ISSUER, KEY, NEXT_KEY, Published, key_set, with};
use support::{CLIENT, SUBJECT, call, call_text, claims, good, http, ready, settings, settings_with};

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/items";

fn token_event(value: Value) -> Value {
    json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": value})
}

/// A REQUEST event of a REST API with these headers.
fn rest(headers: Value, all: Value) -> Value {
    json!({"type": "REQUEST", "methodArn": ARN, "resource": "/items", "path": "/items", "httpMethod": "GET",
        "headers": headers, "multiValueHeaders": all, "queryStringParameters": null,
        "requestContext": {"accountId": "123456789012", "apiId": "abc123", "stage": "prod", "httpMethod": "GET",
            "path": "/prod/items", "resourcePath": "/items", "identity": {"apiKey": "somebody-elses"}}})
}

fn rest_with(value: &str) -> Value {
    rest(json!({"Authorization": value}), json!({"Authorization": [value]}))
}

/// An HTTP API event, payload 1.0.
fn http_v1(value: &str) -> Value {
    let arn = ARN.replace("/prod/", "/$default/");
    let event = with(rest_with(value), "version", json!("1.0"));
    let event = with(with(event, "methodArn", json!(arn)), "identitySource", json!(value));
    let event = with(event, "authorizationToken", json!(value));
    with(event, "requestContext", json!({"accountId": "123456789012", "apiId": "abc123", "stage": "$default"}))
}

/// What came back, in one word: the code of the answer, or of the failure with
/// what API Gateway makes of it.
async fn outcome<F: Fetch>(authorizer: &Authorizer<F>, event: &Value) -> String {
    match call(authorizer, event).await {
        Ok(answer) => answer.code.to_owned(),
        Err(failure) if failure.public().as_str() == "Unauthorized" => format!("401 {}", failure.code()),
        Err(failure) => format!("500 {}", failure.code()),
    }
}

async fn body<F: Fetch>(authorizer: &Authorizer<F>, event: &Value) -> Value {
    serde_json::from_str(call(authorizer, event).await.unwrap().body.as_str()).unwrap()
}

/// The answer without the end of what it allows, which each policy must have.
async fn endless<F: Fetch>(authorizer: &Authorizer<F>, event: &Value) -> Value {
    let mut answer = body(authorizer, event).await;
    let allowed = answer["policyDocument"]["Statement"][0].as_object_mut().unwrap();
    let end = allowed.remove("Condition").unwrap();
    assert!(end["DateLessThan"]["aws:CurrentTime"].is_string(), "{end}");
    answer
}

fn context() -> Value {
    json!({"subject": SUBJECT, "tenant": "acme", "roles": "member", "clientId": CLIENT, "tokenUse": "access"})
}

#[tokio::test]
async fn each_kind_of_event_has_its_answer() {
    let bearer = format!("Bearer {}", good());
    let (simple, iam) = (ready("simple").await, ready("iam").await);
    let policy = |base: &str| {
        let base = format!("arn:aws:execute-api:eu-west-1:123456789012:abc123/{base}/GET");
        let resources = |paths: &[&str]| paths.iter().map(|path| format!("{base}{path}")).collect::<Vec<_>>();
        json!({"principalId": SUBJECT, "context": context(), "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "execute-api:Invoke",
                "Resource": resources(&["/", "/items", "/items/*", "/tenants/acme"])},
            {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": resources(&["/items/", "/items/*/*"])}]}})
    };
    assert_eq!(endless(&simple, &token_event(json!(bearer))).await, policy("prod"), "A01 REST TOKEN");
    assert_eq!(endless(&simple, &rest_with(&bearer)).await, policy("prod"), "A04 REST REQUEST");
    assert_eq!(endless(&simple, &http_v1(&bearer)).await, policy("$default"), "HTTP API 1.0");
    let allowed = json!({"isAuthorized": true, "context": context()});
    assert_eq!(body(&simple, &http("/items", &bearer)).await, allowed, "A09 simple");
    assert_eq!(endless(&iam, &http("/items", &bearer)).await, policy("$default"), "A09 policy");
}

#[tokio::test]
async fn a_genuine_caller_on_a_closed_route_is_forbidden() {
    let bearer = format!("Bearer {}", good());
    let (simple, iam) = (ready("simple").await, ready("iam").await);
    let closed = [
        ("/admin/items", "RoleMissing"),
        ("/tenants/globex", "TenantDiffers"),
        ("/nowhere", "RouteUnknown"),
        ("/items/", "PathRefused"),
        ("/items/%31", "PathRefused"),
    ];
    for (path, code) in closed {
        let event = http(path, &bearer);
        assert_eq!(outcome(&simple, &event).await, code, "{path}");
        assert_eq!(body(&simple, &event).await, json!({"isAuthorized": false}), "{path}");
        let answer = body(&iam, &event).await;
        let resources = answer["policyDocument"]["Statement"][0]["Resource"].to_string();
        assert!(!resources.contains(path) || path == "/items/", "P02 {path} {resources}");
    }
    let nothing = KEY.token(&with(claims(), "token_use", json!("id")));
    assert_eq!(outcome(&simple, &http("/items", &format!("Bearer {nothing}"))).await, "ClientRefused");
    let homeless = json!({"sub": SUBJECT, "iss": ISSUER, "client_id": CLIENT, "token_use": "access",
        "iat": support::now(), "exp": support::now() + 60, "username": "ann"});
    let homeless = format!("Bearer {}", KEY.token(&homeless));
    let answer = body(&simple, &rest_with(&homeless)).await;
    let everything = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*";
    assert_eq!(
        answer["policyDocument"]["Statement"],
        json!([{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [everything]}]),
        "P06"
    );
    assert_eq!(answer["context"].get("tenant"), None);
}

#[tokio::test]
async fn whoever_shows_no_token_is_told_so_as_far_as_the_front_can() {
    let (simple, iam) = (ready("simple").await, ready("iam").await);
    for value in [json!(null), json!(""), json!(7), json!(["Bearer x"]), json!("allow"), json!("Bearer")] {
        assert_eq!(outcome(&simple, &token_event(value.clone())).await, "401 TokenMissing", "A02 {value}");
    }
    let event = json!({"type": "TOKEN", "methodArn": ARN});
    assert_eq!(outcome(&simple, &event).await, "401 TokenMissing", "A02 absent");
    let expired =
        KEY.token(&with(with(claims(), "iat", json!(support::now() - 20)), "exp", json!(support::now() - 10)));
    let expired = format!("Bearer {expired}");
    assert_eq!(outcome(&simple, &rest_with(&expired)).await, "401 TokenExpired");
    assert_eq!(body(&simple, &http("/items", &expired)).await, json!({"isAuthorized": false}));
    for (front, event) in [("2.0", http("/items", &expired)), ("1.0", http_v1(&expired))] {
        let answer = body(&iam, &event).await;
        assert_eq!(answer["principalId"], "unknown", "{front}");
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny", "{front}");
        assert_eq!((answer["policyDocument"]["Statement"].as_array().unwrap().len(), answer.get("context")), (1, None));
    }
}

#[tokio::test]
async fn the_header_is_found_in_any_case_and_must_be_one() {
    let authorizer = ready("simple").await;
    let (one, two) = (format!("Bearer {}", good()), "Bearer a.b.c".to_owned());
    for name in ["Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"] {
        let event = rest(json!({ name: one }), json!({ name: [one] }));
        assert_eq!(outcome(&authorizer, &event).await, "Allowed", "A03 {name}");
    }
    let rows = [
        ("A05 both agree", json!({"Authorization": one}), json!({"Authorization": [one]}), "Allowed"),
        ("A05 they differ", json!({"Authorization": one}), json!({"Authorization": [two]}), "401 TokenAmbiguous"),
        ("A06 good, bad", json!({"Authorization": two}), json!({"Authorization": [one, two]}), "401 TokenAmbiguous"),
        ("A06 bad, good", json!({"Authorization": one}), json!({"Authorization": [two, one]}), "401 TokenAmbiguous"),
        (
            "A06 the same twice",
            json!({"Authorization": one}),
            json!({"Authorization": [one, one]}),
            "401 TokenAmbiguous",
        ),
        ("A06 two names", json!({"Authorization": one, "authorization": two}), json!(null), "401 TokenAmbiguous"),
        ("A07 several only", json!(null), json!({"authorization": [one]}), "Allowed"),
        ("A07 one only", json!({"authorization": one}), json!(null), "Allowed"),
        ("A07 none", json!(null), json!(null), "401 TokenMissing"),
        ("A07 empty", json!({}), json!({"Authorization": []}), "401 TokenMissing"),
        ("A07 null value", json!({"Authorization": null}), json!({}), "401 TokenMissing"),
        ("A08 joined", json!({"Authorization": format!("{one}, {two}")}), json!(null), "401 TokenAmbiguous"),
        (
            "A08 joined without space",
            json!({"Authorization": format!("{one},{two}")}),
            json!(null),
            "401 TokenAmbiguous",
        ),
        ("another header", json!({"X-Authorization": one}), json!(null), "401 TokenMissing"),
    ];
    for (name, headers, all, expected) in rows {
        assert_eq!(outcome(&authorizer, &rest(headers, all)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_cached_is_what_is_checked() {
    let authorizer = ready("simple").await;
    let good = format!("Bearer {}", good());
    let rows = [
        ("A09 alone", json!([good]), "Allowed"),
        ("A09 with the path", json!([good, "$default", "/items"]), "Allowed"),
        ("A09 with the method", json!([good, "GET"]), "Allowed"),
        ("A10 another one", json!(["Bearer a.b.c"]), "TokenAmbiguous"),
        ("A10 both", json!([good, "Bearer a.b.c"]), "TokenAmbiguous"),
        ("A10 the path alone", json!(["/items"]), "TokenAmbiguous"),
        ("A10 another path", json!([good, "/admin/items"]), "TokenAmbiguous"),
        ("A11 null", json!(null), "Allowed"),
        ("A11 empty", json!([]), "Allowed"),
        ("A11 an empty entry", json!([""]), "TokenAmbiguous"),
    ];
    for (name, source, expected) in rows {
        let event = with(http("/items", &good), "identitySource", source);
        assert_eq!(outcome(&authorizer, &event).await, expected, "{name}");
    }
    let mut missing = http("/items", &good);
    missing.as_object_mut().unwrap().remove("identitySource");
    assert_eq!(outcome(&authorizer, &missing).await, "Allowed", "A11 missing: the header counts");
    let bad_header = with(http("/items", &good), "headers", json!({"authorization": "Bearer a.b.c"}));
    assert_eq!(outcome(&authorizer, &bad_header).await, "TokenAmbiguous", "A10");
    let no_header = with(http("/items", &good), "headers", json!({"host": "x"}));
    assert_eq!(outcome(&authorizer, &no_header).await, "TokenMissing", "A11 only in the identity source");
    let joined = with(http_v1(&good), "identitySource", json!(format!("{good},/items")));
    assert_eq!(outcome(&authorizer, &joined).await, "Allowed", "A09 payload 1.0");
    let differs = with(http_v1(&good), "identitySource", json!("Bearer a.b.c"));
    assert_eq!(outcome(&authorizer, &differs).await, "TokenAmbiguous", "A10 payload 1.0");
}

#[tokio::test]
async fn a_scheme_one_space_and_a_token() {
    let authorizer = ready("simple").await;
    let t = good();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(outcome(&authorizer, &token_event(json!(format!("{scheme} {t}")))).await, "Allowed", "A12 {scheme}");
    }
    let missing = [
        "Bearer\t{t}",
        " Bearer {t}",
        "Bearer",
        "Bearer ",
        "Bearer:{t}",
        "Token {t}",
        "Basic {t}",
        "{t}",
        "Bearer{t}",
        "Bearer\u{a0}{t}",
        "\u{ff22}earer {t}",
        "Bearer\0{t}",
        "Bearer\n{t}",
        "Bearer\r\n {t}",
        "",
    ];
    let malformed = [
        "Bearer  {t}",
        "Bearer {t} ",
        "Bearer Bearer {t}",
        "Bearer {t}\n",
        "Bearer \u{a0}{t}",
        "Bearer {t}\0",
        "Bearer \"{t}\"",
        "Bearer {t};x",
        "Bearer \u{ff41}{t}",
    ];
    for (texts, code) in [(&missing[..], "401 TokenMissing"), (&malformed[..], "401 TokenMalformed")] {
        for text in texts {
            let value = text.replace("{t}", &t);
            let through_header = outcome(&authorizer, &rest_with(&value)).await;
            assert_eq!(through_header, code, "A12, A13 {text:?}");
            let through_token = outcome(&authorizer, &token_event(json!(value))).await;
            assert!(through_token.starts_with("401 Token"), "A12, A13 {text:?} {through_token}");
        }
    }
    let large = format!("Bearer {}", "A".repeat(6_000_000));
    assert_eq!(outcome(&authorizer, &token_event(json!(large))).await, "401 TokenTooLarge", "S33");
}

#[tokio::test]
async fn a_token_anywhere_else_is_not_seen() {
    let authorizer = ready("simple").await;
    let t = good();
    let nothing = || http("/items", "x");
    let bare = |event: Value| with(with(event, "headers", json!({})), "identitySource", json!([]));
    let rows = [
        (
            "A14 cookie",
            with(bare(nothing()), "cookies", json!([format!("access={t}"), format!("Authorization=Bearer {t}")])),
        ),
        (
            "A18 query",
            with(
                bare(nothing()),
                "queryStringParameters",
                json!({"access_token": t, "authorization": format!("Bearer {t}")}),
            ),
        ),
        ("A18 raw query", with(bare(nothing()), "rawQueryString", json!(format!("access_token={t}")))),
        ("body", with(bare(nothing()), "body", json!(format!("access_token={t}")))),
    ];
    for (name, event) in rows {
        assert_eq!(outcome(&authorizer, &event).await, "TokenMissing", "{name}");
    }
    let method = with(
        http("/items", &format!("Bearer {t}")),
        "headers",
        json!({"authorization": format!("Bearer {t}"), "x-http-method-override": "DELETE", "x-original-url": "/admin/items"}),
    );
    assert_eq!(outcome(&authorizer, &method).await, "Allowed", "A29 other headers change nothing");
}

#[tokio::test]
async fn other_kinds_of_events_are_refused() {
    let authorizer = ready("simple").await;
    let bearer = format!("Bearer {}", good());
    let socket = |context: Value, stage_and_route: &str| {
        let arn = format!("arn:aws:execute-api:eu-west-1:123456789012:abc123/{stage_and_route}");
        let event = with(rest_with(&bearer), "methodArn", json!(arn));
        let event = with(event, "multiValueQueryStringParameters", json!({"token": ["a", "b"]}));
        with(event, "requestContext", context)
    };
    let connect = json!({"eventType": "CONNECT", "connectionId": "x=", "routeKey": "$connect", "stage": "prod"});
    let message = json!({"eventType": "MESSAGE", "connectionId": "x=", "routeKey": "$default", "stage": "prod"});
    let rows = [
        ("A16 WebSocket", socket(connect, "prod/$connect")),
        ("A17 a message", socket(message.clone(), "prod/$default")),
        ("A17 in disguise", socket(message, "prod/GET/items")),
        ("AppSync", json!({"authorizationToken": bearer, "requestContext": {"apiId": "x", "queryString": "{a}"}})),
        ("A20 empty", json!({})),
        ("A20 null", json!(null)),
        ("A20 list", json!([])),
        ("A20 text", json!("x")),
        ("another type", with(token_event(json!(bearer)), "type", json!("COGNITO"))),
        ("type as a number", with(token_event(json!(bearer)), "type", json!(1))),
        ("another version", with(http("/items", &bearer), "version", json!("3.0"))),
        ("version 2.0 of a TOKEN event", with(token_event(json!(bearer)), "version", json!("2.0"))),
        ("A21 no name", json!({"type": "TOKEN", "authorizationToken": bearer})),
        ("A21 name null", with(token_event(json!(bearer)), "methodArn", json!(null))),
        ("A21 name of something else", with(http("/items", &bearer), "routeArn", json!("arn:aws:s3:::bucket/x"))),
        ("A21 no part", with(token_event(json!(bearer)), "methodArn", json!("arn:"))),
        ("A21 three parts", with(token_event(json!(bearer)), "methodArn", json!("arn:aws:execute-api"))),
        ("A21 a wildcard", with(token_event(json!(bearer)), "methodArn", json!(ARN.replace("prod", "*")))),
        (
            "A23 a very long name",
            with(token_event(json!(bearer)), "methodArn", json!(format!("{ARN}/{}", "a".repeat(1_600)))),
        ),
        (
            "A24 the console",
            with(token_event(json!(bearer)), "methodArn", json!(ARN.replace("prod", "test-invoke-stage"))),
        ),
        ("A22 headers as a list", with(rest_with(&bearer), "headers", json!([bearer]))),
    ];
    for (name, event) in rows {
        assert_eq!(outcome(&authorizer, &event).await, "401 EventRefused", "{name}");
    }
    let twice =
        format!(r#"{{"type":"TOKEN","methodArn":"{ARN}","methodArn":"{ARN}","authorizationToken":"{bearer}"}}"#);
    assert_eq!(call_text(&authorizer, &twice).await.unwrap_err().code(), "EventRefused", "A19 named twice");
    let deep =
        format!(r#"{{"type":"TOKEN","methodArn":"{ARN}","headers":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(call_text(&authorizer, &deep).await.unwrap_err().code(), "EventRefused", "A33 where it is read");
    let beside = deep.replace("\"headers\"", "\"requestContext\":{\"x\"").replace("]}", "]}}");
    assert_eq!(call_text(&authorizer, &beside).await.unwrap_err().code(), "TokenMissing", "A33 where it is read past");
}

#[tokio::test]
async fn an_event_that_contradicts_itself_is_refused() {
    let authorizer = ready("simple").await;
    let bearer = format!("Bearer {}", good());
    let in_context = |event: Value, name: &str, value: Value| {
        let context = with(event["requestContext"].clone(), name, value);
        with(event, "requestContext", context)
    };
    let rows = [
        ("A25 method", with(rest_with(&bearer), "httpMethod", json!("DELETE"))),
        ("A25 method in lower case", with(rest_with(&bearer), "httpMethod", json!("get"))),
        ("A25 path", with(rest_with(&bearer), "path", json!("/admin/items/x"))),
        ("A27 slash at the end", with(rest_with(&bearer), "path", json!("/items/"))),
        ("A25 resource", with(rest_with(&bearer), "resource", json!("/admin/items"))),
        ("A25 resource of another depth", with(rest_with(&bearer), "resource", json!("/items/{id}"))),
        ("A25 method in the context", in_context(rest_with(&bearer), "httpMethod", json!("PUT"))),
        ("A21 another account", in_context(rest_with(&bearer), "accountId", json!("999999999999"))),
        ("A21 another API", in_context(rest_with(&bearer), "apiId", json!("zzz999"))),
        ("A21 another stage", in_context(rest_with(&bearer), "stage", json!("dev"))),
        ("A25 2.0 method", in_context(http("/items", &bearer), "http", json!({"method": "PUT", "path": "/items"}))),
        (
            "A25 2.0 path",
            in_context(http("/items", &bearer), "http", json!({"method": "GET", "path": "/admin/items/1"})),
        ),
        ("A25 2.0 raw path", with(http("/items", &bearer), "rawPath", json!("/items/"))),
        ("A25 2.0 route", with(http("/items", &bearer), "routeKey", json!("GET /admin/items"))),
    ];
    for (name, event) in rows {
        assert_eq!(outcome(&authorizer, &event).await, "401 EventInconsistent", "{name}");
    }
    let consistent = [
        ("a custom domain's mapping", with(rest_with(&bearer), "path", json!("/shop/items"))),
        ("a catch-all", with(rest_with(&bearer), "resource", json!("/{proxy+}"))),
        ("a route for every method", with(http("/items", &bearer), "routeKey", json!("ANY /items"))),
        ("a route with a place", with(http("/items/1", &bearer), "routeKey", json!("GET /items/{id}"))),
    ];
    for (name, event) in consistent {
        assert_eq!(outcome(&authorizer, &event).await, "Allowed", "{name}");
    }
}

#[tokio::test]
async fn tenants_never_mix() {
    let authorizer = ready("iam").await;
    let tokens = ["acme", "globex"].map(|tenant| KEY.token(&with(claims(), "tenant", json!(tenant))));
    for round in 0..200 {
        let (own, other) = if round % 2 == 0 { ("acme", "globex") } else { ("globex", "acme") };
        let event = http("/items", &format!("Bearer {}", tokens[round % 2]));
        let answer = call(&authorizer, &event).await.unwrap().body;
        assert!(answer.contains(&format!("/tenants/{own}")) && !answer.contains(other), "P03 {answer}");
    }
}

#[tokio::test]
async fn an_answer_holds_no_token_no_address_and_no_api_key() {
    for form in ["simple", "iam"] {
        let authorizer = ready(form).await;
        let token = good();
        for path in ["/items", "/admin/items"] {
            let bearer = format!("Bearer {token}");
            for event in [http(path, &bearer), rest_with(&bearer), http_v1(&bearer)] {
                let answer = call(&authorizer, &event).await.unwrap();
                let text = answer.body.as_str();
                for canary in
                    ["canary", "@", token.as_str(), token.split('.').nth(1).unwrap(), "usageIdentifier", "somebody"]
                {
                    assert!(!text.contains(canary), "P11, A31 {canary} in {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_would_be_too_long_speaks_of_its_request_alone() {
    let routes = (0..60).map(|n| format!("[[routes]]\nmethod = \"GET\"\npath = \"/reports/{n}\"\n"));
    let rules = support::RULES.to_owned() + &routes.collect::<String>();
    let settings = settings_with(&rules, "https://keys.example/{pool}", "iam");
    let authorizer = Authorizer::start(settings, Published(key_set(&[&KEY])), Limits::default()).await;
    let role = |n: usize| format!("role-{n:03}");
    for (name, roles, arn, effect, resources) in [
        ("a role", 1, ARN.to_owned(), "Allow", 64),
        ("as many as fit", 250, ARN.to_owned(), "Allow", 64),
        ("more", 400, ARN.to_owned(), "Allow", 1),
        ("more, on a closed route", 400, ARN.replace("items", "admin/items"), "Deny", 1),
    ] {
        let roles: Vec<String> = (0..roles).map(role).collect();
        let token = KEY.token(&with(claims(), "roles", json!(roles)));
        let event = with(token_event(json!(format!("Bearer {token}"))), "methodArn", json!(arn));
        let text = call(&authorizer, &event).await.unwrap().body;
        assert!(text.len() <= 8_000, "{name}: {}", text.len());
        let answer: Value = serde_json::from_str(&text).unwrap();
        let first = &answer["policyDocument"]["Statement"][0];
        let named = first["Resource"].as_array().unwrap();
        assert_eq!((first["Effect"].as_str(), named.len()), (Some(effect), resources), "{name}");
        if resources == 1 {
            let whole = if effect == "Deny" { ARN.replace("/GET/items", "/*") } else { arn };
            assert_eq!(named.as_slice(), [json!(whole)], "{name}");
        }
        assert_eq!(answer["context"]["roles"], json!(roles.join(" ")), "{name}");
    }
}

#[tokio::test]
async fn no_failure_ever_lets_anybody_in() {
    struct Never;
    impl Fetch for Never {
        async fn fetch(&self, _: &str) -> Result<Vec<u8>, FetchError> {
            Err(FetchError::TimedOut)
        }
    }
    let authorizer =
        Authorizer::start(settings("https://keys.example/{pool}", "simple"), Never, Limits::default()).await;
    let bearer = format!("Bearer {}", good());
    for event in [http("/items", &bearer), rest_with(&bearer), http_v1(&bearer), token_event(json!(bearer))] {
        assert_eq!(outcome(&authorizer, &event).await, "500 KeySetUnavailable", "P17");
    }
    let other = Published(key_set(&[&NEXT_KEY]));
    let authorizer =
        Authorizer::start(settings("https://keys.example/{pool}", "simple"), other, Limits::default()).await;
    assert_eq!(outcome(&authorizer, &rest_with(&bearer)).await, "401 KeyUnknown", "P17");
}
