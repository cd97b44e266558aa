//! Calls to other people's servers over HTTPS, with a limit on everything.

mod connection;
mod roots;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::StatusCode;
pub use hyper::body::Bytes;
pub use hyper::header;
pub use hyper::http::request::Builder;
pub use hyper::{Request, Response, Uri};
use rustls::ClientConfig;

use connection::{Broken, Connection, Outgoing, Server};

/// How far a call may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The connection alone.
    pub connect: Duration,
    /// Connection, TLS, answer and body.
    pub total: Duration,
    /// The largest body of an answer, in bytes.
    pub most_bytes: usize,
}

/// How many connections to a server are kept for calls to come.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// How long one may lie idle.
    pub idle: Duration,
    /// As many as there are calls side by side.
    pub most: usize,
}

/// Calls over HTTPS (HTTP/1.1), trusting the web's own roots and those of the
/// file that the setting `EXTRA_CA_CERTS` names.
///
/// It follows no redirect, for what is sent is meant for one address; it asks
/// for no compression, and it tries once. It keeps no connection unless asked to:
/// one that slept through a freeze would only be broken.
pub struct Https {
    /// `None` when the further roots cannot be read: then nobody is trusted.
    tls: Option<Arc<ClientConfig>>,
    limits: Limits,
    keep: Option<Keep>,
    /// The one that was used last is the last one.
    kept: Mutex<Vec<Kept>>,
}

/// A connection that waits for the next call.
struct Kept {
    server: Server,
    connection: Connection,
    since: Instant,
}

/// Why there is no answer. What was sent is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpsError {
    /// The file of further roots cannot be used.
    RootsUnusable,
    /// The request could not be written.
    Unwritable,
    /// Nothing came in time.
    TimedOut,
    /// No connection, or it broke.
    Disconnected,
    /// An answer, but not 200.
    Status(u16),
    /// A body with an encoding that was not asked for.
    Encoded,
    /// A body that is too large, or that ended too early.
    BodyRefused,
}

impl Https {
    /// Prepares the client; nothing is connected yet.
    pub fn new(limits: Limits) -> Self {
        Self::build(limits, None)
    }

    /// The same, with connections that are used again. For a service that is called
    /// often: a handshake costs more than a call. Should the server have closed one
    /// meanwhile, a new one is made.
    pub fn keeping(limits: Limits, keep: Keep) -> Self {
        Self::build(limits, Some(keep))
    }

    fn build(limits: Limits, keep: Option<Keep>) -> Self {
        Self { tls: roots::roots(), limits, keep, kept: Mutex::default() }
    }

    /// Sends a request and waits for the whole answer, which is a 200.
    pub async fn call(&self, request: Builder, body: Bytes) -> Result<Response<Bytes>, HttpsError> {
        let attempt = async {
            match self.send(request, body).await? {
                response if response.status() == StatusCode::OK => Ok(response),
                response => Err(HttpsError::Status(response.status().as_u16())),
            }
        };
        tokio::time::timeout(self.limits.total, attempt).await.unwrap_or(Err(HttpsError::TimedOut))
    }

    /// Sends a request and waits for the whole answer, whatever its status: for
    /// services that say in the body what was wrong.
    pub async fn exchange(&self, request: Builder, body: Bytes) -> Result<Response<Bytes>, HttpsError> {
        self.exchange_within(self.limits.total, request, body).await
    }

    /// The same with a limit of its own, from connection to body.
    pub async fn exchange_within(
        &self,
        limit: Duration,
        request: Builder,
        body: Bytes,
    ) -> Result<Response<Bytes>, HttpsError> {
        tokio::time::timeout(limit, self.send(request, body)).await.unwrap_or(Err(HttpsError::TimedOut))
    }

    async fn send(&self, request: Builder, body: Bytes) -> Result<Response<Bytes>, HttpsError> {
        let mut request = request.body(Full::new(body)).map_err(|_| HttpsError::Unwritable)?;
        let tls = self.tls.as_ref().ok_or(HttpsError::RootsUnusable)?;
        let server = Server::of(request.uri()).ok_or(HttpsError::Unwritable)?;
        server.address(&mut request)?;
        while let Some(kept) = self.take(&server) {
            match self.carry(kept, &server, request).await {
                Err(Broken::Unsent(unsent)) => request = *unsent,
                Err(Broken::Sent(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
        let opened = tokio::time::timeout(self.limits.connect, Connection::open(&server, tls)).await;
        let opened = opened.map_err(|_| HttpsError::Disconnected)??;
        self.carry(opened, &server, request).await.map_err(|broken| match broken {
            Broken::Sent(error) => error,
            Broken::Unsent(_) => HttpsError::Disconnected,
        })
    }

    /// A call that is given up leaves no connection behind: an answer to it would be
    /// taken for the next one's.
    async fn carry(
        &self,
        mut connection: Connection,
        server: &Server,
        request: Outgoing,
    ) -> Result<Response<Bytes>, Broken> {
        let answer = connection.exchange(request, self.limits.most_bytes).await?;
        if let Some(keep) = self.keep
            && connection.is_alive()
        {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|kept| kept.since.elapsed() < keep.idle);
            if all.iter().filter(|kept| kept.server == *server).count() < keep.most {
                all.push(Kept { server: server.clone(), connection, since: Instant::now() });
            }
        }
        Ok(answer)
    }

    /// A kept connection that has not ended, as far as can be told.
    fn take(&self, server: &Server) -> Option<Connection> {
        let keep = self.keep?;
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|kept| kept.since.elapsed() < keep.idle);
        loop {
            let index = all.iter().rposition(|kept| kept.server == *server)?;
            let mut connection = all.remove(index).connection;
            if connection.is_alive() {
                return Some(connection);
            }
        }
    }
}

impl fmt::Display for HttpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RootsUnusable => f.write_str("the file that EXTRA_CA_CERTS names holds no usable certificates"),
            Self::Unwritable => f.write_str("the request could not be written"),
            Self::TimedOut => f.write_str("nothing came in time"),
            Self::Disconnected => f.write_str("no connection, or it broke"),
            Self::Status(status) => write!(f, "the answer was {status}"),
            Self::Encoded => f.write_str("the body is encoded"),
            Self::BodyRefused => f.write_str("the body is too large or incomplete"),
        }
    }
}

impl std::error::Error for HttpsError {}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of one call to a server that answers with these bytes; `None`
    /// keeps it waiting.
    async fn call(answer: Option<&str>) -> Result<Bytes, HttpsError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = Request::get(format!("http://{}/", listener.local_addr().unwrap()));
        let limits = Limits {
            connect: Duration::from_millis(500),
            total: Duration::from_millis(if answer.is_some() { 5_000 } else { 50 }),
            most_bytes: 8,
        };
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(read > 0);
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => tokio::time::sleep(Duration::from_secs(5)).await,
            }
        };
        let https = Https::new(limits);
        let call = https.call(request, Bytes::new());
        tokio::pin!(call);
        let answer = tokio::select! {
            answer = &mut call => return answer.map(Response::into_body),
            () = serve => call.await,
        };
        answer.map(Response::into_body)
    }

    #[tokio::test]
    async fn an_answer_is_whole_and_small_or_none() {
        let head = "HTTP/1.1 200 OK\r\n";
        let table = [
            (format!("{head}content-length: 8\r\n\r\n12345678"), Ok("12345678")),
            (format!("{head}content-length: 0\r\n\r\n"), Ok("")),
            (format!("{head}content-length: 9\r\n\r\n123456789"), Err(HttpsError::BodyRefused)),
            (format!("{head}content-length: 8\r\n\r\n1234"), Err(HttpsError::BodyRefused)),
            (format!("{head}content-encoding: gzip\r\ncontent-length: 4\r\n\r\n1234"), Err(HttpsError::Encoded)),
            ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_owned(), Err(HttpsError::Status(500))),
            (
                "HTTP/1.1 302 No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
                Err(HttpsError::Status(302)),
            ),
            ("nonsense\r\n\r\n".to_owned(), Err(HttpsError::Disconnected)),
        ];
        for (answer, expected) in table {
            let found = call(Some(&answer)).await;
            assert_eq!(found, expected.map(|body| Bytes::from_static(body.as_bytes())), "{answer:?}");
        }
        assert_eq!(call(None).await, Err(HttpsError::TimedOut));
    }

    #[tokio::test]
    async fn an_exchange_gives_the_body_of_a_refusal_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = Request::get(format!("http://{}/", listener.local_addr().unwrap()));
        let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(5), most_bytes: 8 };
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 3\r\n\r\nwhy").await.unwrap();
        };
        let https = Https::new(limits);
        let (answer, ()) = tokio::join!(https.exchange(request, Bytes::new()), serve);
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.into_body()), (400, Bytes::from_static(b"why")));
    }

    #[tokio::test]
    async fn a_connection_is_kept_only_where_it_is_asked_for_and_never_past_its_end() {
        const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        let idle = Duration::from_millis(200);
        // How long to wait between two calls, whether the server hangs up, and the connections then.
        let table = [
            (None, Duration::ZERO, false, 2),
            (Some(idle), Duration::ZERO, false, 1),
            (Some(idle), idle * 2, false, 2),
            (Some(idle), Duration::from_millis(20), true, 2),
        ];
        for (kept, pause, hangs_up, expected) in table {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let counted = Arc::clone(&made);
            let server = tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    tokio::spawn(async move {
                        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
                            stream.write_all(ANSWER).await.unwrap();
                            if hangs_up {
                                return;
                            }
                        }
                    });
                }
            });
            let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(5), most_bytes: 8 };
            let https = Https::build(limits, kept.map(|idle| Keep { idle, most: 1 }));
            for _ in 0..2 {
                assert!(https.call(Request::get(&url), Bytes::new()).await.is_ok(), "{kept:?} {pause:?} {hangs_up}");
                tokio::time::sleep(pause).await;
            }
            server.abort();
            let made = made.load(std::sync::atomic::Ordering::SeqCst);
            assert_eq!(made, expected, "{kept:?} {pause:?} {hangs_up}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_written_or_reached_is_no_answer() {
        let limits = Limits { connect: Duration::from_millis(500), total: Duration::from_secs(5), most_bytes: 8 };
        let https = Https::new(limits);
        let broken = https.call(Request::get("http://127.0.0.1/").header("a\n", "b"), Bytes::new()).await;
        assert_eq!(broken.map(Response::into_body), Err(HttpsError::Unwritable));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let nobody = https.call(Request::get(format!("http://{address}/")), Bytes::new()).await;
        assert_eq!(nobody.map(Response::into_body), Err(HttpsError::Disconnected));
    }
}
