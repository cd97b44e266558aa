//! Group K: the key sets in use, fetched from a real server on loopback.

#![cfg(test)]

mod support;

use std::time::{Duration, Instant};

use authorizer::Authorizer;
use serde_json::json;
use shell::key_set::{Fetcher, Limits};
use support::keys::{Behaviour, KEY, NEXT_KEY, Server, key_set, limits, response, with};
use support::{call, call_at, claims, code, good, http, now, settings};
use tokio::time::sleep;

async fn start(server: &Server) -> Authorizer<Fetcher> {
    Authorizer::start(settings(&server.address, "simple"), Fetcher::new(), limits()).await
}

#[tokio::test]
async fn warm_calls_make_no_request() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let authorizer = start(&server).await;
    assert_eq!(server.requests(), 1, "fetched at start");
    let token = good();
    for _ in 0..200 {
        assert_eq!(code(&authorizer, &token).await, "Allowed");
    }
    assert_eq!(server.requests(), 1, "K02");
}

#[tokio::test]
async fn unknown_key_names_are_asked_for_once_in_a_cool_down() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let authorizer = start(&server).await;
    let token = good();
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < Duration::from_millis(1_000) {
        let header = json!({"kid": format!("k{calls}"), "alg": "RS256"});
        assert_eq!(code(&authorizer, &KEY.token_with(&header, &claims())).await, "KeyUnknown", "K03");
        assert_eq!(code(&authorizer, &token).await, "Allowed", "K04");
        calls += 1;
        sleep(Duration::from_millis(2)).await;
    }
    let most = 1 + usize::try_from(begun.elapsed().as_millis()).unwrap() / 300;
    assert!(
        calls > 20 && (2..=1 + most).contains(&server.requests()),
        "K03 {calls} calls, {} requests",
        server.requests()
    );
}

#[tokio::test]
async fn a_new_key_is_found_and_the_old_one_forgotten() {
    // Before the clock of the cool-down runs: making a key takes its time.
    let next = NEXT_KEY.token(&claims());
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let authorizer = start(&server).await;
    server.now_does(Behaviour::document(&key_set(&[&NEXT_KEY])));
    assert_eq!(code(&authorizer, &next).await, "KeyUnknown", "within the cool-down");
    sleep(limits().cool_down).await;
    assert_eq!(code(&authorizer, &next).await, "Allowed", "K05");
    assert_eq!(code(&authorizer, &good()).await, "KeyUnknown", "K06 the old key is gone");
}

#[tokio::test]
async fn without_keys_nobody_is_let_in_and_nothing_is_answered() {
    let flood = response("200 OK", "", "");
    let unusable: Vec<(&str, Behaviour)> = vec![
        ("K08 closed", Behaviour::Close),
        ("K08 403", Behaviour::status("403 Forbidden", "")),
        ("K08 429", Behaviour::status("429 Too Many Requests", "retry-after: 1\r\n")),
        ("K08 500", Behaviour::status("500 Internal Server Error", "")),
        ("K08 503", Behaviour::status("503 Service Unavailable", "")),
        ("K08 silence", Behaviour::Silence),
        ("K08 no HTTP", Behaviour::Send(b"SSH-2.0-x\r\n".to_vec())),
        ("K11 a length too large", Behaviour::Send(response("200 OK", "", &" ".repeat(150_001)))),
        ("K11 no end", Behaviour::Flood(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec(), vec![b' '; 65_536])),
        ("K11 no end of headers", Behaviour::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(1_000))),
        ("K11 compressed", Behaviour::Send(response("200 OK", "content-encoding: gzip\r\n", &key_set(&[&KEY])))),
        ("K12 elsewhere", Behaviour::status("301 Moved Permanently", "location: http://127.0.0.1:1/\r\n")),
        ("K12 to a file", Behaviour::status("302 Found", "location: file:///etc/passwd\r\n")),
        ("K12 same host", Behaviour::status("307 Temporary Redirect", "location: /other\r\n")),
        ("K13 a page", Behaviour::document("<html>sign in</html>")),
        ("K13 byte order mark", Behaviour::document(&format!("\u{feff}{}", key_set(&[&KEY])))),
        ("K14 nothing in it", Behaviour::document("{}")),
        ("K14 no keys", Behaviour::document(r#"{"keys":[]}"#)),
        ("K14 keys as an object", Behaviour::document(r#"{"keys":{}}"#)),
        ("half a body", Behaviour::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec())),
        ("an empty body", Behaviour::Send(flood)),
    ];
    for (name, behaviour) in unusable {
        let server = Server::start(behaviour).await;
        let begun = Instant::now();
        let authorizer = start(&server).await;
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{name} {:?}", begun.elapsed());
        let at_start = server.requests();
        assert!((1..=2).contains(&at_start), "{name}: {at_start} requests");
        for _ in 0..5 {
            let failure = call(&authorizer, &http("/items", &format!("Bearer {}", good()))).await.unwrap_err();
            assert_eq!(failure.code(), "KeySetUnavailable", "{name}");
            assert_ne!(failure.public().as_str(), "Unauthorized", "{name}: no verdict on the token");
        }
        assert_eq!(server.requests(), at_start, "{name}: asked again without a pause");
        server.now_does(Behaviour::document(&key_set(&[&KEY])));
        sleep(limits().first_retry).await;
        assert_eq!(code(&authorizer, &good()).await, "Allowed", "{name}: P17 it starts all the same");
    }
}

#[tokio::test]
async fn nobody_listens_at_first() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/");
    let authorizer = Authorizer::start(settings(&address, "simple"), Fetcher::new(), limits()).await;
    assert_eq!(code(&authorizer, &good()).await, "KeySetUnavailable", "K08 refused");
}

#[tokio::test]
async fn plain_http_is_no_https() {
    // TLS against a server that does not speak it.
    let server = Server::start(Behaviour::Close).await;
    let address = server.address.replace("http://", "https://");
    let begun = Instant::now();
    let authorizer = Authorizer::start(settings(&address, "simple"), Fetcher::new(), limits()).await;
    assert!(begun.elapsed() < Duration::from_millis(1_500), "K08 {:?}", begun.elapsed());
    assert_eq!(code(&authorizer, &good()).await, "KeySetUnavailable", "K08 TLS");
}

#[tokio::test]
async fn strange_issuers_cost_nothing() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let authorizer = start(&server).await;
    for n in 0..200 {
        let issuer = format!("{}/{n}", server.address.replace("/{pool}/.well-known/jwks.json", ""));
        let token = KEY.token(&with(claims(), "iss", json!(issuer)));
        assert_eq!(code(&authorizer, &token).await, "IssuerRefused", "K21, C17");
    }
    assert_eq!(server.requests(), 1, "K21");
}

#[tokio::test]
async fn setting_the_clock_moves_tokens_and_not_key_sets() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let long = Limits { cool_down: Duration::from_secs(60), ..Limits::default() };
    let authorizer = Authorizer::start(settings(&server.address, "simple"), Fetcher::new(), long).await;
    let event = |token: &str| http("/items", &format!("Bearer {token}")).to_string();
    let unknown = KEY.token_with(&json!({"kid": "unknown", "alg": "RS256"}), &claims());
    let good = good();
    for (now, expected) in [
        (now(), "Allowed"),
        (now() - 3_600, "TokenNotYetValid"),
        (now() + 86_400, "TokenExpired"),
        (0, "TokenNotYetValid"),
        (u64::MAX, "TokenExpired"),
    ] {
        assert_eq!(call_at(&authorizer, &event(&good), now).await.unwrap().code, expected, "K18 {now}");
        assert_eq!(call_at(&authorizer, &event(&unknown), now).await.unwrap().code, "KeyUnknown", "K18 {now}");
    }
    assert_eq!(server.requests(), 1, "K18");
}
