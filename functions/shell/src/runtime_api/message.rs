//! One HTTP/1.1 response, read from a connection.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use super::Lost;

/// What the platform sends is below 20.
const MOST_HEADERS: usize = 32;

/// An event is at most 6 MB; what is far above is no event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// As much as is read at once, and what most events fit into.
const STEP: usize = 16 * 1024;

/// The bytes of a response as they come. The memory is kept for the next one.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// So many of them were received; the others are room.
    received: usize,
}

/// What matters of a response.
pub(super) struct Message {
    pub(super) status: u16,
    /// Whether the connection may be used again.
    pub(super) is_kept: bool,
    pub(super) request_id: Option<String>,
    pub(super) invocation_id: Option<String>,
    pub(super) deadline_ms: Option<u64>,
    /// Where the body is.
    pub(super) body: Range<usize>,
}

/// How long a body is.
/// <https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length>
#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
    /// Until the connection ends.
    Open,
}

impl Incoming {
    pub(super) fn is_empty(&self) -> bool {
        self.received == 0
    }

    /// An event may hold a password, so nothing of it stays.
    pub(super) fn clear(&mut self) {
        self.bytes.get_mut(..self.received).unwrap_or_default().fill(0);
        self.received = 0;
    }

    pub(super) fn body(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// All of the memory, received or not.
    #[cfg(test)]
    pub(super) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads a whole response.
    pub(super) fn read(&mut self, connection: &mut impl Read) -> Result<Message, Lost> {
        let (mut message, length) = loop {
            match head(self.from(0))? {
                Some(head) => break head,
                None => self.more(connection)?,
            }
        };
        message.body = self.read_body(connection, message.body.start, length)?;
        Ok(message)
    }

    fn read_body(&mut self, connection: &mut impl Read, start: usize, length: Length) -> Result<Range<usize>, Lost> {
        match length {
            Length::Known(length) => {
                let end = start.saturating_add(length);
                self.fill(connection, end)?;
                Ok(start..end)
            }
            Length::Chunked => self.read_chunks(connection, start),
            Length::Open => loop {
                match self.more(connection) {
                    Ok(()) => {}
                    Err(Lost::Disconnected(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                        return Ok(start..self.received);
                    }
                    Err(lost) => return Err(lost),
                }
            },
        }
    }

    /// Puts the chunks together where the first one is.
    fn read_chunks(&mut self, connection: &mut impl Read, start: usize) -> Result<Range<usize>, Lost> {
        let (mut at, mut end) = (start, start);
        loop {
            let (head, size) = self.parsed(connection, at, httparse::parse_chunk_size)?;
            at += head;
            if size == 0 {
                break;
            }
            let size = usize::try_from(size).map_err(|_| TOO_LARGE)?;
            self.fill(connection, at.saturating_add(size).saturating_add(2))?;
            self.bytes.copy_within(at..at + size, end);
            end += size;
            at += size;
            if self.from(at).get(..2) != Some(b"\r\n") {
                return Err(Lost::Unreadable("a chunk that does not end"));
            }
            at += 2;
        }
        // Trailers, of which there are none.
        self.parsed(connection, at, |bytes| {
            let mut trailers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            httparse::parse_headers(bytes, &mut trailers).map(|status| match status {
                httparse::Status::Complete((end, _)) => httparse::Status::Complete((end, ())),
                httparse::Status::Partial => httparse::Status::Partial,
            })
        })?;
        Ok(start..end)
    }

    /// What a parser makes of the bytes from here on, once there are enough of them.
    fn parsed<T, E>(
        &mut self,
        connection: &mut impl Read,
        at: usize,
        parse: impl Fn(&[u8]) -> Result<httparse::Status<(usize, T)>, E>,
    ) -> Result<(usize, T), Lost> {
        loop {
            match parse(self.from(at)) {
                Ok(httparse::Status::Complete(parsed)) => return Ok(parsed),
                Ok(httparse::Status::Partial) => self.more(connection)?,
                Err(_) => return Err(Lost::Unreadable("chunks that cannot be read")),
            }
        }
    }

    fn from(&self, at: usize) -> &[u8] {
        self.bytes.get(at..self.received).unwrap_or_default()
    }

    fn fill(&mut self, connection: &mut impl Read, wanted: usize) -> Result<(), Lost> {
        if wanted > MOST_BYTES {
            return Err(TOO_LARGE);
        }
        while self.received < wanted {
            self.more(connection)?;
        }
        Ok(())
    }

    /// Reads what is there, and waits when there is nothing.
    fn more(&mut self, connection: &mut impl Read) -> Result<(), Lost> {
        if self.received == self.bytes.len() {
            if self.received >= MOST_BYTES {
                return Err(TOO_LARGE);
            }
            let mut larger = vec![0; (2 * self.received).max(STEP)];
            larger.get_mut(..self.received).unwrap_or_default().copy_from_slice(&self.bytes);
            self.bytes.fill(0);
            self.bytes = larger;
        }
        let room = self.bytes.get_mut(self.received..).unwrap_or_default();
        match connection.read(room) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.received += read;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

const TOO_LARGE: Lost = Lost::Unreadable("more than an event may have");

const BROKEN: Lost = Lost::Unreadable("a response that cannot be read");

/// Reads the head, once it is whole. Its body begins where the range does.
fn head(bytes: &[u8]) -> Result<Option<(Message, Length)>, Lost> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let end = match response.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(BROKEN),
    };
    let status = response.code.ok_or(BROKEN)?;
    let empty = matches!(status, 204 | 304);
    let mut length = if empty { Length::Known(0) } else { Length::Open };
    let mut message = Message {
        status,
        is_kept: response.version == Some(1),
        request_id: None,
        invocation_id: None,
        deadline_ms: None,
        body: end..end,
    };
    for header in response.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let value = std::str::from_utf8(header.value).unwrap_or_default();
        if is("content-length") && matches!(length, Length::Open) {
            length = Length::Known(value.parse().map_err(|_| BROKEN)?);
        } else if is("transfer-encoding") && !empty {
            length = Length::Chunked;
        } else if is("connection") {
            message.is_kept = !value.eq_ignore_ascii_case("close");
        } else if is("lambda-runtime-aws-request-id") {
            message.request_id = Some(value.to_owned()).filter(|id| is_id(id));
        } else if is("lambda-runtime-invocation-id") {
            message.invocation_id = Some(value.to_owned());
        } else if is("lambda-runtime-deadline-ms") {
            message.deadline_ms = value.parse().ok();
        }
    }
    message.is_kept &= !matches!(length, Length::Open);
    Ok(Some((message, length)))
}

/// It goes back in a path.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#%".contains(&byte))
}
