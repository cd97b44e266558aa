use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use super::*;

/// What one connection does: answers as many requests as there are texts, each with
/// that text in pieces of so many bytes, and closes.
type Script = (Vec<String>, usize);

/// A Runtime API that has a script for each connection, and tells what it was sent.
fn scripted(connections: Vec<Script>) -> (RuntimeApi, JoinHandle<Vec<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let serve = |(answers, piece): Script| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut asked = Vec::new();
            for answer in answers {
                asked.push(request(&mut stream));
                for bytes in answer.as_bytes().chunks(piece) {
                    stream.write_all(bytes).unwrap();
                }
            }
            asked
        };
        connections.into_iter().map(serve).collect()
    });
    let lookup = |key: &str| (key == "AWS_LAMBDA_RUNTIME_API").then(|| address.clone());
    (RuntimeApi::from_environment(&lookup).unwrap(), server)
}

/// Reads one request with its body.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    let length = |head: &str| {
        head.split_once("content-length: ").map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap())
    };
    loop {
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() == length(head)
        {
            return text;
        }
    }
}

/// An event in this framing.
fn event(framing: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nLambda-Runtime-Deadline-Ms: 1700000000000\r\n{framing}\r\n{body}"
    )
}

fn known(body: &str) -> String {
    event(&format!("content-length: {}\r\n", body.len()), body)
}

const TAKEN: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 16\r\n\r\n{\"status\":\"OK\"}\n";

#[test]
fn an_event_is_read_in_every_framing_and_in_any_pieces() {
    let large = "x".repeat(100_000);
    let chunked = "transfer-encoding: chunked\r\n";
    let table = [
        ("of a known length", known("{\"a\":1}"), "{\"a\":1}"),
        ("empty", known(""), ""),
        ("large", known(&large), large.as_str()),
        ("in chunks", event(chunked, "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n"), "{\"a\":1}"),
        ("in chunks with notes", event(chunked, "7;note=1\r\n{\"a\":1}\r\n0\r\ntrailer: 1\r\n\r\n"), "{\"a\":1}"),
        ("in a large chunk", event(chunked, &format!("186a0\r\n{large}\r\n0\r\n\r\n")), large.as_str()),
        ("to the end", event("", "{\"a\":1}"), "{\"a\":1}"),
        ("of the old protocol", known("{}").replace("HTTP/1.1", "HTTP/1.0"), "{}"),
    ];
    for (name, answer, expected) in table {
        for piece in [1, 7, 1_000_000] {
            if piece == 1 && answer.len() > 1_000 {
                continue;
            }
            let (mut api, server) = scripted(vec![(vec![answer.clone()], piece)]);
            let next = api.next().unwrap();
            assert_eq!(std::str::from_utf8(next.event), Ok(expected), "{name}, in pieces of {piece}");
            assert_eq!((next.ids.request.as_str(), next.deadline_ms), ("id-1", 1_700_000_000_000), "{name}");
            assert_eq!(next.ids.invocation, None, "{name}");
            let asked = server.join().unwrap();
            assert!(asked[0][0].starts_with("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"), "{asked:?}");
        }
    }
}

#[test]
fn what_is_no_event_ends_the_loop_with_a_word_on_it() {
    let chunked = "transfer-encoding: chunked\r\n";
    let table = [
        (known("{}").replace("200 OK", "500 Internal Server Error"), "the Runtime API answered 500"),
        (known("{}").replace("200 OK", "403 Forbidden"), "the Runtime API answered 403"),
        (known("{}").replace("Aws-Request", "Other"), "an event without a request id"),
        (known("{}").replace("id-1", "../../init"), "an event without a request id"),
        (known("{}").replace("id-1", ""), "an event without a request id"),
        ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), "a response that cannot be read"),
        (event("content-length: many\r\n", "{}"), "a response that cannot be read"),
        (event("content-length: 99000000000\r\n", "{}"), "more than an event may have"),
        (event("content-length: 18446744073709551615\r\n", "{}"), "more than an event may have"),
        (event(chunked, "ffffffffffffffff\r\n{}\r\n"), "more than an event may have"),
        (event(chunked, "2\r\n{}xx0\r\n\r\n"), "a chunk that does not end"),
        (event(chunked, "zz\r\n{}\r\n"), "chunks that cannot be read"),
        (event("content-length: 3\r\n", "{}"), "cannot be reached"),
        (event(chunked, "3\r\n{}"), "cannot be reached"),
        ("HTTP/1.1 200 OK\r\n".to_owned(), "cannot be reached"),
        (String::new(), "cannot be reached"),
    ];
    for (answer, expected) in table {
        let (mut api, server) = scripted(vec![(vec![answer.clone()], 1_000)]);
        let lost = api.next().err().map(|lost| lost.to_string()).unwrap_or_default();
        assert!(lost.contains(expected), "{answer}: {lost}");
        assert_eq!(server.join().unwrap().len(), 1, "{answer}");
    }
}

#[test]
fn without_a_deadline_only_our_own_limit_counts() {
    for deadline in ["", "soon", "-1"] {
        let answer = known("{}").replace("1700000000000", deadline);
        let (mut api, _server) = scripted(vec![(vec![answer], 1_000)]);
        assert_eq!(api.next().unwrap().deadline_ms, u64::MAX, "{deadline}");
    }
}

#[test]
fn events_and_answers_go_over_one_connection_while_it_lives() {
    let answers = |kept: &str| vec![known("{}"), TAKEN.replace("\r\n\r\n", &format!("\r\n{kept}\r\n")), known("{}")];
    let one = vec![(answers(""), 1_000)];
    let closes = answers("connection: close\r\n");
    let two = vec![(closes[..2].to_vec(), 1_000), (closes[2..].to_vec(), 1_000)];
    // Closed without a word, as after a freeze.
    let silent = answers("");
    let died = vec![(silent[..2].to_vec(), 1_000), (silent[2..].to_vec(), 1_000)];
    for (name, script) in [("kept", one), ("closed with a word", two), ("closed without", died)] {
        let expected: Vec<usize> = script.iter().map(|(answers, _)| answers.len()).collect();
        let (mut api, server) = scripted(script);
        let ids = api.next().unwrap().ids;
        assert_eq!(api.answer(&ids, b"{\"done\":true}").unwrap(), 202, "{name}");
        // The end of a connection takes a moment to arrive.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(api.next().unwrap().event, b"{}", "{name}");
        drop(api);
        let asked = server.join().unwrap();
        assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{name}");
        assert!(asked[0][1].starts_with("POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"), "{name}");
        assert!(
            asked[0][1].ends_with("\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{\"done\":true}")
        );
    }
}

#[test]
fn nothing_of_an_event_or_an_answer_stays_in_memory() {
    let secret = "cAnary-".repeat(5_000);
    let (mut api, server) = scripted(vec![(vec![known(&secret), TAKEN.to_owned()], 1_000)]);
    let next = api.next().unwrap();
    let (ids, answer) = (next.ids, next.event.to_vec());
    api.answer(&ids, &answer).unwrap();
    drop(server.join().unwrap());
    let holds = |bytes: &[u8]| bytes.windows(7).any(|window| window == b"cAnary-");
    assert!(holds(&answer) && !holds(&api.outgoing) && !holds(api.incoming.whole()));
}

#[test]
fn a_broken_answer_is_not_asked_for_again() {
    let script = vec![(vec![known("{}"), "HTTP/1.1 20".to_owned()], 1_000)];
    let (mut api, server) = scripted(script);
    let ids = api.next().unwrap().ids;
    assert!(matches!(api.answer(&ids, b"{}"), Err(Lost::Disconnected(_))));
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn what_the_platform_says_of_an_answer_is_its_status() {
    for (status, goes_on) in [(202, true), (400, true), (403, true), (413, true), (500, false)] {
        let said = TAKEN.replace("202", &status.to_string());
        let (mut api, server) = scripted(vec![(vec![known("{}"), said.clone(), said], 1_000)]);
        let ids = api.next().unwrap().ids;
        assert_eq!(api.answer(&ids, b"{}").ok(), goes_on.then_some(status), "{status}");
        let error = InvocationError { error_type: "Code", error_message: "A sentence" };
        assert_eq!(api.error(&ids, error).ok(), goes_on.then_some(status), "{status}");
        let asked = server.join().unwrap();
        assert!(asked[0][2].starts_with("POST /2018-06-01/runtime/invocation/id-1/error "), "{asked:?}");
        assert!(asked[0][2].ends_with(r#"{"errorType":"Code","errorMessage":"A sentence"}"#), "{asked:?}");
    }
}

#[test]
fn the_id_of_a_try_goes_back() {
    let answer = known("{}").replace("\r\n\r\n", "\r\nLambda-Runtime-Invocation-Id: try/2=\r\n\r\n");
    let (mut api, server) = scripted(vec![(vec![answer, TAKEN.to_owned()], 1_000)]);
    let ids = api.next().unwrap().ids;
    api.answer(&ids, b"{}").unwrap();
    assert!(server.join().unwrap()[0][1].contains("\r\nlambda-runtime-invocation-id: try/2=\r\n"));
}

#[test]
fn an_address_may_have_a_scheme_and_a_path() {
    let table = [
        ("127.0.0.1:9001", "127.0.0.1:9001", ""),
        ("http://127.0.0.1:9000/.rt/pre-sign-up", "127.0.0.1:9000", "/.rt/pre-sign-up"),
        ("http://[::1]:9000/", "[::1]:9000", ""),
        ("[::1]:9000/a/b/", "[::1]:9000", "/a/b"),
        ("localhost", "localhost:80", ""),
        ("http://[::1]/x", "[::1]:80", "/x"),
    ];
    for (text, address, base) in table {
        let lookup = |key: &str| (key == "AWS_LAMBDA_RUNTIME_API").then(|| text.to_owned());
        let api = RuntimeApi::from_environment(&lookup).unwrap();
        assert_eq!((api.address.as_str(), api.base.as_str()), (address, base), "{text}");
    }
}

#[test]
fn what_is_missing_or_not_done_here_is_named() {
    let address = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    let table = [
        (vec![], "AWS_LAMBDA_RUNTIME_API is missing"),
        (vec![address], ""),
        (vec![address, ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")], ""),
        (vec![address, ("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")], ""),
        (vec![address, ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")], "AWS_LAMBDA_INITIALIZATION_TYPE says"),
        (vec![address, ("AWS_LAMBDA_MAX_CONCURRENCY", "1")], ""),
        (vec![address, ("AWS_LAMBDA_MAX_CONCURRENCY", "8")], "AWS_LAMBDA_MAX_CONCURRENCY says"),
    ];
    for (settings, expected) in table {
        let lookup = |key: &str| settings.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
        let error = RuntimeApi::from_environment(&lookup).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(expected) && error.is_empty() == expected.is_empty(), "{settings:?}: {error}");
    }
}
