//! What goes back to API Gateway.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use shell::{Answer, Failure, Invocation, PublicText};

use crate::{Caller, Problem, Refusal, Request, entity_tag};

/// A successful answer.
#[derive(Debug)]
pub struct Response {
    status: u16,
    code: &'static str,
    version: Option<u64>,
    retry_after_s: Option<u64>,
    body: Option<Box<RawValue>>,
}

impl Response {
    /// 200 with a body. The code goes to the log.
    pub fn ok<T: Serialize>(code: &'static str, body: &T) -> Result<Self, Problem> {
        Self::with(200, code, body)
    }

    /// 201 with a body.
    pub fn created<T: Serialize>(code: &'static str, body: &T) -> Result<Self, Problem> {
        Self::with(201, code, body)
    }

    /// 202: the work goes on, and asking again after these seconds tells more.
    pub fn accepted<T: Serialize>(code: &'static str, body: &T, retry_after_s: u64) -> Result<Self, Problem> {
        Ok(Self { retry_after_s: Some(retry_after_s), ..Self::with(202, code, body)? })
    }

    /// 204.
    pub fn empty(code: &'static str) -> Self {
        Self { status: 204, code, version: None, retry_after_s: None, body: None }
    }

    /// Adds the entity tag of what was read or written.
    pub fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    fn with<T: Serialize>(status: u16, code: &'static str, body: &T) -> Result<Self, Problem> {
        let body = to_raw_value(body).map_err(|error| Problem::unavailable("ReplyUnwritable", error))?;
        Ok(Self { status, code, version: None, retry_after_s: None, body: Some(body) })
    }
}

/// The shape of a payload 2.0 answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    is_base64_encoded: bool,
}

/// Problem details. `type` stays `about:blank` (the status says what it is);
/// `code` is the stable name that a client may match on.
#[derive(Serialize)]
struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    instance: &'a str,
    code: &'a str,
}

/// One request of a back end: read it, know the caller, let `handle` serve it,
/// answer. Whatever goes wrong after the event is read is an answer too.
pub async fn answer<F>(event: &str, invocation: &Invocation, handle: F) -> Result<Answer, Failure>
where
    F: AsyncFnOnce(&Request, &Caller) -> Result<Response, Problem>,
{
    let request = Request::read(event)?;
    let caller = request.caller();
    let subject = caller.as_ref().ok().map(|caller| caller.subject().to_string());
    let outcome = match caller {
        // Boxed: a call through the SDK is a future too deep to lay out in one piece.
        Ok(caller) => Box::pin(handle(&request, &caller)).await,
        Err(problem) => Err(problem),
    };
    told(outcome, subject, invocation)
}

/// The same for a route that nobody has to sign in for.
pub async fn answer_anybody<F>(event: &str, invocation: &Invocation, handle: F) -> Result<Answer, Failure>
where
    F: AsyncFnOnce(&Request) -> Result<Response, Problem>,
{
    let request = Request::read(event)?;
    told(Box::pin(handle(&request)).await, None, invocation)
}

fn told(
    outcome: Result<Response, Problem>,
    subject: Option<String>,
    invocation: &Invocation,
) -> Result<Answer, Failure> {
    let (code, cause, body) = match outcome {
        Ok(response) => (response.code, None, success(&response)),
        Err(problem) => (problem.code(), cause(&problem), refusal(&problem, &invocation.request_id)),
    };
    let body = body.map_err(|error| Failure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error))?;
    Ok(Answer { body, code, subject, cause })
}

/// What the caller is not told, for the log.
fn cause(problem: &Problem) -> Option<String> {
    match problem {
        Problem::Unavailable { cause, .. } => Some(shell::chain(cause.as_ref())),
        _ => None,
    }
}

fn success(response: &Response) -> Result<String, serde_json::Error> {
    // What a tenant's user reads is nobody else's: no cache may keep it.
    let mut headers = BTreeMap::from([("cache-control", "no-store".to_owned())]);
    if response.body.is_some() {
        headers.insert("content-type", "application/json".to_owned());
    }
    if let Some(version) = response.version {
        headers.insert("etag", entity_tag(version));
    }
    if let Some(seconds) = response.retry_after_s {
        headers.insert("retry-after", seconds.to_string());
    }
    serde_json::to_string(&Wire {
        status_code: response.status,
        headers,
        body: response.body.as_deref().map(RawValue::get),
        is_base64_encoded: false,
    })
}

fn refusal(problem: &Problem, request_id: &str) -> Result<String, serde_json::Error> {
    let details = problem.details();
    let mut headers = BTreeMap::from([
        ("cache-control", "no-store".to_owned()),
        ("content-type", "application/problem+json".to_owned()),
    ]);
    if matches!(problem, Problem::Refused(Refusal::CallerUnknown)) {
        headers.insert("www-authenticate", "Bearer".to_owned());
    }
    let body = serde_json::to_string(&Details {
        kind: "about:blank",
        title: details.title,
        status: details.status,
        detail: details.detail,
        instance: &format!("urn:uuid:{request_id}"),
        code: problem.public_code(),
    })?;
    serde_json::to_string(&Wire { status_code: details.status, headers, body: Some(&body), is_base64_encoded: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    async fn run(event: &Value, outcome: Result<Response, Problem>) -> (Answer, Value) {
        let invocation = Invocation { request_id: "6d1f0f0a-0000-4000-8000-000000000001".to_owned(), now: 1_000 };
        let answer = answer(&event.to_string(), &invocation, async |_, _| outcome).await.unwrap();
        let wire = serde_json::from_str(answer.body.as_str()).unwrap();
        (answer, wire)
    }

    fn event() -> Value {
        json!({"version": "2.0", "routeKey": "GET /x",
            "requestContext": {"authorizer": {"lambda": {"subject": "u-1"}}}})
    }

    #[tokio::test]
    async fn a_success_carries_its_body_and_version() {
        let response = Response::ok("ItemRead", &json!({"id": "a"})).unwrap().version(3);
        let (answer, wire) = run(&event(), Ok(response)).await;
        let expected = json!({"statusCode": 200, "isBase64Encoded": false,
            "body": "{\"id\":\"a\"}",
            "headers": {"content-type": "application/json", "cache-control": "no-store", "etag": "\"3\""}});
        assert_eq!(wire, expected);
        assert_eq!((answer.code, answer.subject.as_deref()), ("ItemRead", Some("u-1")));
        let (_, wire) = run(&event(), Ok(Response::empty("ItemGone"))).await;
        assert_eq!(
            wire,
            json!({"statusCode": 204, "isBase64Encoded": false,
            "headers": {"cache-control": "no-store"}})
        );
    }

    #[tokio::test]
    async fn a_problem_says_no_more_than_its_fixed_sentences() {
        let secret = Problem::unavailable("TableUnavailable", "table tenants-eu is down");
        let (answer, wire) = run(&event(), Err(secret)).await;
        assert_eq!(answer.code, "TableUnavailable");
        assert!(!wire.to_string().contains("tenants-eu"), "{wire}");
        let body: Value = serde_json::from_str(wire["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"type": "about:blank", "title": "Service Unavailable", "status": 503,
            "detail": "This is not possible right now. Please try again.",
            "instance": "urn:uuid:6d1f0f0a-0000-4000-8000-000000000001", "code": "TableUnavailable"})
        );
        assert_eq!(wire["headers"]["content-type"], "application/problem+json");
    }

    #[tokio::test]
    async fn a_veiled_refusal_tells_the_caller_less_than_the_log() {
        let veiled = Problem::Veiled { refusal: Refusal::GuestRefused, code: "GuestOfAnother" };
        let (answer, wire) = run(&event(), Err(veiled)).await;
        let (plain, other) = run(&event(), Err(Refusal::GuestRefused.into())).await;
        assert_eq!((answer.code, plain.code), ("GuestOfAnother", "GuestRefused"));
        assert_eq!(wire, other);
    }

    #[tokio::test]
    async fn work_that_goes_on_says_when_to_ask_again() {
        let (_, wire) = run(&event(), Response::accepted("Moving", &json!({}), 2)).await;
        assert_eq!((&wire["statusCode"], &wire["headers"]["retry-after"]), (&json!(202), &json!("2")));
    }

    #[tokio::test]
    async fn a_route_for_anybody_is_served_without_a_caller() {
        let event = json!({"version": "2.0", "routeKey": "PUT /x", "requestContext": {}});
        let invocation = Invocation { request_id: "6d1f0f0a-0000-4000-8000-000000000001".to_owned(), now: 1_000 };
        let served =
            answer_anybody(&event.to_string(), &invocation, async |_| Ok(Response::empty("Served"))).await.unwrap();
        assert_eq!((served.code, served.subject), ("Served", None));
    }

    #[tokio::test]
    async fn without_a_caller_nothing_is_served() {
        let event = json!({"version": "2.0", "routeKey": "GET /x", "requestContext": {},
            "headers": {"authorization": "Bearer x"}});
        let served = Response::ok("Served", &json!({})).unwrap();
        let (answer, wire) = run(&event, Ok(served)).await;
        assert_eq!((answer.code, answer.subject), ("CallerUnknown", None));
        assert_eq!(wire["statusCode"], 401);
        assert_eq!(wire["headers"]["www-authenticate"], "Bearer");
    }
}
