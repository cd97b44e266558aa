use std::time::Duration;

use serde_json::{Value, json};
use shared::attachment::{Foreign, Slot};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

fn request(event: &Value) -> Request {
    Request::read(&event.to_string()).unwrap()
}

fn create(properties: &Value) -> Value {
    json!({
        "RequestType": "Create", "ResponseURL": "https://bucket.s3.amazonaws.com/x?Signature=y", "StackId": "stack",
        "RequestId": "r", "LogicalResourceId": "PoolAttachment", "ResourceProperties": properties,
    })
}

#[test]
fn only_an_address_that_nobody_else_reads_is_answered() {
    let table = [
        (json!("https://bucket.s3.amazonaws.com/x?Signature=y"), true),
        (json!("http://127.0.0.1:9000/x"), true),
        (json!("http://bucket.s3.amazonaws.com/x"), false),
        (json!("https://user:secret@bucket.s3.amazonaws.com/x"), false),
        (json!("file:///etc/passwd"), false),
        (json!("x"), false),
        (json!(""), false),
        (json!(7), false),
        (Value::Null, false),
    ];
    for (url, expected) in table {
        assert_eq!(request(&json!({ "ResponseURL": url })).address().is_ok(), expected, "{url}");
    }
    for event in ["[]", "7", "\"x\"", "null"] {
        let read = Request::read(event);
        let unusable = read.and_then(|request| request.address().map(str::to_owned));
        assert!(unusable.is_err(), "{event}");
    }
}

#[test]
fn properties_are_understood_or_named() {
    let good = json!({"UserPoolId": "eu-west-1_A", "Triggers": {"PreSignUp": ARN, "UserMigration": null}, "TokenEventVersion": "V2_0", "ForeignTriggers": "take-over"});
    let order = request(&create(&good)).order().unwrap();
    assert_eq!(order.pool, "eu-west-1_A");
    assert_eq!(order.foreign, Foreign::TakeOver);
    assert_eq!(order.wanted.functions().keys().collect::<Vec<_>>(), [&Slot::PreSignUp]);
    let table = [
        ("UserPoolId", json!("")),
        ("UserPoolId", Value::Null),
        ("UserPoolId", json!(["eu-west-1_A"])),
        ("Triggers", json!({})),
        ("Triggers", json!({"PreSignUp": "f"})),
        ("Triggers", json!({"PreSignUp": [ARN]})),
        ("Triggers", json!({"CustomMessage": ARN})),
        ("TokenEventVersion", json!("V9_0")),
        ("ForeignTriggers", json!("overwrite")),
    ];
    for (name, value) in table {
        let mut bad = good.clone();
        bad[name] = value.clone();
        assert_eq!(request(&create(&bad)).order().unwrap_err().code, "PropertyRefused", "{name} {value}");
    }
}

#[test]
fn a_pool_keeps_its_physical_id_and_another_pool_has_another() {
    let id = |event: &Value| -> Value {
        let answer: Value = serde_json::from_str(&request(event).answer(&Status::Success(String::new()))).unwrap();
        answer["PhysicalResourceId"].clone()
    };
    let mut event = create(&json!({"UserPoolId": "eu-west-1_A"}));
    assert_eq!(id(&event), "poolhouse-attachment:eu-west-1_A");
    event["RequestType"] = json!("Update");
    event["PhysicalResourceId"] = json!("poolhouse-attachment:eu-west-1_Other");
    assert_eq!(id(&event), "poolhouse-attachment:eu-west-1_A");
    event["RequestType"] = json!("Delete");
    assert_eq!(id(&event), "poolhouse-attachment:eu-west-1_Other");
    assert_eq!(id(&create(&json!({}))), "poolhouse-attachment:none");
    assert!(request(&create(&json!({}))).was_never_made());
}

#[test]
fn an_answer_fits_whatever_is_said() {
    for text in ["\"\\".repeat(5_000), "ä\u{0}😀".repeat(5_000), "x".repeat(5_000)] {
        for status in [Status::Success(text.clone()), Status::Failed(text.clone())] {
            let mut event = create(&json!({"UserPoolId": "p".repeat(5_000)}));
            event["StackId"] = json!("s".repeat(300));
            let answer = request(&event).answer(&status);
            assert!(answer.len() <= 4_096, "{} bytes", answer.len());
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["Status"] == "FAILED", matches!(status, Status::Failed(_)));
        }
    }
}

#[tokio::test]
async fn a_panic_is_answered_before_the_process_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/answer", listener.local_addr().unwrap());
    answer_when_panicking();
    answer::owe(&address, "{\"Status\":\"FAILED\"}".to_owned());
    let panicking = std::thread::spawn(|| panic!("on purpose"));
    let (mut stream, _) = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await.unwrap().unwrap();
    let mut bytes = vec![0; 1024];
    let mut text = String::new();
    while !text.contains("FAILED") {
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert!(text.starts_with("PUT /answer HTTP/1.1\r\n"), "{text}");
    assert!(panicking.join().is_err());
    // It is owed once.
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
}
