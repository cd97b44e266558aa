//! HTTP/1.1 on loopback: as little of it as the clients of the tests speak.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What it is answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers beside `content-length`.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer of this media type.
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), media_type.to_owned())], body: body.into() }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server that lives as long as this value. Each connection has a thread.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    closing: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to listen on a free port of loopback.
    pub fn start(answer: impl Fn(Request) -> Response + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
        let address = listener.local_addr()?;
        let closing = Arc::new(AtomicBool::new(false));
        let (answer, closed) = (Arc::new(answer), Arc::clone(&closing));
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let answer = Arc::clone(&answer);
                // A client that goes away ends its own thread, nothing more.
                std::thread::spawn(move || drop(serve(&stream, answer.as_ref())));
            }
        });
        Ok(Self { address, closing, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the acceptor; there is nothing else to wake it with.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

/// Sends a request on to `address` (host and port) as it is.
pub fn forward(address: &str, request: &Request) -> Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.method,
        request.path,
        request.body.len()
    );
    let own = ["connection", "content-length", "transfer-encoding"];
    for (name, value) in request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let header = |name: &str| {
        let of = |line: &str| {
            line.split_once(':')
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        head.lines().find_map(of)
    };
    let kind = header("content-type").unwrap_or_else(|| "application/x-amz-json-1.0".to_owned());
    let mut response = Response::new(status, &kind, body);
    if let Some(checksum) = header("x-amz-crc32") {
        response = response.header("x-amz-crc32", checksum);
    }
    Ok(response)
}

fn serve(stream: &TcpStream, answer: &dyn Fn(Request) -> Response) -> Result<()> {
    stream.set_nodelay(true)?;
    converse(stream, answer)
}

/// Answers every request of one connection, until the client ends it.
pub fn converse(stream: impl Read + Write, answer: &dyn Fn(Request) -> Response) -> Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        write_response(reader.get_mut(), &answer(request))?;
        if close {
            break;
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> Result<Option<Request>> {
    let Some(line) = read_line(reader)? else { return Ok(None) };
    let mut words = line.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else { bail!("not a request line: {line}") };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = Vec::new();
    while let Some(line) = read_line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: Vec::new() };
    request.body = read_body(reader, &request)?;
    Ok(Some(request))
}

fn read_body(reader: &mut impl BufRead, request: &Request) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    if request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let line = read_line(reader)?.context("a chunk is missing")?;
            let length = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
            reader.take(length).read_to_end(&mut body)?;
            read_line(reader)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
    let length: u64 = request.header("content-length").map_or(Ok(0), str::parse)?;
    reader.take(length).read_to_end(&mut body)?;
    Ok(body)
}

fn read_line(reader: &mut impl BufRead) -> Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(Some(line))
}

fn write_response(writer: &mut impl Write, response: &Response) -> Result<()> {
    let mut head = format!("HTTP/1.1 {} -\r\ncontent-length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    // One write where it can be: two would wait for each other's acknowledgement.
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&response.body);
    writer.write_all(&bytes)?;
    writer.flush()?;
    Ok(())
}
