//! The API: its authorizers, and the routes that have none.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.caching>

use serde_json::Value;

use super::Documents;
use super::clients::list;
use super::pool::text;
use crate::findings::Findings;
use crate::rules::Rules;

/// Where a guest, who has no token yet, names himself; the function limits and
/// checks what is sent.
const GUEST_CLAIM: &str = "PUT /guest/claim";

/// How long a REST API keeps an answer unless it is told otherwise.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html>
const REST_CACHE_SECONDS: u64 = 300;

pub(super) fn look(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    rest(documents, rules, findings);
    let items = |look: &Value| look.as_array().cloned().unwrap_or_default();
    let routes = documents.routes.seen().map(items).unwrap_or_default();
    for authorizer in documents.authorizers.seen().map(items).unwrap_or_default() {
        if text(&authorizer, "/authorizerType") == Some("REQUEST") {
            cache(&authorizer, &routes, findings);
            revocation(&authorizer, "/authorizerId", 0, rules, findings);
        }
    }
    let keys = routes.iter().map(|route| (text(route, "/routeKey").unwrap_or_default(), route));
    let keys: Vec<(&str, &Value)> = keys.collect();
    // On a WebSocket API only the connection itself can be authorized.
    let is_socket = keys.iter().any(|(key, _)| *key == "$connect");
    for (key, route) in keys {
        if is_open(route) && (!is_socket || key == "$connect") {
            open(key, rules, findings);
        }
    }
}

fn is_open(route: &Value) -> bool {
    matches!(text(route, "/authorizationType"), None | Some("NONE"))
}

/// The REST API. Its cached policies are good for every route of the caller, so
/// only the token has to be an identity source.
fn rest(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    let items = |look: &'_ super::Look| look.seen().and_then(Value::as_array).cloned().unwrap_or_default();
    for authorizer in items(&documents.rest_authorizers) {
        let is_ours = matches!(text(&authorizer, "/type"), Some("TOKEN" | "REQUEST"));
        let sources = text(&authorizer, "/identitySource").unwrap_or_default();
        let wanted = "method.request.header.Authorization";
        if is_ours && !sources.split(',').any(|source| source.trim().eq_ignore_ascii_case(wanted)) {
            without_token(&authorizer, "/id", wanted, findings);
        }
        if is_ours {
            revocation(&authorizer, "/id", REST_CACHE_SECONDS, rules, findings);
        }
    }
    for resource in items(&documents.rest_resources) {
        let path = text(&resource, "/path").unwrap_or_default();
        let methods = resource.get("resourceMethods").and_then(Value::as_object);
        for (method, _) in methods.into_iter().flatten().filter(|(_, method)| is_open(method)) {
            open(&format!("{method} {path}"), rules, findings);
        }
    }
}

fn without_token(authorizer: &Value, id: &str, wanted: &str, findings: &mut Findings) {
    let why = "a call without a token reaches the function, and answers are remembered without regard to the token";
    let fix = format!("add {wanted} to its identity sources");
    findings.error("AuthorizerWithoutToken", &named(authorizer, id), ["does not go by the token", why, &fix]);
}

fn named(authorizer: &Value, id: &str) -> String {
    let name = text(authorizer, "/name").unwrap_or_default();
    format!("authorizer {name} ({})", text(authorizer, id).unwrap_or_default())
}

/// A remembered answer holds for every request with the same identity sources.
fn cache(authorizer: &Value, routes: &[Value], findings: &mut Findings) {
    let sources = list(authorizer, "identitySource");
    let has = |wanted: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(wanted));
    // The token of a WebSocket may come in a query string, so what it is named is the operator's affair.
    let is_socket = routes.iter().any(|route| text(route, "/routeKey") == Some("$connect"));
    if is_socket {
        return;
    }
    if !has("$request.header.Authorization") {
        without_token(authorizer, "/authorizerId", "$request.header.Authorization", findings);
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
        return outlives(seconds, &named(authorizer, "/authorizerId"), findings);
    };
    let message = format!("remembers a yes for {seconds} s, and {missing} is not one of its identity sources");
    let why = "the yes for one route, or one tenant's path, opens the others for as long";
    let fix = format!("add {missing} to its identity sources, or set its TTL to 0");
    findings.error("AuthorizerCacheTooWide", &named(authorizer, "/authorizerId"), [&message, why, &fix]);
}

/// What the function is told stands in its environment, which is not looked at.
fn outlives(seconds: u64, subject: &str, findings: &mut Findings) {
    let message = format!("keeps a simple answer for {seconds} s, whatever becomes of the token");
    let why = "a simple answer has no end of its own, so it outlives a token that ends before";
    let fix = format!("tell the function so (CACHE_SECONDS={seconds}), answer with policies, or set its TTL to 0");
    findings.note("AnswerMayOutliveToken", subject, [&message, why, &fix]);
}

/// An answer that the gateway remembers is given without asking whether the
/// session still stands.
fn revocation(authorizer: &Value, id: &str, otherwise: u64, rules: Option<&Rules>, findings: &mut Findings) {
    let seconds = authorizer.get("authorizerResultTtlInSeconds").and_then(Value::as_u64).unwrap_or(otherwise);
    if seconds == 0 || !rules.is_some_and(|rules| rules.revocation.is_on()) {
        return;
    }
    let subject = named(authorizer, id);
    let message = format!("remembers a yes for {seconds} s, though the rules say that sessions end at once");
    let why = "the gateway gives a remembered answer without asking whether the session was ended";
    findings.error("RevocationCached", &subject, [&message, why, "set its TTL to 0"]);
}

/// A route that anybody may call. The question of a browser before it calls
/// another one carries no token.
fn open(key: &str, rules: Option<&Rules>, findings: &mut Findings) {
    if key.starts_with("OPTIONS ") {
        return;
    }
    let is_ours = |rules: &Rules| rules.routes.rules().any(|rule| format!("{} {}", rule.method, rule.path) == key);
    let subject = format!("route {key}");
    let fix = "set its AuthorizationType to CUSTOM, with the authorizer";
    let why = "everybody may call it, without a token";
    if key == GUEST_CLAIM && rules.is_some_and(|rules| rules.guests.is_some()) {
        let why = "a guest has no token yet; the function checks what he sends and limits how often";
        let fix = "keep the limit of the route's own in the stage's settings";
        findings.note("RouteWithoutAuthorizer", &subject, ["is open, as it has to be", why, fix]);
    } else if rules.is_some_and(is_ours) {
        let message = "has no authorizer, though the rules say who may call it";
        findings.error("RouteWithoutAuthorizer", &subject, [message, why, fix]);
    } else {
        findings.warning("RouteWithoutAuthorizer", &subject, ["has no authorizer", why, fix]);
    }
}
