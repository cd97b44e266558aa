//! The HTTP API: its authorizers, and the routes that have none.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.caching>

use serde_json::Value;

use super::Documents;
use super::clients::list;
use super::pool::text;
use crate::findings::Findings;
use crate::rules::Rules;

pub(super) fn look(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    let items = |look: &Value| look.as_array().cloned().unwrap_or_default();
    let routes = documents.routes.seen().map(items).unwrap_or_default();
    for authorizer in documents.authorizers.seen().map(items).unwrap_or_default() {
        if text(&authorizer, "/authorizerType") == Some("REQUEST") {
            cache(&authorizer, &routes, findings);
            revocation(&authorizer, rules, findings);
        }
    }
    for route in &routes {
        let key = text(route, "/routeKey").unwrap_or_default();
        let is_open = matches!(text(route, "/authorizationType"), None | Some("NONE"));
        if is_open && !key.starts_with("OPTIONS ") {
            open(key, rules, findings);
        }
    }
}

/// A remembered answer holds for every request with the same identity sources.
fn cache(authorizer: &Value, routes: &[Value], findings: &mut Findings) {
    let name = text(authorizer, "/name").unwrap_or_default();
    let subject = format!("authorizer {name} ({})", text(authorizer, "/authorizerId").unwrap_or_default());
    let sources = list(authorizer, "identitySource");
    let has = |wanted: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(wanted));
    if !has("$request.header.Authorization") {
        let why = "a call without a token reaches the function, and answers are remembered without regard to the token";
        let fix = "add $request.header.Authorization to its identity sources";
        findings.error("AuthorizerWithoutToken", &subject, ["does not go by the token", why, fix]);
    }
    let seconds = authorizer.get("authorizerResultTtlInSeconds").and_then(Value::as_u64).unwrap_or(0);
    let is_simple = authorizer.get("enableSimpleResponses").and_then(Value::as_bool) == Some(true);
    if seconds == 0 || !is_simple {
        return;
    }
    let own = text(authorizer, "/authorizerId");
    let varies = |route: &&Value| {
        let is_own = text(route, "/authorizerId") == own;
        is_own && text(route, "/routeKey").is_some_and(|key| key.contains('{'))
    };
    let missing = if !has("$context.routeKey") {
        "$context.routeKey"
    } else if !has("$context.path") && routes.iter().any(|route| varies(&route)) {
        "$context.path"
    } else {
        return;
    };
    let message = format!("remembers a yes for {seconds} s, and {missing} is not one of its identity sources");
    let why = "the yes for one route, or one tenant's path, opens the others for as long";
    let fix = format!("add {missing} to its identity sources, or set its TTL to 0");
    findings.error("AuthorizerCacheTooWide", &subject, [&message, why, &fix]);
}

/// An answer that the gateway remembers is given without asking whether the
/// session still stands.
fn revocation(authorizer: &Value, rules: Option<&Rules>, findings: &mut Findings) {
    let seconds = authorizer.get("authorizerResultTtlInSeconds").and_then(Value::as_u64).unwrap_or(0);
    if seconds == 0 || !rules.is_some_and(|rules| rules.revocation.is_on()) {
        return;
    }
    let name = text(authorizer, "/name").unwrap_or_default();
    let subject = format!("authorizer {name} ({})", text(authorizer, "/authorizerId").unwrap_or_default());
    let message = format!("remembers a yes for {seconds} s, though the rules say that sessions end at once");
    let why = "the gateway gives a remembered answer without asking whether the session was ended";
    findings.error("RevocationCached", &subject, [&message, why, "set its TTL to 0"]);
}

fn open(key: &str, rules: Option<&Rules>, findings: &mut Findings) {
    let is_ours = |rules: &Rules| rules.routes.rules().any(|rule| format!("{} {}", rule.method, rule.path) == key);
    let subject = format!("route {key}");
    let fix = "set its AuthorizationType to CUSTOM, with the authorizer";
    let why = "everybody may call it, without a token";
    if rules.is_some_and(is_ours) {
        let message = "has no authorizer, though the rules say who may call it";
        findings.error("RouteWithoutAuthorizer", &subject, [message, why, fix]);
    } else {
        findings.warning("RouteWithoutAuthorizer", &subject, ["has no authorizer", why, fix]);
    }
}
