//! Group K: the key sets, fetched from a real server on loopback.

#![cfg(test)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authorizer::{Authorizer, Fetch, FetchError, Fetcher, KeySets, Limits};
use serde_json::json;
use support::{
    Behaviour, ISSUER, KEY, NEXT_KEY, Server, call, call_at, claims, code, good, http, key_set, limits, now, response,
    settings, with,
};
use tokio::time::sleep;

async fn start(server: &Server) -> Authorizer<Fetcher> {
    Authorizer::start(settings(&server.address, "simple"), Fetcher::new(), limits()).await
}

fn sets(server: &Server, limits: Limits) -> KeySets<Fetcher> {
    KeySets::new(vec![(ISSUER.to_owned(), server.address.clone().replace("{pool}", "x"))], Fetcher::new(), limits)
}

/// Waits until all of these are done.
async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in pending.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        if pending.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn a_thousand_cold_calls_make_one_request() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let sets = sets(&server, limits());
    let answers = all((0..1_000).map(|_| sets.get(ISSUER, "key-1"))).await;
    assert!(answers.len() == 1_000 && answers.iter().all(Result::is_ok), "K01");
    assert_eq!(server.requests(), 1, "K01");
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
async fn a_good_key_is_not_kept_waiting_by_a_fetch() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let sets = sets(&server, limits());
    sets.fetch_all().await;
    server.now_does(Behaviour::Silence);
    sleep(limits().cool_down).await;
    let mut slow = Box::pin(sets.get(ISSUER, "unknown"));
    tokio::select! {
        _ = &mut slow => panic!("the server says nothing"),
        () = sleep(Duration::from_millis(50)) => {}
    }
    let begun = Instant::now();
    assert!(sets.get(ISSUER, "key-1").await.unwrap().has("key-1"), "K04");
    assert!(begun.elapsed() < Duration::from_millis(100), "K04 {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_new_key_is_found_and_the_old_one_forgotten() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let authorizer = start(&server).await;
    server.now_does(Behaviour::document(&key_set(&[&NEXT_KEY])));
    let next = NEXT_KEY.token(&claims());
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
async fn a_bad_document_does_not_replace_a_good_one() {
    let bad = ["<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","kid":"key-1","k":"AA"}]}"#];
    let mixed = json!({"keys": [{"kty": "EC", "kid": "e"}, KEY.jwk(), with(NEXT_KEY.jwk(), "e", json!("AQ"))]});
    let server = Server::start(Behaviour::document(&mixed.to_string())).await;
    let short = Limits { soft_age: Duration::ZERO, cool_down: Duration::ZERO, ..limits() };
    let sets = sets(&server, short);
    assert!(sets.get(ISSUER, "key-1").await.unwrap().has("key-1"), "K14 good ones beside bad ones");
    for text in bad {
        let before = server.requests();
        server.now_does(Behaviour::document(text));
        let keys = sets.get(ISSUER, "key-1").await.unwrap();
        assert!(keys.has("key-1") && server.requests() == before + 1, "K13, K14 {text}");
        assert!(sets.get(ISSUER, "unknown").await.is_err(), "nobody can say whether there is such a key");
    }
}

#[tokio::test]
async fn an_old_set_serves_until_its_hard_age() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    let short = Limits {
        soft_age: Duration::from_millis(100),
        hard_age: Duration::from_millis(1_500),
        cool_down: Duration::from_millis(50),
        first_retry: Duration::from_millis(50),
    };
    let sets = sets(&server, short);
    sets.fetch_all().await;
    sleep(Duration::from_millis(120)).await;
    sets.get(ISSUER, "key-1").await.unwrap();
    assert_eq!(server.requests(), 2, "K09 refreshed at its soft age");
    server.now_does(Behaviour::status("503 Service Unavailable", ""));
    sleep(Duration::from_millis(120)).await;
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K09 the old one serves");
    sleep(Duration::from_millis(1_500)).await;
    assert!(sets.get(ISSUER, "key-1").await.is_err(), "K10 not for ever");
    server.now_does(Behaviour::document(&key_set(&[&KEY])));
    sleep(Duration::from_millis(60)).await;
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "and it comes back");
}

#[tokio::test]
async fn whoever_waits_goes_on_when_the_first_one_leaves() {
    let server = Server::start(Behaviour::Silence).await;
    let sets = sets(&server, limits());
    let mut first = Box::pin(sets.get(ISSUER, "key-1"));
    let mut second = Box::pin(sets.get(ISSUER, "key-1"));
    tokio::select! {
        _ = &mut first => panic!("the server says nothing"),
        _ = &mut second => panic!("the server says nothing"),
        () = sleep(Duration::from_millis(50)) => {}
    }
    assert_eq!(server.requests(), 1);
    server.now_does(Behaviour::document(&key_set(&[&KEY])));
    drop(first);
    assert!(second.await.unwrap().has("key-1"), "K16");
    assert!(sets.get(ISSUER, "key-1").await.is_ok() && server.requests() == 2, "K16");
}

#[tokio::test]
async fn a_panic_while_fetching_leaves_nothing_stuck() {
    struct Panics(AtomicUsize);
    impl Fetch for Panics {
        async fn fetch(&self, _: &str) -> Result<Vec<u8>, FetchError> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "the first fetch panics");
            Ok(key_set(&[&KEY]).into_bytes())
        }
    }
    let sets = KeySets::new(vec![(ISSUER.to_owned(), String::new())], Panics(AtomicUsize::new(0)), limits());
    let sets = std::sync::Arc::new(sets);
    let same = std::sync::Arc::clone(&sets);
    assert!(tokio::spawn(async move { same.get(ISSUER, "key-1").await.is_ok() }).await.is_err(), "it panicked");
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K17");
}

#[tokio::test]
async fn a_connection_that_slept_is_not_used_again() {
    let kept = Behaviour::Keep(
        response("200 OK", "connection: keep-alive\r\n", &key_set(&[&KEY])),
        Duration::from_millis(100),
    );
    let server = Server::start(kept).await;
    let sets = sets(&server, Limits { soft_age: Duration::ZERO, cool_down: Duration::ZERO, ..limits() });
    sets.fetch_all().await;
    sleep(Duration::from_millis(200)).await;
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K19");
    assert_eq!(server.requests(), 2, "K19 once more, on a connection of its own");
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_once_more() {
    let server = Server::start(Behaviour::Close).await;
    assert!(Fetcher::new().fetch(&server.address.replace("{pool}", "x")).await.is_err());
    assert_eq!(server.requests(), 2, "K19");
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
    assert!(sets(&server, limits()).get("https://other.example", "k").await.is_err());
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
