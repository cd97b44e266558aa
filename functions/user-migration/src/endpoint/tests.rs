//! The examples of the documentation, and answers that are not to be believed.

use shared::migration::{Found, Proof};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::signing::{Seal, SealError};
use super::*;

const DOCUMENT: &str = include_str!("../../../../docs/migration-endpoint.md");
const NOW: u64 = 1_800_000_000;

fn key() -> EndpointKey {
    let text = DOCUMENT.split('`').find(|text| text.starts_with("whsec_") && text.len() > 20);
    EndpointKey::read(text.expect("the document has a key")).expect("it can be read")
}

/// An example: its headers as a seal, and its body.
fn examples() -> Vec<(Seal, &'static str)> {
    let blocks = DOCUMENT.split("```http\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .map(|block| {
            let (head, body) = block.split_once("\n\n").unwrap();
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                line.unwrap().to_owned()
            };
            let seal = Seal {
                id: header("webhook-id"),
                timestamp: header("webhook-timestamp"),
                signature: header("webhook-signature"),
            };
            (seal, body)
        })
        .collect()
}

fn found(answer: OldAnswer) -> (&'static str, Proof) {
    let found = match answer.found {
        Found::Nobody => "nobody",
        Found::One(_) => "one",
        Found::Several => "several",
        Found::Unreadable => "unreadable",
    };
    (found, answer.proof)
}

#[test]
fn the_examples_of_the_document_are_what_is_sent_and_read() {
    let examples = examples();
    assert_eq!(examples.len(), 6);
    let password = Arc::new(Password::new("correct horse".to_owned()));
    for ((seal, body), password) in examples.iter().zip([Some(&password), None]) {
        let question = Question { user_name: "Ann@acme.example", key: "ann@acme.example", password, now: NOW };
        assert_eq!(message::write(&question).unwrap().as_slice(), body.as_bytes());
        assert_eq!(&key().seal(&MessageId::of(&seal.id), NOW, body.as_bytes()), seal);
    }
    let expected =
        [("one", Proof::Right), ("nobody", Proof::Wrong), ("nobody", Proof::Unchecked), ("several", Proof::Unchecked)];
    for ((seal, body), expected) in examples.iter().skip(2).zip(expected) {
        assert_eq!(key().open(&MessageId::of(&seal.id), NOW, seal, body.as_bytes()), Ok(()), "{body}");
        assert_eq!(found(message::read(body.as_bytes(), true)), expected, "{body}");
    }
}

#[test]
fn an_answer_is_believed_only_with_its_signature_for_its_request_and_in_time() {
    let id = MessageId::of("msg_1");
    let body = br#"{"result":"unknown"}"#;
    let good = key().seal(&id, NOW, body);
    let other_key = EndpointKey::read("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").unwrap().seal(&id, NOW, body);
    let with = |signature: String| Seal { signature, ..good.clone() };
    let wrong = Err(SealError::SignatureWrong);
    let many = |others: usize| with(format!("{}{}", "v1,AAAA ".repeat(others), good.signature));
    let table = [
        ("as it is", good.clone(), Ok(())),
        ("beside another", with(format!("{} {}", other_key.signature, good.signature)), Ok(())),
        ("with others", many(3), Ok(())),
        ("behind too many", many(4), wrong),
        ("another key", other_key.clone(), wrong),
        ("no signature", with(String::new()), wrong),
        ("another version", with(good.signature.replace("v1,", "v2,")), wrong),
        ("cut short", with("v1,".to_owned()), wrong),
        ("no base64", with("v1,%%%".to_owned()), wrong),
        ("another time", Seal { timestamp: (NOW + 1).to_string(), ..good.clone() }, wrong),
        ("another id", Seal { id: "msg_2".to_owned(), ..good.clone() }, wrong),
        ("to another request", key().seal(&MessageId::of("msg_2"), NOW, body), Err(SealError::OtherRequest)),
        ("just in time", key().seal(&id, NOW - 300, body), Ok(())),
        ("just in time, too", key().seal(&id, NOW + 300, body), Ok(())),
        ("too old", key().seal(&id, NOW - 301, body), Err(SealError::OutOfTime)),
        ("too new", key().seal(&id, NOW + 301, body), Err(SealError::OutOfTime)),
    ];
    for (name, seal, expected) in table {
        assert_eq!(key().open(&id, NOW, &seal, body), expected, "{name}");
    }
    assert_eq!(key().open(&id, NOW, &good, br#"{"result":"found"}"#), Err(SealError::SignatureWrong), "another body");
}

#[test]
fn a_genuine_answer_that_cannot_be_read_moves_nobody_in() {
    let unreadable = ("unreadable", Proof::Unchecked);
    let table = [
        (r#"{"result":"found","user":{"id":"7"}}"#, true, ("one", Proof::Right)),
        (r#"{"result":"found","user":{"id":"7"}}"#, false, ("one", Proof::Unchecked)),
        (r#"{"result":"unknown"}"#, false, ("nobody", Proof::Unchecked)),
        (r#"{"result":"wrong-password"}"#, false, unreadable),
        (r#"{"result":"found"}"#, true, unreadable),
        (r#"{"result":"found","user":null}"#, true, unreadable),
        (r#"{"result":"found","user":{}}"#, true, unreadable),
        (r#"{"result":"found","user":{"id":"7","admin":true}}"#, true, unreadable),
        (r#"{"result":"wrong-password","user":{"id":"7"}}"#, true, unreadable),
        (r#"{"result":"Found","user":{"id":"7"}}"#, true, unreadable),
        (r#"{"result":"found","result":"unknown"}"#, true, unreadable),
        (r#"{"type":"sign-in","user_name":"ann","password":"x"}"#, true, unreadable),
        ("", true, unreadable),
        ("[]", true, unreadable),
    ];
    for (body, offered, expected) in table {
        assert_eq!(found(message::read(body.as_bytes(), offered)), expected, "{body}");
    }
}

#[test]
fn a_key_is_long_enough_and_every_id_is_new() {
    use base64::Engine as _;
    let base64 = |length: usize| base64::engine::general_purpose::STANDARD.encode(vec![7; length]);
    for (length, accepted) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
        assert_eq!(EndpointKey::read(&base64(length)).is_some(), accepted, "{length}");
        assert_eq!(EndpointKey::read(&format!("whsec_{}", base64(length))).is_some(), accepted, "{length}");
    }
    let (first, second) = (MessageId::random().unwrap(), MessageId::random().unwrap());
    assert!(first != second);
}

/// What the client makes of these bytes, sent in answer to any request.
async fn answered(answer: &str) -> Result<OldAnswer, &'static str> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/users", listener.local_addr().unwrap());
    let endpoint = EndpointDirectory::new(&url, key()).unwrap();
    let serve = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 16 * 1024];
        let _ = connection.read(&mut request).await.unwrap();
        // The client may close before it has read all of an answer that it refuses.
        drop(connection.write_all(answer.as_bytes()).await);
    };
    let password = Arc::new(Password::new("x".to_owned()));
    let question = Question { user_name: "ann", key: "ann", password: Some(&password), now: NOW };
    let (answer, ()) = tokio::join!(endpoint.find(question), serve);
    answer.map_err(|error| error.code())
}

#[tokio::test]
async fn the_client_takes_one_small_plain_answer_and_follows_nothing() {
    let with = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
    };
    let huge = "x".repeat(64 * 1024 + 1);
    let large = "x".repeat(64 * 1024);
    let table = [
        ("a redirect", with("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", ""), "EndpointStatus"),
        ("an error", with("500 Internal Server Error", "", "{}"), "EndpointStatus"),
        ("nothing", with("204 No Content", "", ""), "EndpointStatus"),
        ("compressed", with("200 OK", "content-encoding: gzip\r\n", "{}"), "EndpointBodyRefused"),
        ("huge", with("200 OK", "", &huge), "EndpointBodyRefused"),
        ("large, but unsigned", with("200 OK", "", &large), "EndpointSignatureWrong"),
        ("unsigned", with("200 OK", "", r#"{"result":"unknown"}"#), "EndpointSignatureWrong"),
        ("cut off", with("200 OK", "", "{}").replace("content-length: 2", "content-length: 9"), "EndpointBodyRefused"),
        ("no HTTP", "hello\r\n\r\n".to_owned(), "EndpointDisconnected"),
        ("hung up", String::new(), "EndpointDisconnected"),
    ];
    for (name, answer, expected) in table {
        assert_eq!(answered(&answer).await.unwrap_err(), expected, "{name}");
    }
}
