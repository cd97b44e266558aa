//! Group K: the key sets, fetched from a real server on loopback.

#![cfg(test)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use shared::token::Profile;
use shell::key_set::{Fetch, FetchError, Fetcher, KeySets, KeySource, Limits};
use support::{Behaviour, ISSUER, KEY, NEXT_KEY, Server, key_set, limits, response, with};
use tokio::time::sleep;

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

/// One fetch is two attempts where nothing was said, and one where something was.
#[tokio::test]
async fn a_thousand_cold_calls_hear_together_that_there_are_no_keys() {
    let table = [
        ("silence", Behaviour::Silence, 2),
        ("closed", Behaviour::Close, 2),
        ("503", Behaviour::status("503 Service Unavailable", ""), 1),
        ("a page", Behaviour::document("<html>"), 1),
    ];
    for (name, behaviour, requests) in table {
        let server = Server::start(behaviour).await;
        let sets = sets(
            &server,
            Limits { first_retry: Duration::from_secs(5), cool_down: Duration::from_secs(10), ..limits() },
        );
        let begun = Instant::now();
        let answers = all((0..1_000).map(|_| sets.get(ISSUER, "key-1"))).await;
        assert!(answers.len() == 1_000 && answers.iter().all(Result::is_err), "K01 {name}");
        assert_eq!(server.requests(), requests, "K01 {name}");
        assert!(begun.elapsed() < Duration::from_millis(1_600), "K01 {name} {:?}", begun.elapsed());
    }
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
        renewal: Duration::from_millis(100),
    };
    let sets = sets(&server, short);
    sets.fetch_all().await;
    sleep(Duration::from_millis(120)).await;
    sets.get(ISSUER, "key-1").await.unwrap();
    assert_eq!(server.requests(), 2, "K09 refreshed at its soft age");
    server.now_does(Behaviour::status("503 Service Unavailable", ""));
    sleep(Duration::from_millis(120)).await;
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K09 the old one serves");
    server.now_does(Behaviour::Silence);
    sleep(Duration::from_millis(60)).await;
    let begun = Instant::now();
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K09 the old one serves");
    assert!(begun.elapsed() < Duration::from_millis(600), "K09 less patience for a new one: {:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(sets.get(ISSUER, "key-1").await.is_ok(), "K09 the old one serves");
    assert!(begun.elapsed() < Duration::from_millis(50), "K09 and nobody waits again: {:?}", begun.elapsed());
    server.now_does(Behaviour::status("503 Service Unavailable", ""));
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
async fn a_strange_issuer_costs_nothing() {
    let server = Server::start(Behaviour::document(&key_set(&[&KEY]))).await;
    assert!(sets(&server, limits()).get("https://other.example", "k").await.is_err());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn keys_are_read_as_their_issuers_kind_writes_them() {
    let rs512 = with(KEY.jwk(), "alg", json!("RS512"));
    let server = Server::start(Behaviour::document(&json!({ "keys": [rs512] }).to_string())).await;
    for (profile, readable) in [(Profile::IdentityPool, true), (Profile::UserPool, false)] {
        let sets = KeySets::of(
            profile,
            vec![(ISSUER.to_owned(), server.address.replace("{pool}", "x"))],
            Fetcher::new(),
            limits(),
        );
        assert_eq!(sets.get(ISSUER, "key-1").await.is_ok(), readable, "{profile:?}");
    }
}

#[tokio::test]
async fn a_document_is_json_by_its_type_where_types_are_looked_at() {
    let table = [
        ("", true),
        ("content-type: application/json\r\n", true),
        ("content-type: application/jwk-set+json; charset=utf-8\r\n", true),
        ("content-type: text/html\r\n", false),
        ("content-type: \r\n", false),
        ("content-type: application/json\u{e9}\r\n", false),
    ];
    for (header, expected) in table {
        let server = Server::start(Behaviour::Send(response("200 OK", header, &key_set(&[&KEY])))).await;
        let address = server.address.replace("{pool}", "x");
        let fetched = Fetcher::new().fetch(&address).await;
        assert_eq!(fetched.is_ok(), expected, "K13 {header:?}: {fetched:?}");
        assert!(expected || fetched == Err(FetchError::NotJson), "K13 {header:?}: {fetched:?}");
        assert_eq!(server.requests(), 1, "K13 {header:?}: it was tried again");
        assert!(Fetcher::new().of_any_type().fetch(&address).await.is_ok(), "K13 {header:?}");
    }
}

#[tokio::test]
async fn an_attempt_takes_no_longer_than_it_may() {
    let server = Server::start(Behaviour::Silence).await;
    let fetcher = Fetcher::within(Duration::from_millis(50), Duration::from_millis(100));
    let begun = Instant::now();
    assert_eq!(fetcher.fetch(&server.address.replace("{pool}", "x")).await, Err(FetchError::TimedOut));
    assert!((200..600).contains(&begun.elapsed().as_millis()), "{:?}, twice 100 ms", begun.elapsed());
}

/// An issuer's pages, by their address.
struct Pages(Vec<(&'static str, String)>);

impl Fetch for Pages {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, FetchError> {
        let page = self.0.iter().find(|(known, _)| *known == address);
        page.map(|(_, page)| page.clone().into_bytes()).ok_or(FetchError::Status(404))
    }
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are_and_no_other_does() {
    const CORP: &str = "https://login.corp.example/";
    const DESCRIPTION: &str = "https://login.corp.example/.well-known/openid-configuration";
    const KEYS: &str = "https://keys.corp.example/k";
    let describes = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let rows = [
        ("its own", vec![(DESCRIPTION, describes(CORP, KEYS)), (KEYS, key_set(&[&KEY]))], true),
        (
            "another issuer's",
            vec![(DESCRIPTION, describes("https://x.example", KEYS)), (KEYS, key_set(&[&KEY]))],
            false,
        ),
        ("no description", vec![(KEYS, key_set(&[&KEY]))], false),
        ("no keys there", vec![(DESCRIPTION, describes(CORP, KEYS))], false),
        (
            "keys without TLS",
            vec![
                (DESCRIPTION, describes(CORP, "http://keys.corp.example/k")),
                ("http://keys.corp.example/k", key_set(&[&KEY])),
            ],
            false,
        ),
    ];
    for (name, pages, good) in rows {
        let sets = KeySets::new(vec![(CORP.to_owned(), KeySource::Discovery)], Pages(pages), limits());
        sets.fetch_all().await;
        let keys = sets.get(CORP, "key-1").await;
        assert_eq!(keys.as_ref().is_ok_and(|keys| keys.has("key-1") && keys.issuer() == CORP), good, "{name}");
    }
}
