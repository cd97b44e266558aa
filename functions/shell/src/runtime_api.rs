//! The Runtime API: events in and answers out, one after the other over one
//! connection.
//!
//! A function does nothing while it waits for an event, and Lambda freezes it then. So
//! this blocks, and a call costs two writes and two reads. Answers in pieces, snapshots
//! and several events at once are not here.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

mod message;

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::net::TcpStream;

use serde::Serialize;

use crate::{Lookup, SettingError};
use message::{Incoming, Message};

/// More than the head of a request has.
const HEAD_BYTES: usize = 512;

const ADDRESS_KEY: &str = "AWS_LAMBDA_RUNTIME_API";
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const SNAPSHOT_KEY: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-runtimes.html>
const CONCURRENCY_KEY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// One event, as it was handed out.
pub(crate) struct Next<'a> {
    /// Names the invocation.
    pub(crate) ids: Ids,
    /// When Lambda ends the call, in milliseconds since 1970.
    pub(crate) deadline_ms: u64,
    /// The event's bytes.
    pub(crate) event: &'a [u8],
}

/// What an answer has to repeat of its event.
pub(crate) struct Ids {
    /// The request id, of which a request that Lambda tries again has the same one.
    pub(crate) request: String,
    /// The id of this very try, where the platform gives one.
    pub(crate) invocation: Option<String>,
}

/// The platform's own end of the line. Nothing of an event or an answer is in it.
#[derive(Debug)]
pub(crate) enum Lost {
    /// No connection, or it broke.
    Disconnected(io::Error),
    /// What came cannot be read.
    Unreadable(&'static str),
    /// It hands out no events any more.
    Refused(u16),
}

/// The error of an invocation, as the platform hands it on.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror>
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvocationError {
    /// The stable name.
    pub(crate) error_type: &'static str,
    /// The sentence for the caller.
    pub(crate) error_message: &'static str,
}

/// The Runtime API of this process.
pub(crate) struct RuntimeApi {
    /// Host and port.
    address: String,
    /// What every path begins with: nothing in Lambda, but one emulator may serve many
    /// functions.
    base: String,
    connection: Option<TcpStream>,
    outgoing: Vec<u8>,
    incoming: Incoming,
}

impl RuntimeApi {
    /// Where the environment says. Connects to nobody yet.
    pub(crate) fn from_environment(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let address = SettingError::optional(lookup, ADDRESS_KEY).ok_or_else(|| {
            SettingError::new(ADDRESS_KEY, "is missing; Lambda sets it, and so does `cargo lambda watch`")
        })?;
        refuse(lookup, SNAPSHOT_KEY, |kind| kind == "snap-start", "turn SnapStart off")?;
        refuse(lookup, CONCURRENCY_KEY, |most| most != "1", "let an instance have one event at a time")?;
        let text = address.strip_prefix("http://").unwrap_or(&address).trim_end_matches('/');
        let (address, base) = text.find('/').map_or((text, ""), |slash| text.split_at(slash));
        let address = if has_port(address) { address.to_owned() } else { format!("{address}:80") };
        let (outgoing, incoming) = (Vec::new(), Incoming::default());
        Ok(Self { address, base: base.to_owned(), connection: None, outgoing, incoming })
    }

    /// Waits for an event.
    pub(crate) fn next(&mut self) -> Result<Next<'_>, Lost> {
        let message = self.exchange("GET", "next", None, &[])?;
        if message.status != 200 {
            return Err(Lost::Refused(message.status));
        }
        let request = message.request_id.ok_or(Lost::Unreadable("an event without a request id"))?;
        let ids = Ids { request, invocation: message.invocation_id };
        // Without one only our own limit counts.
        let deadline_ms = message.deadline_ms.unwrap_or(u64::MAX);
        Ok(Next { ids, deadline_ms, event: self.incoming.body(message.body) })
    }

    /// Hands an answer over. What the platform says of it is its status; only one that
    /// ends the process is an error.
    pub(crate) fn answer(&mut self, ids: &Ids, body: &[u8]) -> Result<u16, Lost> {
        self.post(ids, "response", body)
    }

    /// Says that there is no answer, and why.
    pub(crate) fn error(&mut self, ids: &Ids, error: InvocationError) -> Result<u16, Lost> {
        let body = serde_json::to_vec(&error).map_err(|_| Lost::Unreadable("an error that cannot be written"))?;
        self.post(ids, "error", &body)
    }

    fn post(&mut self, ids: &Ids, what: &str, body: &[u8]) -> Result<u16, Lost> {
        let status = self.exchange("POST", &format!("{}/{what}", ids.request), ids.invocation.as_deref(), body)?.status;
        // "Non-recoverable state. Runtime should exit promptly."
        if status == 500 { Err(Lost::Refused(status)) } else { Ok(status) }
    }

    /// Sends a request and reads what comes back. A kept connection that has died is
    /// replaced once: the platform tells events apart by their ids.
    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        invocation_id: Option<&str>,
        body: &[u8],
    ) -> Result<Message, Lost> {
        self.write(method, path, invocation_id, body);
        let message = self.send();
        // An answer may hold the event, and that a password.
        self.outgoing.fill(0);
        message
    }

    fn send(&mut self) -> Result<Message, Lost> {
        if let Some(kept) = self.connection.take() {
            match self.attempt(kept) {
                Err(Lost::Disconnected(_)) if self.incoming.is_empty() => {}
                ended => return ended,
            }
        }
        let connection = TcpStream::connect(self.address.as_str())?;
        connection.set_nodelay(true)?;
        self.attempt(connection)
    }

    fn attempt(&mut self, mut connection: TcpStream) -> Result<Message, Lost> {
        self.incoming.clear();
        connection.write_all(&self.outgoing)?;
        let message = self.incoming.read(&mut connection)?;
        self.connection = message.is_kept.then_some(connection);
        Ok(message)
    }

    fn write(&mut self, method: &str, path: &str, invocation_id: Option<&str>, body: &[u8]) {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        let Self { address, base, outgoing, .. } = self;
        outgoing.clear();
        // At once, so that no copy is left behind by growing.
        outgoing.reserve(HEAD_BYTES + body.len());
        // Writing to memory does not fail.
        let _ = write!(
            outgoing,
            "{method} {base}/2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: poolhouse/{VERSION}\r\n"
        );
        if let Some(id) = invocation_id {
            let _ = write!(outgoing, "lambda-runtime-invocation-id: {id}\r\n");
        }
        if method == "POST" {
            let _ = write!(outgoing, "content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        outgoing.extend_from_slice(b"\r\n");
        outgoing.extend_from_slice(body);
    }
}

/// An address of the sixth version has colons of its own, in brackets.
fn has_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Refuses to start where Lambda would not be served as it expects.
fn refuse(
    lookup: Lookup<'_>,
    key: &'static str,
    is_other: fn(&str) -> bool,
    instead: &str,
) -> Result<(), SettingError> {
    match SettingError::optional(lookup, key).filter(|value| is_other(value)) {
        Some(_) => Err(SettingError::new(key, format!("says what this function does not do; {instead}"))),
        None => Ok(()),
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Disconnected(error)
    }
}

impl From<ErrorKind> for Lost {
    fn from(kind: ErrorKind) -> Self {
        Self::Disconnected(kind.into())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(error) => write!(f, "the Runtime API cannot be reached: {error}"),
            Self::Unreadable(what) => write!(f, "the Runtime API sent {what}"),
            Self::Refused(status) => write!(f, "the Runtime API answered {status}"),
        }
    }
}

impl std::error::Error for Lost {}

#[cfg(test)]
mod tests;
