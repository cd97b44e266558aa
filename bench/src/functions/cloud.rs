//! What stands in for AWS: over TLS, and answering at once.
//!
//! The first call of a kind is answered by the tests' services, dynoxide among
//! them; the same answer is given from then on. So the answers are real, and
//! nobody else's time is measured.

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::http::{Request, Response, converse, forward};

/// The certificate of `localhost`, which is its own authority. Its key is an RSA key,
/// as those of AWS's endpoints are.
pub(crate) struct Identity {
    config: Arc<ServerConfig>,
    file: PathBuf,
}

impl Identity {
    /// Makes one, and writes it where a function can be told to trust it.
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.self_signed(&key)?;
        let file = folder.join("authority.pem");
        std::fs::write(&file, certificate.pem())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Self { config: Arc::new(config), file })
    }

    /// The certificate in PEM.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// What the fronts of one program have had to do.
#[derive(Default)]
pub(crate) struct Traffic {
    calls: AtomicU64,
    /// Calls that came when no other was being answered: its first ones.
    waits: AtomicU64,
    being_answered: AtomicU64,
    /// How long each answer takes, in milliseconds.
    slowness: AtomicU64,
}

impl Traffic {
    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How often there were some, where those side by side count once. It can only
    /// be told while answers are slow.
    pub(crate) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// Makes every answer take so long from now on.
    pub(crate) fn slow(&self, milliseconds: u64) {
        self.slowness.store(milliseconds, Ordering::Relaxed);
    }

    fn during<T>(&self, answer: impl FnOnce() -> T) -> T {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.being_answered.fetch_add(1, Ordering::SeqCst) == 0 {
            self.waits.fetch_add(1, Ordering::Relaxed);
        }
        let slowness = self.slowness.load(Ordering::Relaxed);
        if slowness > 0 {
            std::thread::sleep(Duration::from_millis(slowness));
        }
        let answer = answer();
        self.being_answered.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// A front over TLS for one service. It lives as long as the process.
pub(crate) struct Front {
    port: u16,
}

#[derive(Default)]
struct Known(Mutex<HashMap<String, Response>>);

impl Front {
    /// Starts one before the service at `upstream`, an `http://` address.
    pub(crate) fn start(identity: &Identity, upstream: &str, traffic: &Arc<Traffic>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
        let port = listener.local_addr()?.port();
        let (config, traffic, known) = (Arc::clone(&identity.config), Arc::clone(traffic), Arc::<Known>::default());
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, traffic, known) = (Arc::clone(&config), Arc::clone(&traffic), Arc::clone(&known));
                let upstream = upstream.clone();
                std::thread::spawn(move || {
                    let answer = |request: Request| traffic.during(|| known.answer(&upstream, &request));
                    // A client that goes away ends its own connection, nothing more.
                    let _ = serve(stream, config, &answer);
                });
            }
        });
        Ok(Self { port })
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, answer: &dyn Fn(Request) -> Response) -> Result<()> {
    stream.set_nodelay(true)?;
    converse(StreamOwned::new(ServerConnection::new(config)?, stream), answer)
}

impl Known {
    fn answer(&self, upstream: &str, request: &Request) -> Response {
        let kind = kind(request);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(response) = known.get(&kind) {
            return response.clone();
        }
        let response = forward(upstream, request).unwrap_or_else(|_| Response::new(502, "text/plain", "no answer"));
        known.insert(kind, response.clone());
        response
    }
}

/// What tells calls apart: the operation, and for a request by path the path.
fn kind(request: &Request) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let action = body.split('&').find(|pair| pair.starts_with("Action=")).unwrap_or_default();
    format!("{} {} {} {action}", request.method, request.path, request.header("x-amz-target").unwrap_or_default())
}
