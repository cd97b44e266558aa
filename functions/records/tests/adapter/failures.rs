//! What answers mean that a table gives only when it is busy, or broken: they are
//! given word for word by a server of our own (rows R25, R26 and R27 of
//! `tests/attacks.md`).

use std::collections::BTreeSet;

use records::{Change, Expiry, Records, Store as _, WriteError, text};
use shell::aws::{Client, Pace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{NOW, item, told};

/// A table whose every call gets this answer; `None` when the connection is closed
/// without one.
async fn answering(answer: Option<(u16, &str)>) -> Records {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.map(|(status, body)| {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\n");
        format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            while !whole(&request) {
                match stream.read(&mut part).await {
                    Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
                    _ => break,
                }
            }
            if let Some(answer) = &answer {
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    records_at(&format!("http://{address}"))
}

fn records_at(endpoint: &str) -> Records {
    let once = Pace { attempts: 1, ..Pace::TRIGGER };
    Records::new(Client::local(endpoint).paced(once), "records", BTreeSet::new())
}

/// Whether a request has arrived with its body.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn two_changes() -> [Change; 2] {
    [Change::Create(item("a", &[])), Change::Remove(item("b", &[("data", text("x"))]))]
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
#[tokio::test]
async fn a_cancelled_transaction_is_told_by_its_reasons() {
    let table = [
        (["None", "ConditionalCheckFailed"].as_slice(), "1 gone"),
        (&["ConditionalCheckFailed", "ConditionalCheckFailed"], "0 gone, 1 gone"),
        (&["TransactionConflict", "None"], "busy"),
        (&["None", "ThrottlingError"], "busy"),
        (&["ProvisionedThroughputExceeded", "None"], "busy"),
        (&["None", "ValidationError"], "invalid [1]"),
        (&["ItemCollectionSizeLimitExceeded", "ValidationError"], "invalid [0, 1]"),
        // What can never be written is no use trying again, whatever else was wrong.
        (&["ConditionalCheckFailed", "ValidationError"], "invalid [1]"),
        (&["TransactionConflict", "ValidationError"], "invalid [1]"),
        (&["TransactionConflict", "ConditionalCheckFailed"], "1 gone"),
        (&["None", "None"], "unknown"),
        (&["None", "AReasonOfTomorrow"], "unknown"),
        (&[], "unknown"),
    ];
    for (codes, expected) in table {
        let reasons = codes.iter().map(|code| format!(r#"{{"Code":"{code}"}}"#)).collect::<Vec<_>>().join(",");
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{reasons}]}}"#
        );
        let records = answering(Some((400, &body))).await;
        assert_eq!(told(records.write(&two_changes()).await), expected, "{codes:?}");
    }
}

#[tokio::test]
async fn a_conflict_in_any_place_is_told_by_its_position() {
    let creations: Vec<Change> = (0..100).map(|number| Change::Create(item(&number.to_string(), &[]))).collect();
    for place in [0, 1, 50, 98, 99] {
        for (code, expected) in [
            ("ConditionalCheckFailed", format!("{place} differs")),
            ("ValidationError", format!("invalid [{place}]")),
            ("TransactionConflict", "busy".to_owned()),
        ] {
            let reason = |index: usize| match index == place {
                true => format!(r#"{{"Code":"{code}","Item":{{"pk":{{"S":"p"}},"sk":{{"S":"{index}"}}}}}}"#),
                false => r#"{"Code":"None"}"#.to_owned(),
            };
            let reasons = (0..100).map(reason).collect::<Vec<_>>().join(",");
            let body = format!(r#"{{"__type":"TransactionCanceledException","CancellationReasons":[{reasons}]}}"#);
            let outcome = answering(Some((400, &body))).await.write(&creations).await;
            if let Err(WriteError::Stale(stale)) = &outcome {
                let there = item(&place.to_string(), &[]);
                assert_eq!(stale.iter().map(|stale| stale.found.as_ref()).collect::<Vec<_>>(), [Some(&there)]);
            }
            assert_eq!(told(outcome), expected, "{code} at {place}");
        }
    }
}

/// A name, an answer, and what it means for a write.
type Row = (&'static str, Option<(u16, &'static str)>, &'static str);

const FAILURES: [Row; 12] = [
    ("throttled", Some((400, r#"{"__type":"ProvisionedThroughputExceededException"}"#)), "busy"),
    ("too many calls", Some((400, r#"{"__type":"RequestLimitExceeded"}"#)), "busy"),
    ("throttled, newer name", Some((400, r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#)), "busy"),
    ("a transaction has it", Some((400, r#"{"__type":"TransactionConflictException"}"#)), "busy"),
    ("invalid", Some((400, r#"{"__type":"com.amazon.coral.validate#ValidationException"}"#)), "invalid []"),
    ("partition full", Some((400, r#"{"__type":"ItemCollectionSizeLimitExceededException"}"#)), "invalid []"),
    ("not allowed", Some((400, r#"{"__type":"AccessDeniedException"}"#)), "unknown"),
    ("no such table", Some((400, r#"{"__type":"ResourceNotFoundException"}"#)), "unknown"),
    ("in progress elsewhere", Some((400, r#"{"__type":"TransactionInProgressException"}"#)), "unknown"),
    ("broken", Some((500, r#"{"__type":"InternalServerError"}"#)), "unknown"),
    ("no JSON", Some((503, "<html>")), "unknown"),
    ("no answer", None, "unknown"),
];

#[tokio::test]
async fn an_error_of_a_call_means_the_same_for_every_write() {
    for (name, answer, expected) in FAILURES {
        let records = answering(answer).await;
        let [create, remove] = two_changes();
        let replace = Change::Replace { old: item("a", &[]), new: item("a", &[("data", text("x"))]) };
        assert_eq!(told(records.write(&two_changes()).await), expected, "{name}: a transaction");
        for change in [create, replace, remove] {
            assert_eq!(told(records.write(std::slice::from_ref(&change)).await), expected, "{name}: {change:?}");
        }
        let end = records.expire(("p", "a"), None, NOW).await;
        assert_eq!(told(end.map(|_: Expiry| ())), expected, "{name}: an end");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_never_nothing() {
    for (name, answer, _) in FAILURES {
        let records = answering(answer).await;
        assert!(records.read("p", "a").await.is_err(), "{name}");
        assert!(records.page("p", None).await.is_err(), "{name}");
        assert!(records.living("p", None, NOW).await.is_err(), "{name}");
    }
    let closed = records_at("http://127.0.0.1:1");
    assert!(closed.read("p", "a").await.is_err(), "nobody listens");
    assert_eq!(told(closed.write(&two_changes()).await), "unknown", "nobody listens");
}

#[tokio::test]
async fn a_page_that_goes_on_nowhere_is_an_error() {
    let table = [
        (r#"{"Items":[]}"#, Some(None)),
        (r#"{"Items":[],"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"a"}}}"#, Some(Some("a"))),
        (r#"{"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"a"}}}"#, Some(Some("a"))),
        (r#"{"Items":[],"LastEvaluatedKey":{"pk":{"S":"p"}}}"#, None),
        (r#"{"Items":[],"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"N":"1"}}}"#, None),
    ];
    for (body, expected) in table {
        let page = answering(Some((200, body))).await.page("p", None).await;
        let next = page.as_ref().ok().map(|page| page.next.as_deref());
        assert_eq!(next, expected, "{body}");
    }
}
