//! A pool's keys, and a server that publishes them.

// Each test binary uses a part of this.
#![expect(dead_code, reason = "each test binary uses a part of this")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shell::key_set::{Fetch, FetchError, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example01";

/// The pool's key and another one, made once for all tests of a binary.
pub(crate) static KEY: LazyLock<Signer> = LazyLock::new(|| Signer::generate("key-1"));
pub(crate) static NEXT_KEY: LazyLock<Signer> = LazyLock::new(|| Signer::generate("key-2"));

pub(crate) struct Signer {
    kid: &'static str,
    pair: KeyPair,
}

impl Signer {
    fn generate(kid: &'static str) -> Self {
        Self { kid, pair: KeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    /// A token with this header and these claims.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(&signature))
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"kid": self.kid, "alg": "RS256"}), claims)
    }

    pub(crate) fn jwk(&self) -> Value {
        // SEQUENCE { INTEGER n (2048 bits, so with a zero in front), INTEGER e }.
        let der = self.pair.public_key().as_ref();
        let (n, e) = (&der[9..9 + 256], &der[9 + 256 + 2..]);
        json!({"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256",
            "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e)})
    }
}

pub(crate) fn key_set(keys: &[&Signer]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}

pub(crate) fn with(mut value: Value, name: &str, member: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), member);
    value
}

/// Short, so that a test sees all of them pass.
pub(crate) fn limits() -> Limits {
    Limits {
        soft_age: Duration::from_secs(60),
        hard_age: Duration::from_secs(120),
        cool_down: Duration::from_millis(300),
        first_retry: Duration::from_millis(100),
        renewal: Duration::from_millis(750),
    }
}

/// A key set that is always there.
pub(crate) struct Published(pub(crate) String);

impl Fetch for Published {
    async fn fetch(&self, _: &str) -> Result<Vec<u8>, FetchError> {
        Ok(self.0.clone().into_bytes())
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes and keeps the connection for some time, then drops it.
    Keep(Vec<u8>, Duration),
    /// Sends the first bytes, then the others for ever.
    Flood(Vec<u8>, Vec<u8>),
    /// Says nothing.
    Silence,
    /// Closes at once.
    Close,
}

impl Behaviour {
    /// A correct answer with this document.
    pub(crate) fn document(body: &str) -> Self {
        Self::Send(response("200 OK", "content-type: application/json\r\n", body))
    }

    /// An answer with another status.
    pub(crate) fn status(status: &str, headers: &str) -> Self {
        Self::Send(response(status, headers, "no"))
    }
}

pub(crate) fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A server on loopback that counts its requests.
pub(crate) struct Server {
    pub(crate) address: String,
    requests: Arc<AtomicUsize>,
    behaviour: Arc<std::sync::Mutex<Behaviour>>,
}

impl Server {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/{{pool}}/.well-known/jwks.json", listener.local_addr().unwrap());
        let behaviour = Arc::new(std::sync::Mutex::new(behaviour));
        let requests = Arc::new(AtomicUsize::new(0));
        let (shared, counter) = (Arc::clone(&behaviour), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = shared.lock().unwrap().clone();
                tokio::spawn(serve(stream, behaviour, Arc::clone(&counter)));
            }
        });
        Self { address, requests, behaviour }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn now_does(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, requests: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => head.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(!head.contains("accept-encoding"), "{head}");
    match behaviour {
        Behaviour::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Behaviour::Keep(bytes, time) => {
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(time).await;
        }
        Behaviour::Flood(first, more) => {
            let _ = stream.write_all(&first).await;
            while stream.write_all(&more).await.is_ok() {}
        }
        Behaviour::Silence => tokio::time::sleep(Duration::from_secs(60)).await,
        Behaviour::Close => {}
    }
}
