//! AWS services on loopback that answer what a test tells them to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// The answers, by call: `DescribeUserPool` of a JSON service, `GetRole user` of
/// IAM, `GET /2015-03-31/functions/…` of a REST service.
pub(crate) type Answers = BTreeMap<String, Reply>;

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This document.
    Json(Value),
    /// What stands within IAM's `…Result` element.
    Xml(String),
    /// An error with this code.
    Error(u16, &'static str),
}

/// The services; they live as long as the process.
pub(crate) struct Services {
    url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Services {
    /// Starts them. A call without an answer is refused.
    pub(crate) fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(Mutex::default());
        let (answers, noted) = (Arc::new(answers), Arc::clone(&calls));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, noted) = (Arc::clone(&answers), Arc::clone(&noted));
                std::thread::spawn(move || serve(stream, &answers, &noted));
            }
        });
        Self { url, calls }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was called.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(stream: TcpStream, answers: &Answers, noted: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let Some((call, kind)) = read(&mut reader) else { return };
    noted.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
    let refused = Reply::Error(400, "AccessDeniedException");
    let (status, content, body) = match answers.get(&call).unwrap_or(&refused) {
        Reply::Json(value) => (200, "application/json", value.to_string()),
        Reply::Xml(inner) => {
            let operation = call.split(' ').next().unwrap_or_default();
            let body =
                format!("<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>");
            (200, "text/xml", body)
        }
        Reply::Error(status, code) if kind == Kind::Query => {
            let body = format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>");
            (*status, "text/xml", body)
        }
        Reply::Error(status, code) => (*status, "application/json", json!({"__type": code}).to_string()),
    };
    let code = if status == 200 { String::new() } else { error_header(&body) };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {content}\r\n{code}content-length: {}\r\n", body.len());
    let _ = write!(reader.get_mut(), "{head}connection: close\r\n\r\n{body}");
}

/// REST services name the error in a header.
fn error_header(body: &str) -> String {
    let code = serde_json::from_str::<Value>(body).ok().and_then(|value| value["__type"].as_str().map(str::to_owned));
    code.map(|code| format!("x-amzn-errortype: {code}\r\n")).unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Query,
    Rest,
}

/// Reads a request and names its call.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, Kind)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let (mut target, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.trim_end().split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => target = value.rsplit('.').next().map(|name| name.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let line = first.rsplit_once(' ')?.0;
    Some(match target {
        Some(target) => (named(&target, &body), Kind::Json),
        None if line.starts_with("POST / ") || line == "POST /" => (query(&body), Kind::Query),
        None => (line.split('?').next()?.replace("%3A", ":"), Kind::Rest),
    })
}

/// One client of several is told by its id.
fn named(target: &str, body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match body["ClientId"].as_str() {
        Some(id) => format!("{target} {id}"),
        None => target.to_owned(),
    }
}

/// `Action=GetRole&RoleName=user`, with the names in order.
fn query(body: &str) -> String {
    let value = |name: &str| {
        let prefix = format!("{name}=");
        body.split('&').find_map(|pair| pair.strip_prefix(prefix.as_str()).map(str::to_owned))
    };
    let parts = ["Action", "RoleName", "PolicyName", "PolicyArn"].into_iter().filter_map(value);
    parts.collect::<Vec<_>>().join(" ")
}
