//! What API Gateway sends: an HTTP API event of payload version 2.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use shell::{Failure, PublicText};

use crate::{Caller, PageRequest, Precondition, Problem, Refusal};

/// A request as it reached the back end. Nothing in it is trusted but the
/// authorizer's context, which [`Caller`] is made of.
pub struct Request {
    event: Event,
}

/// Says which route it is, and nothing that came with it: the headers hold the token.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("route", &self.event.route_key).finish_non_exhaustive()
    }
}

/// The part of the event that we read; the rest is never parsed.
///
/// `aws_lambda_events` has a type for it, but that one fills in `GET` for a
/// missing method, takes any JSON as the authorizer's context, and refuses the
/// whole event for a header value outside of `http`'s rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: String,
    route_key: String,
    headers: Option<BTreeMap<String, String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    path_parameters: Option<BTreeMap<String, String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: RequestContext,
}

#[derive(Deserialize)]
struct RequestContext {
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
struct Authorizer {
    lambda: Option<Box<RawValue>>,
}

impl Request {
    /// Reads an event. Anything but payload 2.0 means that the function is wired
    /// to something else, which is no request to answer.
    pub(crate) fn read(event: &str) -> Result<Self, Failure> {
        let event: Event = serde_json::from_str(event).map_err(|error| {
            // Serde's own words quote the value.
            let cause = format!("{:?} error at column {}", error.classify(), error.column());
            Failure::new("EventUnreadable", PublicText::RequestUnreadable).caused_by(cause)
        })?;
        if event.version != "2.0" {
            return Err(Failure::new("UnknownEventVersion", PublicText::RequestUnreadable));
        }
        Ok(Self { event })
    }

    /// The route that API Gateway matched, such as `GET /items/{id}`.
    pub fn route(&self) -> &str {
        &self.event.route_key
    }

    /// Who calls.
    pub(crate) fn caller(&self) -> Result<Caller, Problem> {
        let authorizer = self.event.request_context.authorizer.as_ref();
        Caller::read(authorizer.and_then(|authorizer| authorizer.lambda.as_deref()))
    }

    /// A parameter of the path, read into what it must be. A malformed one names
    /// nothing that exists.
    pub fn path<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
        let parameters = self.event.path_parameters.as_ref();
        parameters
            .and_then(|parameters| parameters.get(name))
            .and_then(|text| parse(text))
            .ok_or_else(|| Refusal::NotFound.into())
    }

    /// Which page is asked for; `fits` knows what a place of the list looks like.
    pub fn page(&self, fits: impl Fn(&str) -> bool) -> Result<PageRequest, Problem> {
        PageRequest::read(self.query("limit"), self.query("cursor"), fits)
    }

    /// What a write demands of the thing it replaces, if anything.
    pub fn precondition(&self) -> Result<Option<Precondition>, Problem> {
        Precondition::read(self.header("if-match"), self.header("if-none-match"))
    }

    /// The bearer token that came with the request; `None` when there is none.
    /// Who it belongs to is the authorizer's to say, see [`Caller`].
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The name that the client gave this request, so that it can send it again:
    /// 1 to 64 visible ASCII characters.
    /// <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>
    pub fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let Some(key) = self.header("idempotency-key") else { return Ok(None) };
        let fits = (1..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Some(key.to_owned())) } else { Err(Refusal::RequestUnreadable.into()) }
    }

    /// The body, read as JSON of at most `limit` bytes.
    pub fn json<T: DeserializeOwned>(&self, limit: usize) -> Result<T, Problem> {
        if !self.header("content-type").is_some_and(is_json) {
            return Err(Refusal::NotJson.into());
        }
        let body = self.event.body.as_deref().unwrap_or_default();
        let bytes = match self.event.is_base64_encoded {
            // Base64 carries three bytes in four.
            Some(true) if body.len() / 4 * 3 > limit + 2 => {
                return Err(Refusal::BodyTooLarge.into());
            }
            Some(true) => STANDARD.decode(body).map_err(|_| Refusal::RequestUnreadable)?,
            _ => body.as_bytes().to_vec(),
        };
        if bytes.len() > limit {
            return Err(Refusal::BodyTooLarge.into());
        }
        serde_json::from_slice(&bytes).map_err(|_| Refusal::RequestUnreadable.into())
    }

    /// The same of a body that may be left out.
    pub fn json_if_any<T: DeserializeOwned>(&self, limit: usize) -> Result<Option<T>, Problem> {
        match self.event.body.as_deref() {
            None | Some("") => Ok(None),
            Some(_) => self.json(limit).map(Some),
        }
    }

    fn query(&self, name: &str) -> Option<&str> {
        let parameters = self.event.query_string_parameters.as_ref()?;
        parameters.get(name).map(String::as_str)
    }

    /// A header by its lower-case name. An HTTP API sends lower-case names and
    /// joins repeated ones with a comma.
    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.event.headers.as_ref()?;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(members: &str) -> Result<Request, Failure> {
        let text = format!(r#"{{"version":"2.0","routeKey":"PUT /items/{{id}}","requestContext":{{}}{members}}}"#);
        Request::read(&text)
    }

    #[test]
    fn only_payload_two_is_read() {
        let table = [
            (r#"{"version":"2.0","routeKey":"GET /","requestContext":{}}"#, None),
            (r#"{"version":"1.0","routeKey":"GET /","requestContext":{}}"#, Some("UnknownEventVersion")),
            (r#"{"routeKey":"GET /","requestContext":{}}"#, Some("EventUnreadable")),
            (r#"{"version":"2.0","requestContext":{}}"#, Some("EventUnreadable")),
            (r#"{"version":"2.0","routeKey":"GET /"}"#, Some("EventUnreadable")),
            (r#"{"version":"2.0","routeKey":"a","routeKey":"b","requestContext":{}}"#, Some("EventUnreadable")),
            ("[]", Some("EventUnreadable")),
            ("", Some("EventUnreadable")),
            ("no JSON", Some("EventUnreadable")),
        ];
        for (text, expected) in table {
            let code = Request::read(text).err().map(|failure| failure.code());
            assert_eq!(code, expected, "{text}");
        }
    }

    #[test]
    fn a_body_is_small_json_or_refused() {
        let json = r#","headers":{"content-type":"application/json"}"#;
        let table = [
            (format!(r#"{json},"body":"[1,2]""#), Ok(vec![1, 2])),
            (format!(r#"{json},"body":"WzEsMl0=","isBase64Encoded":true"#), Ok(vec![1, 2])),
            (format!(r#"{json},"body":"WzEsMl0=""#), Err("RequestUnreadable")),
            (format!(r#"{json},"body":"*","isBase64Encoded":true"#), Err("RequestUnreadable")),
            (format!(r#"{json},"body":"""#), Err("RequestUnreadable")),
            (json.to_owned(), Err("RequestUnreadable")),
            (format!(r#"{json},"body":"[1,2]x""#), Err("RequestUnreadable")),
            (format!(r#"{json},"body":"[1,2,3,4]""#), Err("BodyTooLarge")),
            (format!(r#"{json},"body":"WzEsMiwzLDRdWzEsMiwzLDRd","isBase64Encoded":true"#), Err("BodyTooLarge")),
            (r#","body":"[1,2]""#.to_owned(), Err("NotJson")),
            (r#","headers":{"Content-Type":"Application/JSON; charset=utf-8"},"body":"[1]""#.to_owned(), Ok(vec![1])),
            (r#","headers":{"content-type":"application/jsonp"},"body":"[1]""#.to_owned(), Err("NotJson")),
            (r#","headers":{"content-type":"text/plain,application/json"},"body":"[1]""#.to_owned(), Err("NotJson")),
        ];
        for (members, expected) in table {
            let read = event(&members).unwrap().json::<Vec<u8>>(8);
            assert_eq!(read.map_err(|problem| problem.code()), expected, "{members}");
        }
    }

    #[test]
    fn the_caller_comes_from_the_authorizer_and_nothing_else() {
        let context = r#"{"lambda":{"subject":"u","tenant":"acme"}}"#;
        let table = [
            (format!(r#""authorizer":{context}"#), "", true),
            (r#""authorizer":{"jwt":{"claims":{"sub":"u"}}}"#.to_owned(), "", false),
            (r#""authorizer":{"subject":"u"}"#.to_owned(), "", false),
            (r#""authorizer":null"#.to_owned(), "", false),
            (String::new(), r#","headers":{"subject":"u","authorization":"Bearer x"}"#, false),
            (String::new(), r#","authorizer":{"lambda":{"subject":"u"}}"#, false),
        ];
        for (inside, beside, expected) in table {
            let text = format!(r#"{{"version":"2.0","routeKey":"GET /","requestContext":{{{inside}}}{beside}}}"#);
            let request = Request::read(&text).unwrap();
            assert_eq!(request.caller().is_ok(), expected, "{inside} {beside}");
        }
    }

    #[test]
    fn a_bearer_token_and_a_key_are_read_from_their_headers() {
        let table = [
            (r#""authorization":"Bearer a.b.c""#, Some("a.b.c"), Ok(None)),
            (r#""Authorization":"bearer  a.b.c ""#, Some("a.b.c"), Ok(None)),
            (r#""authorization":"Basic a""#, None, Ok(None)),
            (r#""authorization":"Bearer""#, None, Ok(None)),
            (r#""idempotency-key":"k-1""#, None, Ok(Some("k-1"))),
            (r#""idempotency-key":"""#, None, Err("RequestUnreadable")),
            (r#""idempotency-key":"a b""#, None, Err("RequestUnreadable")),
            (r#""idempotency-key":"\u00fc""#, None, Err("RequestUnreadable")),
        ];
        for (headers, token, key) in table {
            let request = event(&format!(r#","headers":{{{headers}}}"#)).unwrap();
            assert_eq!(request.bearer(), token, "{headers}");
            let found = request.idempotency_key().map_err(|problem| problem.code());
            assert_eq!(found, key.map(|key| key.map(str::to_owned)), "{headers}");
        }
        let long = format!(r#","headers":{{"idempotency-key":"{}"}}"#, "k".repeat(65));
        assert!(event(&long).unwrap().idempotency_key().is_err());
    }

    #[test]
    fn a_printed_request_holds_no_token() {
        let request = event(r#","headers":{"authorization":"Bearer secret"},"body":"secret""#).unwrap();
        assert_eq!(format!("{request:?}"), r#"Request { route: "PUT /items/{id}", .. }"#);
    }

    #[test]
    fn a_malformed_path_parameter_names_nothing() {
        let request = event(r#","pathParameters":{"id":"a1","bad":"a/1"}"#).unwrap();
        let digits = |text: &str| (!text.contains('/')).then(|| text.to_owned());
        assert_eq!(request.path("id", digits).unwrap(), "a1");
        assert_eq!(request.path("bad", digits).unwrap_err().code(), "NotFound");
        assert_eq!(request.path("none", digits).unwrap_err().code(), "NotFound");
    }
}
