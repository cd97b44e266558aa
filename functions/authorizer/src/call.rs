//! One call to be authorized, read from an event and checked against itself.

use serde_json::value::RawValue;
use shared::policy::MethodArn;
use shell::{Failure, PublicText};

use crate::headers::{Missing, bearer, one_value};
use crate::wire::{Event, IdentitySource, RequestContext};

/// Which kind of API asks, and so how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// A REST API, TOKEN or REQUEST.
    Rest,
    /// An HTTP API with payload 1.0: policies only.
    HttpV1,
    /// An HTTP API with payload 2.0.
    HttpV2,
}

/// One call to be authorized. It has a token, so it is not printed.
pub(crate) struct Call<'a> {
    pub(crate) front: Front,
    /// What is asked for. Decided on, and written into policies.
    pub(crate) arn: MethodArn<'a>,
    /// The token as it was sent, if there is exactly one.
    pub(crate) token: Result<&'a str, Missing>,
}

impl<'a> Call<'a> {
    /// Reads a call. Kinds of events that are not known here (WebSocket,
    /// AppSync, anything new) are refused, and so is an event that says two
    /// things about one request.
    pub(crate) fn read(event: &'a Event<'a>) -> Result<Self, Failure> {
        let (front, arn) = match (event.version.as_deref(), event.kind.as_deref()) {
            (None, Some("TOKEN")) => (Front::Rest, &event.method_arn),
            (None, Some("REQUEST")) => (Front::Rest, &event.method_arn),
            (Some("1.0"), Some("REQUEST")) => (Front::HttpV1, &event.method_arn),
            (Some("2.0"), Some("REQUEST")) => (Front::HttpV2, &event.route_arn),
            _ => return Err(refused("unknown kind of event")),
        };
        if event.request_context.as_ref().is_some_and(is_web_socket) {
            return Err(refused("WebSocket events are not served"));
        }
        let arn = arn.as_deref().and_then(MethodArn::parse).ok_or_else(|| refused("not the name of a request"))?;
        if !is_consistent(event, &arn) {
            return Err(Failure::new("EventInconsistent", PublicText::Unauthorized));
        }
        let token = match (front, event.kind.as_deref()) {
            (Front::Rest, Some("TOKEN")) => token_event(event),
            (Front::Rest, _) => authorization(event),
            (Front::HttpV1 | Front::HttpV2, _) => cached_authorization(event),
        };
        Ok(Self { front, arn, token: token.and_then(bearer) })
    }
}

fn refused(cause: &'static str) -> Failure {
    Failure::new("EventRefused", PublicText::Unauthorized).caused_by(cause)
}

/// Their messages come without a token; only `$connect` has one.
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
        && is_resource_of(event, arn.path)
}

/// Whether the gateway's own route (`resource`, or the path of `routeKey`) is
/// one that the path meets. A catch-all meets everything from its place on.
fn is_resource_of(event: &Event<'_>, path: &str) -> bool {
    let route = match event.route_key.as_deref() {
        Some(key) => key.split_once(' ').map(|(_, path)| path),
        None => event.resource.as_deref().filter(|resource| resource.starts_with('/')),
    };
    let Some(route) = route else { return true };
    let mut segments = path.split('/');
    for place in route.split('/') {
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
    one_value(&event.headers.0, &event.multi_value_headers.0)
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
