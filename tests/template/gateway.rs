//! Routes, and the authorizer before all of them.

use std::collections::BTreeSet;

use tests::template::{members, texts};

use super::{rules, set, template, whole, with};

/// Routes that no token of the user pool opens, so that no rule can be about
/// them. A guest has no user yet: the function looks at what proves him.
const WITHOUT_USER: [&str; 1] = ["PUT /guest/claim"];

#[test]
fn the_api_has_the_routes_of_the_rule_file_and_no_other() {
    let template = template();
    let mut of_rules: BTreeSet<String> =
        rules().routes.rules().map(|rule| format!("{} {}", rule.method.as_str(), rule.path)).collect();
    for key in WITHOUT_USER {
        assert!(of_rules.insert(key.to_owned()), "{key} has a rule that nobody reads");
    }
    let routes = template.of_type("AWS::ApiGatewayV2::Route");
    let of_template: Vec<&str> = routes.map(|(_, route)| route["Properties"]["RouteKey"].as_str().unwrap()).collect();
    assert_eq!(of_template.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(), of_rules);
    assert_eq!(of_template.len(), of_rules.len(), "a route is written twice");
}

#[test]
fn no_route_goes_round_the_authorizer() {
    let template = template();
    for (id, route) in template.of_type("AWS::ApiGatewayV2::Route") {
        let properties = &route["Properties"];
        let key = properties["RouteKey"].as_str().unwrap();
        if WITHOUT_USER.contains(&key) {
            assert_eq!(properties["AuthorizationType"], "NONE", "{id}");
            assert!(properties["AuthorizerId"].is_null(), "{id}");
        } else {
            assert_eq!(properties["AuthorizationType"], "CUSTOM", "{id}");
            assert_eq!(properties["AuthorizerId"]["Ref"], "Authorizer", "{id}");
        }
        let expected = match key.split('/').nth(1) {
            Some("admin") => "integrations/AdminApiIntegration",
            Some("guest") => "integrations/GuestPromotionIntegration",
            _ => "integrations/UserApiIntegration",
        };
        assert_eq!(template.resolve(&properties["Target"]).unwrap(), expected, "{id}");
        // What belongs to guests is there with them, and nothing else hangs on them.
        assert_eq!(route["Condition"] == "HasGuests", key.contains(" /guest/"), "{id}");
        assert_eq!(route["Condition"] == "Revokes", key.ends_with("/sign-out"), "{id}");
    }
    // Whoever needs no token has a limit of his own, far below everybody's.
    let stage = template.resource("Stage").unwrap()["Properties"].clone();
    let limits = whole().resolve(&stage["RouteSettings"]).unwrap();
    assert_eq!(members(&limits).map(|(key, _)| key.as_str()).collect::<Vec<_>>(), WITHOUT_USER);
    for (key, limit) in members(&limits) {
        let per_second = limit["ThrottlingRateLimit"].as_u64().unwrap();
        assert!((1..100).contains(&per_second) && limit["ThrottlingBurstLimit"].as_u64().unwrap() < 100, "{key}");
    }
    assert!(template.resolve(&stage["RouteSettings"]).unwrap().is_null(), "settings of a route that is not there");
    // A URL of its own or an event source would be another way in.
    for (id, function) in template.of_type("AWS::Serverless::Function") {
        for way in ["Events", "FunctionUrlConfig"] {
            assert!(function["Properties"][way].is_null(), "{id} has {way}");
        }
    }
}

#[test]
fn a_remembered_answer_holds_for_one_token_one_route_and_one_path() {
    let template = template();
    let properties = template.resolve(&template.resource("Authorizer").unwrap()["Properties"]).unwrap();
    let sources = set(&["$request.header.Authorization", "$context.routeKey", "$context.path"]);
    assert_eq!(texts(&properties["IdentitySource"]), sources);
    assert_eq!(properties["AuthorizerPayloadFormatVersion"], "2.0");
    let environment = template.environment("AuthorizerFunction").unwrap();
    let is_simple = environment["ANSWER"] == "simple";
    assert_eq!(properties["EnableSimpleResponses"], is_simple);
    assert_eq!(properties["AuthorizerResultTtlInSeconds"], 0, "remembered only where it is asked for");
    // The function has to know how long, so that no answer outlives its token.
    for seconds in ["0", "300"] {
        let template = with(&[("AuthorizerCacheSeconds", seconds)]);
        let properties = template.resolve(&template.resource("Authorizer").unwrap()["Properties"]).unwrap();
        let kept = properties["AuthorizerResultTtlInSeconds"].to_string();
        assert_eq!(kept.trim_matches('"'), seconds);
        assert_eq!(template.environment("AuthorizerFunction").unwrap()["CACHE_SECONDS"], seconds);
    }
}

#[test]
fn the_authorizer_believes_the_tokens_of_every_client_and_of_nobody_else() {
    for (machines, others) in [("false", ""), ("true", ""), ("false", "CorpOIDC"), ("true", "A,B")] {
        let template = with(&[("MachineClient", machines), ("OtherProviders", others)]);
        let environment = template.environment("AuthorizerFunction").unwrap();
        let believed: BTreeSet<String> = environment["CLIENT_IDS"].split(',').map(str::to_owned).collect();
        let clients = template.of_type("AWS::Cognito::UserPoolClient");
        let clients = clients.filter(|(_, client)| template.is_made(client).unwrap());
        assert_eq!(believed, clients.map(|(id, _)| id.to_owned()).collect());
        assert!(environment["ISSUERS"].starts_with("https://cognito-idp."), "{}", environment["ISSUERS"]);
        assert_eq!(environment["KEY_SET_URL"], "", "the issuer itself is asked");
    }
}
