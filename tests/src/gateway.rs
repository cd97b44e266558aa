//! Events as API Gateway sends them to an authorizer, and what it makes of the
//! answer.

use serde_json::{Value, json};

use crate::function::Outcome;
use crate::runtime_api::Reply;
use crate::simulator::{Verdict, evaluate};

/// The API that the events come from, with its stage.
pub const API: &str = "arn:aws:execute-api:us-east-1:123456789012:example123/prod";

/// What the caller of the API gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// The call passes.
    Allowed,
    /// 403.
    Forbidden,
    /// 401.
    Unauthorized,
    /// 500.
    Failed,
}

/// The name of a request in policies.
pub fn arn(method: &str, path: &str) -> String {
    format!("{API}/{method}{path}")
}

/// A REST API's TOKEN event.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>
pub fn rest_token(token: &str, method: &str, path: &str) -> Value {
    json!({"type": "TOKEN", "methodArn": arn(method, path), "authorizationToken": format!("Bearer {token}")})
}

/// A REST API's REQUEST event.
pub fn rest_request(token: &str, method: &str, path: &str) -> Value {
    let value = format!("Bearer {token}");
    json!({
        "type": "REQUEST",
        "methodArn": arn(method, path),
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Authorization": value, "Host": "api.example"},
        "multiValueHeaders": {"Authorization": [value], "Host": ["api.example"]},
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": format!("/prod{path}"),
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "requestId": "1d1c9d3e-0000-4000-8000-000000000001",
            "apiId": "example123",
            "identity": {"sourceIp": "192.0.2.1", "apiKey": null},
        },
    })
}

/// An HTTP API's event with payload 2.0.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
pub fn http_v2(token: &str, method: &str, path: &str) -> Value {
    let value = format!("Bearer {token}");
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": arn(method, path),
        "identitySource": [value],
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": value, "host": "api.example"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example123",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl"},
            "requestId": "EXAMPLE=",
            "routeKey": format!("{method} {path}"),
            "stage": "prod",
        },
    })
}

/// An HTTP API's event with payload 1.0.
pub fn http_v1(token: &str, method: &str, path: &str) -> Value {
    let value = format!("Bearer {token}");
    json!({
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": arn(method, path),
        "identitySource": value,
        "authorizationToken": value,
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"authorization": value, "host": "api.example"},
        "queryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example123",
            "httpMethod": method,
            "path": path,
            "resourcePath": path,
            "stage": "prod",
            "identity": {"sourceIp": "192.0.2.1"},
        },
    })
}

/// What API Gateway makes of an authorizer's reply for the request called `arn`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>
pub fn passage(outcome: &Outcome, arn: &str) -> Passage {
    let answer = match &outcome.reply {
        Reply::Error { message, .. } if message == "Unauthorized" => return Passage::Unauthorized,
        Reply::Answer(body) => serde_json::from_slice::<Value>(body).unwrap_or_default(),
        _ => return Passage::Failed,
    };
    match (answer.get("isAuthorized"), answer.get("policyDocument")) {
        (Some(Value::Bool(true)), None) => Passage::Allowed,
        (Some(Value::Bool(false)), None) => Passage::Forbidden,
        (None, Some(policy)) if evaluate(policy, arn) == Verdict::Allow => Passage::Allowed,
        (None, Some(_)) => Passage::Forbidden,
        _ => Passage::Failed,
    }
}

/// A WebSocket API's event at `$connect`, with these headers and parameters.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
pub fn web_socket(headers: &[(&str, &str)], query: &[(&str, &str)]) -> Value {
    let one = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let all = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    json!({
        "type": "REQUEST",
        "methodArn": format!("{API}/$connect"),
        "headers": Value::Object(one(headers)),
        "multiValueHeaders": Value::Object(all(headers)),
        "queryStringParameters": Value::Object(one(query)),
        "multiValueQueryStringParameters": Value::Object(all(query)),
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "messageDirection": "IN",
            "stage": "prod",
            "identity": {"sourceIp": "192.0.2.1"},
            "requestId": "EXAMPLE=",
            "connectionId": "EXAMPLE=",
            "apiId": "example123",
        },
    })
}

/// AppSync's event for a document. The token stands alone.
/// <https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization>
pub fn app_sync(token: &str, document: &str) -> Value {
    json!({
        "authorizationToken": token,
        "requestContext": {
            "apiId": "giy7kumfmvcqvbedntjwjvagii",
            "accountId": "123456789012",
            "requestId": "b80ed838-14c6-4500-b4c3-b694c7bef086",
            "queryString": document,
            "operationName": null,
            "variables": {},
        },
        "requestHeaders": {"host": "example.appsync-api.us-east-1.amazonaws.com"},
    })
}
