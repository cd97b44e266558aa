//! One call to be authorized, read from an event and checked against itself.

use std::borrow::Cow;

use serde_json::value::RawValue;
use shared::connect::{ConnectRule, TokenPlace};
use shared::graphql::GraphqlRules;
use shared::policy::MethodArn;
use shell::{Failure, PublicText};

use crate::answer::Openings;
use crate::headers::{Missing, after_subprotocol, bearer, one_value};
use crate::query::parameter;
use crate::wire::{Event, IdentitySource, RequestContext};

/// The verb of a route that takes each of them.
const ANY: &str = "ANY";

/// Which kind of API asks about requests, and so how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// A REST API, TOKEN or REQUEST.
    Rest,
    /// An HTTP API with payload 1.0: policies only.
    HttpV1,
    /// An HTTP API with payload 2.0.
    HttpV2,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Asked<'a> {
    /// A request, by its name, which is decided on and written into policies.
    Request(Front, MethodArn<'a>),
    /// A connection to a WebSocket API, and who may have one.
    Connection(&'a ConnectRule, MethodArn<'a>),
    /// Fields of a GraphQL API, by the request's text, which is empty while a client
    /// connects for subscriptions.
    Fields(&'a GraphqlRules, &'a str),
}

/// One call to be authorized. It has a token, so it is not printed.
pub(crate) struct Call<'a> {
    pub(crate) asked: Asked<'a>,
    /// The token as it was sent, if there is exactly one.
    pub(crate) token: Result<Cow<'a, str>, Missing>,
}

impl<'a> Call<'a> {
    /// Reads a call. Kinds of events that are not known, and those of fronts that
    /// the rules do not name, are refused, and so is an event that says two things
    /// about one request.
    pub(crate) fn read(event: &'a Event<'a>, openings: &'a Openings) -> Result<Self, Failure> {
        let (front, arn) = match (event.version.as_deref(), event.kind.as_deref()) {
            (None, Some("REQUEST")) if event.request_context.as_ref().is_some_and(is_web_socket) => {
                return connection(event, openings.connect.as_ref());
            }
            (None, None) => return fields(event, openings.graphql.as_ref()),
            (None, Some("TOKEN")) => (Front::Rest, &event.method_arn),
            (None, Some("REQUEST")) => (Front::Rest, &event.method_arn),
            (Some("1.0"), Some("REQUEST")) => (Front::HttpV1, &event.method_arn),
            (Some("2.0"), Some("REQUEST")) => (Front::HttpV2, &event.route_arn),
            _ => return Err(refused("unknown kind of event")),
        };
        if event.request_context.as_ref().is_some_and(is_web_socket) {
            return Err(refused("a WebSocket API's event in another's form"));
        }
        let arn = arn.as_deref().and_then(MethodArn::parse).ok_or_else(|| refused("not the name of a request"))?;
        if !is_consistent(event, &arn) {
            return Err(inconsistent());
        }
        let token = match (front, event.kind.as_deref()) {
            (Front::Rest, Some("TOKEN")) => token_event(event),
            (Front::Rest, _) => authorization(event),
            (Front::HttpV1 | Front::HttpV2, _) => cached_authorization(event),
        };
        Ok(Self { asked: Asked::Request(front, arn), token: token.and_then(bearer).map(Cow::Borrowed) })
    }
}

/// The one call about a WebSocket API: its connection. Messages are not asked
/// about, so an event of one is not an authorizer's.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
fn connection<'a>(event: &'a Event<'a>, rule: Option<&'a ConnectRule>) -> Result<Call<'a>, Failure> {
    let rule = rule.ok_or_else(|| refused("a WebSocket API, and no [connect] in the rules"))?;
    let same = |said: &Option<Cow<'_, str>>, name: &str| said.as_deref().is_none_or(|said| said == name);
    let arn = event.method_arn.as_deref().and_then(MethodArn::parse);
    let arn = arn.filter(MethodArn::is_connection).ok_or_else(|| refused("not the name of a connection"))?;
    let context = event.request_context.as_ref().ok_or_else(inconsistent)?;
    let agrees = context.event_type.as_deref() == Some("CONNECT")
        && same(&context.route_key, arn.method)
        && same(&context.api_id, arn.api)
        && same(&context.stage, arn.stage)
        && same(&context.account_id, arn.account);
    if !agrees {
        return Err(inconsistent());
    }
    let (one, all) = (&event.headers, &event.multi_value_headers);
    let token = match rule.token_from {
        TokenPlace::Header => authorization(event).and_then(bearer).map(Cow::Borrowed),
        TokenPlace::Subprotocol => one_value(&one.subprotocols, &all.subprotocols)
            .and_then(|value| after_subprotocol(value, rule.name()))
            .map(Cow::Borrowed),
        TokenPlace::Query => {
            let (one, all) = (event.query_string_parameters, event.multi_value_query_string_parameters);
            parameter(one, all, rule.name()).map(Cow::Owned)
        }
    };
    Ok(Call { asked: Asked::Connection(rule, arn), token })
}

/// A call of AppSync, which names no request. The token stands alone there,
/// without `Bearer`.
/// <https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization>
fn fields<'a>(event: &'a Event<'a>, rules: Option<&'a GraphqlRules>) -> Result<Call<'a>, Failure> {
    let rules = rules.ok_or_else(|| refused("no kind of event, and no [graphql] in the rules"))?;
    let context = event.request_context.as_ref().filter(|context| context.api_id.is_some());
    let context = context.ok_or_else(|| refused("unknown kind of event"))?;
    let is_of_another = event.method_arn.is_some() || event.route_arn.is_some() || is_web_socket(context);
    if is_of_another || context.http.is_some() || context.stage.is_some() {
        return Err(inconsistent());
    }
    let document = context.query_string.as_deref().unwrap_or_default();
    Ok(Call { asked: Asked::Fields(rules, document), token: token_event(event).map(Cow::Borrowed) })
}

fn inconsistent() -> Failure {
    Failure::new("EventInconsistent", PublicText::Unauthorized)
}

fn refused(cause: &'static str) -> Failure {
    Failure::new("EventRefused", PublicText::Unauthorized).caused_by(cause)
}

fn is_web_socket(context: &RequestContext<'_>) -> bool {
    context.connection_id.is_some() || context.event_type.is_some()
}

/// Whether everything that the event says about the request agrees with its
/// name. A path may have more in front: a stage, or a custom domain's mapping.
fn is_consistent(event: &Event<'_>, arn: &MethodArn<'_>) -> bool {
    let same = |said: Option<&str>, name: &str| said.is_none_or(|said| said == name);
    let ends = |said: Option<&str>| said.is_none_or(|said| said.ends_with(arn.path));
    let context = event.request_context.as_ref();
    let http = context.and_then(|context| context.http.as_ref());
    same(event.http_method.as_deref(), arn.method)
        && same(context.and_then(|context| context.http_method.as_deref()), arn.method)
        && same(http.and_then(|http| http.method.as_deref()), arn.method)
        && same(context.and_then(|context| context.account_id.as_deref()), arn.account)
        && same(context.and_then(|context| context.api_id.as_deref()), arn.api)
        && same(context.and_then(|context| context.stage.as_deref()), arn.stage)
        && ends(event.path.as_deref())
        && ends(event.raw_path.as_deref())
        && ends(http.and_then(|http| http.path.as_deref()))
        && routes(event).all(|route| is_met(route, arn))
}

/// The gateway's own names for the route: a template, with a verb before it in a
/// route key.
fn routes<'a>(event: &'a Event<'a>) -> impl Iterator<Item = &'a str> {
    let context = event.request_context.as_ref();
    let own = [event.route_key.as_deref(), event.resource.as_deref()];
    let repeated = context.map(|context| [context.route_key.as_deref(), context.resource_path.as_deref()]);
    own.into_iter().chain(repeated.into_iter().flatten()).flatten()
}

/// Whether the request meets a route. `$default`, which has no path, takes every
/// request.
fn is_met(route: &str, arn: &MethodArn<'_>) -> bool {
    let (method, template) = route.split_once(' ').unwrap_or((ANY, route));
    (method == ANY || method == arn.method) && (!template.starts_with('/') || is_template_of(template, arn.path))
}

/// Whether a path meets a template. A catch-all meets everything from its place on.
fn is_template_of(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for place in template.split('/') {
        let Some(segment) = segments.next() else { return false };
        if place.starts_with('{') && place.ends_with("+}") {
            return true;
        }
        if !(place.starts_with('{') && place.ends_with('}')) && place != segment {
            return false;
        }
    }
    segments.next().is_none()
}

/// The one value of a TOKEN event.
fn token_event<'a>(event: &'a Event<'a>) -> Result<&'a str, Missing> {
    let quoted = event.authorization_token.map(RawValue::get).and_then(|text| text.strip_prefix('"'));
    // What a token or its scheme is made of needs no escapes.
    quoted.and_then(|text| text.strip_suffix('"')).ok_or(Missing::Token)
}

/// The one value of the header. Cookies and query are not looked at: both end
/// up in places (logs, histories, other sites' requests) where a token must not
/// be.
fn authorization<'a>(event: &'a Event<'a>) -> Result<&'a str, Missing> {
    one_value(&event.headers.authorization, &event.multi_value_headers.authorization)
}

/// The header's value, if it is also what the answer is cached under: with two
/// different tokens, one would be checked and the answer kept for the other.
/// Other identity sources may repeat the route, the path or the method.
fn cached_authorization<'a>(event: &'a Event<'a>) -> Result<&'a str, Missing> {
    let value = authorization(event)?;
    let http = event.request_context.as_ref().and_then(|context| context.http.as_ref());
    let repeats = [
        event.route_key.as_deref(),
        event.raw_path.as_deref(),
        event.path.as_deref(),
        event.http_method.as_deref(),
        http.and_then(|http| http.path.as_deref()),
        http.and_then(|http| http.method.as_deref()),
    ];
    let is_known = |entry: &str| entry == value || repeats.contains(&Some(entry));
    let agrees = |entries: &[&str]| entries.contains(&value) && entries.iter().all(|entry| is_known(entry));
    let good = match &event.identity_source {
        IdentitySource::None => true,
        IdentitySource::List(list) if list.is_empty() => true,
        IdentitySource::List(list) => agrees(&list.iter().map(String::as_str).collect::<Vec<_>>()),
        IdentitySource::Joined(text) if text.is_empty() => true,
        IdentitySource::Joined(text) => agrees(&text.split(',').collect::<Vec<_>>()),
    };
    if good { Ok(value) } else { Err(Missing::OneToken) }
}
