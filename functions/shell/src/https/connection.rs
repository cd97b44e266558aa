//! One connection to a server.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_ENCODING, HOST, HeaderValue};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::HttpsError;

/// A request as it is sent.
pub(super) type Outgoing = Request<Full<Bytes>>;

/// A connection, encrypted or not. One type for both keeps the code for HTTP single.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

/// What moves the bytes of one, whenever it is asked to.
type Mover = http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    encrypted: bool,
    host: String,
    port: u16,
}

impl Server {
    /// The server that a URL names; `None` when it names none.
    pub(super) fn of(url: &Uri) -> Option<Self> {
        let encrypted = url.scheme() == Some(&Scheme::HTTPS);
        if !encrypted && url.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        let port = url.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        Some(Self { encrypted, host: url.host()?.to_owned(), port })
    }

    /// The `Host` header: the port is left out where it is the usual one.
    fn header(&self) -> Result<HeaderValue, HttpsError> {
        let usual = if self.encrypted { 443 } else { 80 };
        let text = if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) };
        HeaderValue::try_from(text).map_err(|_| HttpsError::Unwritable)
    }

    /// Turns the request for a URL into the one that this server is sent.
    pub(super) fn address(&self, request: &mut Outgoing) -> Result<(), HttpsError> {
        let header = self.header()?;
        request.headers_mut().entry(HOST).or_insert(header);
        *request.uri_mut() = request.uri().path_and_query().cloned().map_or_else(Uri::default, Uri::from);
        Ok(())
    }
}

/// A connection that carries one request at a time.
///
/// Nobody but who waits for an answer moves its bytes: there is no task beside the
/// call, so none has to be woken.
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    bytes: Pin<Box<Mover>>,
}

/// Why there is no answer.
pub(super) enum Broken {
    /// The connection had ended before; here is the request.
    Unsent(Box<Outgoing>),
    /// What was sent may have arrived.
    Sent(HttpsError),
}

impl Connection {
    /// Connects, and agrees on keys where the server is to be encrypted.
    pub(super) async fn open(server: &Server, tls: &Arc<ClientConfig>) -> Result<Self, HttpsError> {
        let gone = |_| HttpsError::Disconnected;
        // An address of the sixth version has brackets in a URL only.
        let host = server.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((host, server.port)).await.map_err(gone)?;
        tcp.set_nodelay(true).map_err(gone)?;
        let stream: Box<dyn Stream> = if server.encrypted {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| HttpsError::Disconnected)?;
            Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await.map_err(gone)?)
        } else {
            Box::new(tcp)
        };
        let (requests, bytes) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| HttpsError::Disconnected)?;
        Ok(Self { requests, bytes: Box::pin(bytes) })
    }

    /// Whether it may be used again, as far as can be told without waiting.
    pub(super) fn is_alive(&mut self) -> bool {
        let ended = self.bytes.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        !ended && !self.requests.is_closed()
    }

    /// Sends a request and waits for the whole answer.
    pub(super) async fn exchange(&mut self, request: Outgoing, most_bytes: usize) -> Result<Response<Bytes>, Broken> {
        let Self { requests, bytes } = self;
        let mut answer = pin!(async {
            if requests.ready().await.is_err() {
                return Err(Broken::Unsent(Box::new(request)));
            }
            match requests.try_send_request(request).await {
                Ok(response) => read(response, most_bytes).await.map_err(Broken::Sent),
                Err(mut error) => Err(match error.take_message() {
                    Some(request) => Broken::Unsent(Box::new(request)),
                    None => Broken::Sent(HttpsError::Disconnected),
                }),
            }
        });
        poll_fn(|context| {
            // Head and body have come at once more often than not, and each is handed
            // over by a turn of its own.
            for _ in 0..2 {
                if let Poll::Ready(done) = answer.as_mut().poll(context) {
                    return Poll::Ready(done);
                }
                if bytes.as_mut().poll(context).is_ready() {
                    let gone = Poll::Ready(Err(Broken::Sent(HttpsError::Disconnected)));
                    return if let Poll::Ready(done) = answer.as_mut().poll(context) {
                        Poll::Ready(done)
                    } else {
                        gone
                    };
                }
            }
            answer.as_mut().poll(context)
        })
        .await
    }
}

async fn read(response: Response<Incoming>, most_bytes: usize) -> Result<Response<Bytes>, HttpsError> {
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(HttpsError::Encoded);
    }
    let (head, body) = response.into_parts();
    let body = Limited::new(body, most_bytes).collect().await.map_err(|_| HttpsError::BodyRefused)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_server_a_host_and_a_path() {
        let table = [
            ("https://a.example/x?y=1", Some(("a.example", 443, "a.example", "/x?y=1"))),
            ("https://a.example", Some(("a.example", 443, "a.example", "/"))),
            ("https://a.example:443/", Some(("a.example", 443, "a.example", "/"))),
            ("https://a.example:80/", Some(("a.example", 80, "a.example:80", "/"))),
            ("http://127.0.0.1/x", Some(("127.0.0.1", 80, "127.0.0.1", "/x"))),
            ("http://[::1]:9000/x", Some(("[::1]", 9_000, "[::1]:9000", "/x"))),
            ("ftp://a.example/x", None),
            ("/x", None),
        ];
        for (url, expected) in table {
            let mut request = Request::get(url).body(Full::default()).unwrap();
            let server = Server::of(request.uri());
            let Some((host, port, header, path)) = expected else {
                assert_eq!(server, None, "{url}");
                continue;
            };
            let server = server.unwrap();
            server.address(&mut request).unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
            assert_eq!(
                (request.headers()[HOST].to_str().unwrap(), request.uri().to_string().as_str()),
                (header, path),
                "{url}"
            );
        }
    }

    #[test]
    fn a_host_that_is_set_stays() {
        let url = "https://a.example/";
        let mut request = Request::get(url).header(HOST, "b.example").body(Full::default()).unwrap();
        Server::of(request.uri()).unwrap().address(&mut request).unwrap();
        assert_eq!(request.headers().get_all(HOST).iter().count(), 1);
        assert_eq!(request.headers()[HOST], "b.example");
    }
}
