//! What the pass-through does not imitate goes through byte for byte.

#![expect(clippy::unwrap_used, reason = "in a test, a failure to set the scene is a failure")]

use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use local::proxy::Gateway;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves one raw answer to one raw request, and gives the request back.
async fn upstream(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_whole(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    });
    (url, served)
}

/// Head and body of a message that names its length.
async fn read_whole(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let named =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= named.unwrap_or(0_usize) {
                return text;
            }
        }
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "cut off: {text}");
        text.push_str(std::str::from_utf8(buffer.get(..read).unwrap()).unwrap());
    }
}

async fn through(upstream: &str, request: &str) -> String {
    let config =
        SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("us-east-1")).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Gateway::new(upstream, Path::new("/nowhere"), &config).unwrap().serve(listener));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_whole(&mut stream).await
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let (url, served) = upstream("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let request = "POST /a%2Fb/$default//c?x=2&x=1&y=%20+ HTTP/1.1\r\nhost: signed.example:4566\r\nconnection: close\r\n\
                   authorization: AWS4-HMAC-SHA256 x\r\nx-twice: 1\r\nx-twice: 2\r\ncontent-length: 4\r\n\r\n\u{e9}\"}";
    through(&url, request).await;
    let arrived = served.await.unwrap();
    let (head, body) = arrived.split_once("\r\n\r\n").unwrap();
    let lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.first(), Some(&"POST /a%2Fb/$default//c?x=2&x=1&y=%20+ HTTP/1.1"));
    for line in ["host: signed.example:4566", "authorization: AWS4-HMAC-SHA256 x", "x-twice: 1", "x-twice: 2"] {
        assert!(lines.contains(&line), "{line} is missing in {head}");
    }
    assert!(!lines.contains(&"connection: close"), "{head}");
    assert_eq!(body, "\u{e9}\"}");
}

#[tokio::test]
async fn an_answer_comes_back_as_it_was_given() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://elsewhere.example/\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                  content-length: 3\r\n\r\nno!";
    let (url, served) = upstream(answer).await;
    let back = through(&url, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.await.unwrap();
    assert!(back.starts_with("HTTP/1.1 302 Found\r\n") && back.ends_with("\r\n\r\nno!"), "{back}");
    for line in ["location: http://elsewhere.example/", "set-cookie: a=1", "set-cookie: b=2"] {
        assert!(back.contains(line), "{line} is missing in {back}");
    }
}

#[tokio::test]
async fn a_call_that_should_be_imitated_and_cannot_be_does_not_pass() {
    // Nobody answers: not about the pool, and not to the call itself.
    let request = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSCognitoIdentityProviderService.SignUp\r\n\
                   content-length: 18\r\n\r\n{\"ClientId\":\"web\"}";
    let back = through("http://127.0.0.1:9", request).await;
    assert!(back.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{back}");
    assert!(back.contains("the user pools cannot be listed"), "{back}");
}
