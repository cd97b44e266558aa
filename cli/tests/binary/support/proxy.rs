//! A DynamoDB that fails as it is told to, in front of one that works.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// A call of the tool.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Such as `BatchWriteItem`.
    pub(crate) operation: String,
    /// How many calls of this operation came before it.
    pub(crate) earlier: usize,
    /// The request.
    pub(crate) body: Value,
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is answered as it should be.
    Served,
    /// An error with this code; nothing was done.
    Refused(u16, &'static str),
    /// It is done, but its caller is told an error with this code.
    ServedAndDenied(u16, &'static str),
    /// All but the first so many requests of a batch are left undone.
    ServedUpTo(usize),
    /// There is no answer, and nothing is done, until the caller goes away.
    Held,
    /// It is done, but there is no answer until the caller goes away.
    ServedAndHeld,
    /// This answer, and nothing is done.
    Answered(Value),
}

type Plan = Box<dyn FnMut(&Call) -> Fate + Send>;

struct State {
    upstream: String,
    plan: Mutex<Plan>,
    calls: Mutex<Vec<Call>>,
    held: Mutex<Sender<()>>,
}

/// The proxy; it serves as long as the process lives.
pub(crate) struct Proxy {
    state: Arc<State>,
    url: String,
    held: Receiver<()>,
}

impl Proxy {
    /// Starts one before the database at `upstream`.
    pub(crate) fn start(upstream: &str, plan: impl FnMut(&Call) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, held) = channel();
        let state = Arc::new(State {
            upstream: upstream.trim_start_matches("http://").to_owned(),
            plan: Mutex::new(Box::new(plan)),
            calls: Mutex::default(),
            held: Mutex::new(sender),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Self { state, url, held }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls the database itself.
    pub(crate) fn call(&self, operation: &str, body: &Value) {
        let (status, answer) = self.state.forward(&format!("DynamoDB_20120810.{operation}"), body);
        assert_eq!(status, 200, "{answer}");
    }

    /// The calls so far; the list starts anew.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.state.calls))
    }

    /// What becomes of calls from now on.
    pub(crate) fn plan(&self, plan: impl FnMut(&Call) -> Fate + Send + 'static) {
        *lock(&self.state.plan) = Box::new(plan);
    }

    /// Waits until a call is held.
    pub(crate) fn wait_until_held(&self) {
        self.held.recv().expect("the proxy lives");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// One request on a connection; then it closes.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let Some((target, body)) = read_request(&mut reader) else { return };
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let parsed = serde_json::from_slice(&body).expect("the SDK speaks JSON");
        let call = self.note(operation, parsed);
        let fate = (lock(&self.plan))(&call);
        let error = |code: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}")});
        let (status, answer) = match fate {
            Fate::Served => self.forward(&target, &call.body),
            Fate::Answered(answer) => (200, answer),
            Fate::Refused(status, code) => (status, error(code)),
            Fate::ServedAndDenied(status, code) => {
                self.forward(&target, &call.body);
                (status, error(code))
            }
            Fate::ServedUpTo(count) => self.forward_part(&target, &call.body, count),
            Fate::Held => return self.hold(reader),
            Fate::ServedAndHeld => {
                self.forward(&target, &call.body);
                return self.hold(reader);
            }
        };
        let answer = answer.to_string();
        let head = "Content-Type: application/x-amz-json-1.0\r\nConnection: close";
        let _ = write!(
            reader.get_mut(),
            "HTTP/1.1 {status} X\r\n{head}\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn note(&self, operation: String, body: Value) -> Call {
        let mut calls = lock(&self.calls);
        let earlier = calls.iter().filter(|call| call.operation == operation).count();
        let call = Call { operation, earlier, body };
        calls.push(call.clone());
        call
    }

    /// Says so, and waits until the caller is gone.
    fn hold(&self, mut reader: BufReader<TcpStream>) {
        let _ = lock(&self.held).send(());
        let _ = reader.read_to_end(&mut Vec::new());
    }

    /// Serves the start of a batch and hands the rest back, as DynamoDB does when
    /// a part of a table is busy.
    fn forward_part(&self, target: &str, body: &Value, count: usize) -> (u16, Value) {
        let (mut part, mut rest) = (body.clone(), body.clone());
        let cut = |tables: &mut Value, keep: &dyn Fn(usize) -> bool| {
            for table in tables["RequestItems"].as_object_mut().expect("tables").values_mut() {
                let list = if table.is_array() { table } else { &mut table["Keys"] };
                let mut index = 0;
                list.as_array_mut().expect("a list").retain(|_| {
                    index += 1;
                    keep(index - 1)
                });
            }
        };
        cut(&mut part, &|index| index < count);
        cut(&mut rest, &|index| index >= count);
        let name = if target.ends_with("BatchGetItem") { "UnprocessedKeys" } else { "UnprocessedItems" };
        // DynamoDB takes no empty batch.
        let (status, mut answer) = if count == 0 { (200, json!({})) } else { self.forward(target, &part) };
        answer[name] = rest["RequestItems"].take();
        (status, answer)
    }

    fn forward(&self, target: &str, body: &Value) -> (u16, Value) {
        let mut upstream = TcpStream::connect(&self.upstream).expect("the database listens");
        let body = body.to_string();
        // Whom the database lets in is no matter here.
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20260101T000000Z\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n",
            self.upstream,
            body.len()
        );
        upstream.write_all(head.as_bytes()).and_then(|()| upstream.write_all(body.as_bytes())).expect("a request");
        let mut answer = String::new();
        upstream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("the database speaks JSON"))
    }
}

/// The target and the body of a request.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut target, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => target = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    (!target.is_empty()).then_some((target, body))
}
