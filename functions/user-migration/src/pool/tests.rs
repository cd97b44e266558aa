//! The old pool, played on loopback by the answers that Cognito gives.

use serde_json::{Value, json};
use shell::aws::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// `printf Annclient | openssl dgst -sha256 -hmac client-secret -binary | base64`
const SECRET_HASH: &str = "mDdkfOL+GV1qzoPGxx7PUSo5AA3ZE+1YScOWwbhFj2s=";

/// One answer for each operation: status and body.
type Answers = [(&'static str, u16, Value)];

/// Answers each request by its target until dropped; keeps the bodies.
async fn serve(listener: TcpListener, answers: &Answers, bodies: &mut Vec<Value>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let (head, body) = loop {
            let mut chunk = [0; 4096];
            let read = connection.read(&mut chunk).await.unwrap();
            assert!(read > 0, "the request is whole");
            request.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() == length.unwrap_or(0) {
                break (head, body.to_owned());
            }
        };
        bodies.push(serde_json::from_str(&body).unwrap());
        let found = answers.iter().find(|(target, _, _)| head.contains(&format!(".{}\r", target.to_ascii_lowercase())));
        let (_, status, answer) = found.unwrap_or_else(|| panic!("nobody asked for this: {head}"));
        let answer = answer.to_string();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        connection.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// What the directory makes of these answers, and what it asked.
async fn find(answers: &Answers, password: Option<&str>) -> (Result<OldAnswer, LookupError>, Vec<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::local(&format!("http://{}", listener.local_addr().unwrap()));
    let pool = OldPool::new(client, "us-east-1_old", "client");
    let directory = PoolDirectory::new(pool, Some(Zeroizing::new("client-secret".to_owned())));
    let password = password.map(|text| Arc::new(Password::new(text.to_owned())));
    let question = Question { user_name: "Ann", key: "ann", password: password.as_ref(), now: 7 };
    let mut bodies = Vec::new();
    let answer = tokio::select! {
        answer = directory.find(question) => answer,
        () = serve(listener, answers, &mut bodies) => unreachable!("it serves for good"),
    };
    (answer, bodies)
}

fn refusal(kind: &str) -> Value {
    json!({"__type": kind, "message": "x"})
}

fn user(status: &str, enabled: bool, verified: &str) -> Value {
    let attributes = json!([
        {"Name": "sub", "Value": "old-sub"},
        {"Name": "email", "Value": "ann@acme.example"},
        {"Name": "email_verified", "Value": verified},
    ]);
    json!({"Username": "ann", "UserAttributes": attributes, "Enabled": enabled, "UserStatus": status})
}

#[tokio::test]
async fn what_the_old_pool_says_of_a_password_is_taken_exactly() {
    let tokens = json!({"AuthenticationResult": {"AccessToken": "t", "ExpiresIn": 3600, "TokenType": "Bearer"}});
    let challenge = |name: &str| json!({"ChallengeName": name, "Session": "s", "ChallengeParameters": {}});
    let table = [
        (200, tokens, Ok(("one", Proof::Right, false))),
        (200, challenge("SOFTWARE_TOKEN_MFA"), Ok(("one", Proof::Right, false))),
        (200, challenge("SMS_MFA"), Ok(("one", Proof::Right, false))),
        (200, challenge("NEW_PASSWORD_REQUIRED"), Ok(("one", Proof::Right, true))),
        (200, challenge("PASSWORD_VERIFIER"), Ok(("nobody", Proof::Unusable("OldPoolUnclear"), false))),
        (200, challenge("CUSTOM_CHALLENGE"), Ok(("nobody", Proof::Unusable("OldPoolUnclear"), false))),
        (200, challenge("FUTURE"), Ok(("nobody", Proof::Unusable("OldPoolUnclear"), false))),
        (200, json!({}), Ok(("nobody", Proof::Unusable("OldPoolUnclear"), false))),
        (400, refusal("NotAuthorizedException"), Ok(("nobody", Proof::Wrong, false))),
        (400, refusal("UserNotFoundException"), Ok(("nobody", Proof::Unchecked, false))),
        (400, refusal("PasswordResetRequiredException"), Ok(("nobody", Proof::Unusable("OldPoolWantsReset"), false))),
        (400, refusal("UserNotConfirmedException"), Ok(("nobody", Proof::Unusable("OldPoolUnconfirmed"), false))),
        (400, refusal("TooManyRequestsException"), Err("OldPoolUnreachable")),
        (400, refusal("ResourceNotFoundException"), Err("OldPoolUnreachable")),
        (500, refusal("InternalErrorException"), Err("OldPoolUnreachable")),
    ];
    for (status, body, expected) in table {
        let row = body.to_string();
        let answers = [
            ("AdminInitiateAuth", status, body),
            ("AdminGetUser", 200, user("CONFIRMED", true, "true")),
            ("AdminListGroupsForUser", 200, json!({"Groups": [{"GroupName": "staff"}]})),
        ];
        let (answer, asked) = find(&answers, Some("correct horse")).await;
        let found = answer.map_err(|error| error.code()).map(|answer| match &answer.found {
            Found::One(user) => ("one", answer.proof, user.must_reset),
            Found::Nobody => ("nobody", answer.proof, false),
            Found::Several | Found::Unreadable => ("other", answer.proof, false),
        });
        assert_eq!(found, expected, "{row}");
        let parameters = json!({
            "USERNAME": "Ann", "PASSWORD": "correct horse",
            "SECRET_HASH": secret_hash("client-secret", "Ann", "client"),
        });
        let first = json!({
            "UserPoolId": "us-east-1_old", "ClientId": "client", "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": parameters,
        });
        assert_eq!(asked.first(), Some(&first), "{row}");
    }
}

#[tokio::test]
async fn a_user_is_read_as_the_old_pool_has_him() {
    let table = [
        (user("CONFIRMED", true, "true"), Some((true, false, false))),
        (user("CONFIRMED", true, "false"), Some((false, false, false))),
        (user("CONFIRMED", true, "True"), Some((false, false, false))),
        (user("CONFIRMED", false, "true"), Some((true, true, false))),
        (user("COMPROMISED", true, "true"), Some((true, true, false))),
        (user("RESET_REQUIRED", true, "true"), Some((true, false, true))),
        (user("FORCE_CHANGE_PASSWORD", true, "true"), Some((true, false, true))),
        (json!({"Username": "ann", "Enabled": true}), None),
    ];
    for (body, expected) in table {
        let row = body.to_string();
        let answers = [
            ("AdminGetUser", 200, body),
            ("AdminListGroupsForUser", 200, json!({"Groups": [{"GroupName": "staff"}, {"GroupName": "acme:admin"}]})),
        ];
        let (answer, _) = find(&answers, None).await;
        let answer = answer.unwrap();
        assert_eq!(answer.proof, Proof::Unchecked, "M04 no password is checked");
        let found = match answer.found {
            Found::One(user) => {
                assert_eq!((user.id.as_str(), user.hash), ("old-sub", None), "{row}");
                assert_eq!(user.groups, ["staff", "acme:admin"], "{row}");
                Some((user.email_verified, user.disabled, user.must_reset))
            }
            _ => None,
        };
        assert_eq!(found, expected, "{row}");
    }
    let (answer, _) = find(&[("AdminGetUser", 400, refusal("UserNotFoundException"))], None).await;
    assert_eq!(answer.unwrap(), OldAnswer::NONE);
    let (answer, _) = find(&[("AdminGetUser", 500, refusal("InternalErrorException"))], None).await;
    assert_eq!(answer.unwrap_err().code(), "OldPoolUnreachable");
}

#[test]
fn a_secret_hash_is_made_of_name_and_client() {
    assert_eq!(secret_hash("client-secret", "Ann", "client"), SECRET_HASH);
}
