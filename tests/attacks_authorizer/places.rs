//! Rows A02 to A18, but for the scheme, and A31: where a token is looked for.

use anyhow::Result;
use serde_json::{Value, json};
use tests::edit::{with, without};
use tests::gateway::Passage::{Allowed, Forbidden, Unauthorized};
use tests::gateway::{http_v1, http_v2, rest_request, rest_token};

use crate::{Gate, each};

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
            "A05",
            "the two kinds of headers disagree",
            headers(json!({"Authorization": bad}), json!({"Authorization": [bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A05",
            "they disagree the other way",
            headers(json!({"Authorization": bearer}), json!({"Authorization": [bad]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A05",
            "they agree but for the case of the name",
            headers(json!({"authorization": bearer}), json!({"AUTHORIZATION": [bearer]})),
            Allowed,
            "Allowed",
        ),
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
            "bad behind good",
            headers(json!({"Authorization": bad}), json!({"Authorization": [bearer, bad]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A06",
            "the same twice",
            headers(json!({"Authorization": bearer}), json!({"Authorization": [bearer, bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A06",
            "the name in two cases, in the lists",
            headers(json!({"Authorization": bearer}), json!({"Authorization": [bearer], "authorization": [bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        (
            "A06",
            "a list where one value belongs",
            headers(json!({"Authorization": [bearer, bad]}), json!(null)),
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
        ("A07", "only in the one value", headers(json!({"Authorization": bearer}), json!(null)), Allowed, "Allowed"),
        (
            "A07",
            "only in the lists, twice",
            headers(json!(null), json!({"Authorization": [bearer, bearer]})),
            Unauthorized,
            "TokenAmbiguous",
        ),
        ("A07", "an empty list", headers(json!(null), json!({"Authorization": []})), Unauthorized, "TokenMissing"),
        (
            "A07",
            "nothing in the lists",
            headers(json!({}), json!({"Authorization": null})),
            Unauthorized,
            "TokenMissing",
        ),
        (
            "A07",
            "no headers at all",
            without(without(rest(), "/headers"), "/multiValueHeaders"),
            Unauthorized,
            "TokenMissing",
        ),
        ("A07", "an empty value", headers(json!({"Authorization": ""}), json!(null)), Unauthorized, "TokenMissing"),
        (
            "A07",
            "under a name that is nearly it",
            headers(
                json!({"X-Authorization": bearer, "Authorization ": bearer, "Proxy-Authorization": bearer, "Authorizatio\u{274}": bearer}),
                json!(null),
            ),
            Unauthorized,
            "TokenMissing",
        ),
        ("A07", "a number", headers(json!({"Authorization": 7}), json!(null)), Unauthorized, "EventRefused"),
        (
            "A07",
            "an object",
            headers(json!({"Authorization": {"a": bearer}}), json!(null)),
            Unauthorized,
            "EventRefused",
        ),
        ("A07", "headers that are a list", headers(json!([bearer]), json!(null)), Unauthorized, "EventRefused"),
        ("A07", "headers that are a text", headers(json!(bearer), json!(null)), Unauthorized, "EventRefused"),
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
        ("A11", "the same twice", with(v2(), "/identitySource", json!([bearer, bearer])), Allowed, "Allowed"),
        (
            "A11",
            "another token beside it",
            with(v2(), "/identitySource", json!([bearer, format!("Bearer {other}")])),
            Forbidden,
            "TokenAmbiguous",
        ),
        ("A11", "an empty entry", with(v2(), "/identitySource", json!([""])), Forbidden, "TokenAmbiguous"),
        (
            "A11",
            "an empty entry beside it",
            with(v2(), "/identitySource", json!([bearer, ""])),
            Forbidden,
            "TokenAmbiguous",
        ),
        ("A11", "null within it", with(v2(), "/identitySource", json!([null])), Unauthorized, "EventRefused"),
        ("A11", "a number", with(v2(), "/identitySource", json!(7)), Unauthorized, "EventRefused"),
        ("A11", "an object", with(v2(), "/identitySource", json!({"a": bearer})), Unauthorized, "EventRefused"),
        (
            "A11",
            "another one in payload 1.0",
            with(http_v1(&token, "GET", "/items"), "/identitySource", json!(format!("Bearer {other}"))),
            Forbidden,
            "TokenAmbiguous",
        ),
        (
            "A11",
            "another one beside it in payload 1.0",
            with(http_v1(&token, "GET", "/items"), "/identitySource", json!(format!("{bearer},Bearer {other}"))),
            Forbidden,
            "TokenAmbiguous",
        ),
        (
            "A11",
            "only the identity source, and no header",
            without(v2(), "/headers/authorization"),
            Forbidden,
            "TokenMissing",
        ),
        (
            "A14",
            "two cookies",
            with(
                without(v2(), "/headers/authorization"),
                "/cookies",
                json!([format!("access={token}"), format!("access={other}")]),
            ),
            Forbidden,
            "TokenMissing",
        ),
        (
            "A14",
            "a cookie's header",
            headers(
                json!({"Cookie": format!("access={token}; Authorization={bearer}")}),
                json!({"Cookie": [format!("access={token}")]}),
            ),
            Unauthorized,
            "TokenMissing",
        ),
        (
            "A14",
            "another token in a cookie beside the good one",
            with(v2(), "/cookies", json!([format!("access={other}")])),
            Allowed,
            "Allowed",
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
            "A18",
            "in the parsed query",
            with(
                without(v2(), "/headers/authorization"),
                "/queryStringParameters",
                json!({"access_token": token, "authorization": bearer}),
            ),
            Forbidden,
            "TokenMissing",
        ),
        (
            "A18",
            "in a REST API's query",
            with(headers(json!({}), json!({})), "/queryStringParameters", json!({"access_token": token})),
            Unauthorized,
            "TokenMissing",
        ),
        (
            "A18",
            "in the lists of a REST API's query",
            with(
                headers(json!({}), json!({})),
                "/multiValueQueryStringParameters",
                json!({"access_token": [token], "Authorization": [bearer]}),
            ),
            Unauthorized,
            "TokenMissing",
        ),
        (
            "A18",
            "in the body, the path's parameters and the stage's variables",
            with(
                with(
                    with(headers(json!({}), json!({})), "/body", json!(format!("access_token={token}"))),
                    "/pathParameters",
                    json!({"token": token}),
                ),
                "/stageVariables",
                json!({"Authorization": bearer}),
            ),
            Unauthorized,
            "TokenMissing",
        ),
        (
            "A18",
            "where a TOKEN event has it",
            with(headers(json!({}), json!({})), "/authorizationToken", json!(bearer)),
            Unauthorized,
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
    for joined in [
        format!("{bearer}, {bad}"),
        format!("{bad}, {bearer}"),
        format!("{bearer}, {bearer}"),
        format!("{bearer},"),
        format!(",{bearer}"),
        format!("{bearer},{other}"),
    ] {
        let v2 = with(with(v2(), "/headers/authorization", json!(joined)), "/identitySource", json!([joined]));
        let v1 = with(http_v1(&token, "GET", "/items"), "/headers/authorization", json!(joined));
        let v1 = with(v1, "/identitySource", json!(joined));
        let of_rest = headers(json!({"Authorization": joined}), json!({"Authorization": [joined]}));
        let of_token = with(rest_token("x", "GET", "/items"), "/authorizationToken", json!(joined));
        for (says, event, heard) in [
            ("joined, payload 2.0", v2, Forbidden),
            ("joined, payload 1.0", v1, Forbidden),
            ("joined, REQUEST", of_rest, Unauthorized),
            ("joined, TOKEN", of_token, Unauthorized),
        ] {
            table.push(("A08", says, event, heard, "TokenAmbiguous"));
        }
    }
    for value in
        [json!(null), json!(""), json!(" "), json!(7), json!(true), json!([bearer]), json!({}), json!({"a": bearer})]
    {
        let event = with(rest_token("x", "GET", "/items"), "/authorizationToken", value);
        table.push(("A02", "a token that is no text", event, Unauthorized, "TokenMissing"));
    }
    for name in ["Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"] {
        let event = headers(json!({name: bearer}), json!({name: [bearer]}));
        table.push(("A03", "the header's name in another case", event, Allowed, "Allowed"));
        for event in [http_v1(&token, "GET", "/items"), v2()] {
            let event = with(event, "/headers", json!({name: bearer}));
            table.push(("A03", "the header's name in another case, HTTP API", event, Allowed, "Allowed"));
        }
    }
    each(&mut gate, table)
}
