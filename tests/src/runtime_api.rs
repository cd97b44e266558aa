//! The Runtime API, as a function sees it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Deserialize;

use crate::http::{Request, Response, Server};

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The bytes that go back to the caller.
    Answer(Vec<u8>),
    /// A function error.
    Error {
        /// The code.
        error_type: String,
        /// What the caller is told.
        message: String,
    },
    /// The process ended without an answer.
    Exited,
    /// Nothing came in time.
    TimedOut,
}

/// The body of `/error`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ErrorBody {
    error_type: String,
    error_message: String,
}

struct Event {
    id: String,
    body: Vec<u8>,
    remaining: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Event>,
    ended: HashMap<String, Reply>,
    polled: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Runtime API for one process.
pub struct RuntimeApi {
    shared: Arc<Shared>,
    server: Server,
}

impl RuntimeApi {
    /// Starts it on loopback.
    pub fn start(function_name: &str) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{function_name}");
        let answering = Arc::clone(&shared);
        let server = Server::start(move |request| route(&answering, &arn, &request))?;
        Ok(Self { shared, server })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` is set to.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Hands out an event to the next poll.
    pub fn send(&self, id: &str, body: Vec<u8>, remaining: Duration) {
        self.shared.lock().waiting.push_back(Event { id: id.to_owned(), body, remaining });
        self.shared.changed.notify_all();
    }

    /// Waits a while for an event's reply.
    pub fn reply(&self, id: &str, at_most: Duration) -> Option<Reply> {
        let state = self.shared.lock();
        let waiting = |state: &mut State| !state.ended.contains_key(id);
        let (mut state, _) =
            self.shared.changed.wait_timeout_while(state, at_most, waiting).unwrap_or_else(PoisonError::into_inner);
        state.ended.remove(id)
    }

    /// Waits a while for the first poll: the end of the init phase.
    pub fn ready(&self, at_most: Duration) -> bool {
        let state = self.shared.lock();
        let waiting = |state: &mut State| !state.polled;
        let (state, _) =
            self.shared.changed.wait_timeout_while(state, at_most, waiting).unwrap_or_else(PoisonError::into_inner);
        state.polled
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

fn route(shared: &Shared, arn: &str, request: &Request) -> Response {
    let path = request.path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => next(shared, arn),
        ("POST", ["invocation", id, "response"]) => end(shared, id, Reply::Answer(request.body.clone())),
        ("POST", ["invocation", id, "error"]) => {
            let body: ErrorBody = serde_json::from_slice(&request.body).unwrap_or_default();
            end(shared, id, Reply::Error { error_type: body.error_type, message: body.error_message })
        }
        ("POST", ["init", "error"]) => Response::new(202, "application/json", r#"{"status":"OK"}"#),
        _ => Response::new(404, "application/json", r#"{"errorType":"NotFound","errorMessage":"no such path"}"#),
    }
}

/// Blocks until there is an event, as the real one does.
fn next(shared: &Shared, arn: &str) -> Response {
    let mut state = shared.lock();
    state.polled = true;
    shared.changed.notify_all();
    let waiting = |state: &mut State| state.waiting.is_empty() && !state.closed;
    let mut state = shared.changed.wait_while(state, waiting).unwrap_or_else(PoisonError::into_inner);
    let Some(event) = state.waiting.pop_front() else {
        return Response::new(500, "application/json", "{}");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + event.remaining).as_millis().to_string();
    Response::new(200, "application/json", event.body)
        .header("lambda-runtime-aws-request-id", event.id)
        .header("lambda-runtime-deadline-ms", deadline)
        .header("lambda-runtime-invoked-function-arn", arn)
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
}

fn end(shared: &Shared, id: &str, reply: Reply) -> Response {
    shared.lock().ended.insert(id.to_owned(), reply);
    shared.changed.notify_all();
    Response::new(202, "application/json", r#"{"status":"OK"}"#)
}
