//! The services that pool-attachment calls, on loopback, as unforgiving as AWS:
//! `UpdateUserPool` resets whatever it is not told.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::http::{Request, Response, Server};
use crate::pool_documents::{Model, POOL_ID};

/// What everything that is called shares.
#[derive(Default)]
pub struct State {
    /// `UserPool`, as it is described; null when there is none.
    pub pool: Value,
    /// What `GetUserPoolMfaConfig` answers.
    pub mfa: Value,
    /// The clients by their ids.
    pub clients: BTreeMap<String, Value>,
    /// The parameters by their names.
    pub parameters: BTreeMap<String, String>,
    /// The statements of the functions' policies, by function and statement.
    pub permissions: BTreeMap<(String, String), Value>,
    /// The stack that made the pool.
    pub stack: Option<String>,
    /// The answers that CloudFormation got.
    pub answers: Vec<Value>,
    /// Every call so far: operation and body.
    pub calls: Vec<(String, Value)>,
    /// So many updates of the pool are refused, because another is under way.
    pub busy: usize,
    /// What that other update does before it ends.
    pub meanwhile: Option<(String, Value)>,
    /// Each update of the pool also changes these, by pointers into `pool`,
    /// `mfa` and `clients`.
    pub moves: Vec<(String, Value)>,
    /// How often `moves` happen; the last ones can then be put back.
    pub moves_left: usize,
    /// Calls of these operations are refused by this name.
    pub refused: BTreeMap<String, String>,
    /// Each call of these operations takes so long.
    pub slow: BTreeMap<String, Duration>,
    /// Ends a process at a call: which one, the process, and whether the call is
    /// still carried out.
    pub kill: Option<(usize, u32, bool)>,
}

/// The running services.
pub struct PoolService {
    state: Arc<Mutex<State>>,
    server: Server,
}

impl PoolService {
    /// Starts with one pool.
    pub fn start(pool: Value, mfa: Value) -> Result<Self> {
        let model = Model::read()?;
        let state = Arc::new(Mutex::new(State { pool, mfa, moves_left: usize::MAX, ..State::default() }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| answer(&shared, &model, &request))?;
        Ok(Self { state, server })
    }

    /// What is there now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of all services.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where CloudFormation waits for an answer.
    pub fn answer_url(&self) -> String {
        format!("{}/answer?Signature=canary", self.server.url())
    }
}

type Outcome = Result<Value, (u16, &'static str)>;

fn answer(state: &Mutex<State>, model: &Model, request: &Request) -> Response {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let operation = operation(request);
    state.calls.push((operation.clone(), body.clone()));
    if let Some(slow) = state.slow.get(&operation).copied() {
        std::thread::sleep(slow);
    }
    let index = state.calls.len() - 1;
    let killed = state.kill.filter(|(at, ..)| *at == index);
    if let Some((_, process, false)) = killed {
        kill(process);
        return Response::new(500, "text/plain", "");
    }
    let outcome = match state.refused.get(&operation) {
        Some(name) => {
            let body = json!({"__type": name, "message": format!("refused for the test: {name}")});
            return Response::new(400, "application/x-amz-json-1.1", body.to_string());
        }
        None => carry_out(&mut state, model, request, &operation, &body),
    };
    if let Some((_, process, true)) = killed {
        kill(process);
    }
    match outcome {
        Ok(body) if operation == "DescribeStackResources" => {
            Response::new(200, "text/xml", body.as_str().unwrap_or_default())
        }
        Ok(Value::Null) => Response::new(200, "application/x-amz-json-1.1", ""),
        Ok(body) => Response::new(200, "application/x-amz-json-1.1", body.to_string()),
        Err((status, name)) if operation == "DescribeStackResources" => {
            let body = format!("<ErrorResponse><Error><Code>{name}</Code></Error></ErrorResponse>");
            Response::new(status, "text/xml", body)
        }
        Err((status, name)) => {
            let message = if name == "InvalidParameterExceptionBusy" { BUSY } else { "refused" };
            let name = name.trim_end_matches("Busy");
            let body = json!({"__type": name, "message": message});
            Response::new(status, "application/x-amz-json-1.1", body.to_string()).header("x-amzn-errortype", name)
        }
    }
}

const BUSY: &str = "Only one request to update this UserPool can be processed at a time.";

fn kill(process: u32) {
    drop(Command::new("kill").args(["-9", &process.to_string()]).status());
}

fn operation(request: &Request) -> String {
    if let Some(target) = request.header("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let is_function = request.path.starts_with("/2015-03-31/functions/");
    let named = match (request.method.as_str(), is_function) {
        ("PUT", false) => "Answer",
        ("POST", true) => "AddPermission",
        ("DELETE", true) => "RemovePermission",
        ("POST", false) => "DescribeStackResources",
        _ => "Unknown",
    };
    named.to_owned()
}

fn carry_out(state: &mut State, model: &Model, request: &Request, operation: &str, body: &Value) -> Outcome {
    if operation != "Answer" && !is_signed(request, operation) {
        return Err((403, "MissingAuthenticationTokenException"));
    }
    match operation {
        "Answer" => {
            // Signed without a content type, so S3 refuses any.
            if request.header("content-type") != Some("") || request.header("authorization").is_some() {
                return Err((403, "SignatureDoesNotMatch"));
            }
            state.answers.push(body.clone());
            Ok(Value::Null)
        }
        "DescribeStackResources" => match &state.stack {
            None => Err((400, "ValidationError")),
            Some(stack) => Ok(json!(format!(
                "<R><member><StackName>{stack}</StackName><PhysicalResourceId>{POOL_ID}</PhysicalResourceId></member></R>"
            ))),
        },
        "AddPermission" | "RemovePermission" => permission(state, request, operation, body),
        "GetParameter" | "PutParameter" | "DeleteParameter" => parameter(state, operation, body),
        _ if state.pool.is_null() => Err((400, "ResourceNotFoundException")),
        "DescribeUserPool" => Ok(json!({ "UserPool": state.pool })),
        "GetUserPoolMfaConfig" => Ok(state.mfa.clone()),
        "ListUserPoolClients" => {
            let clients: Vec<Value> = state.clients.keys().map(|id| json!({ "ClientId": id })).collect();
            Ok(json!({ "UserPoolClients": clients }))
        }
        "DescribeUserPoolClient" => {
            let client = body["ClientId"].as_str().and_then(|id| state.clients.get(id));
            client.map(|client| json!({ "UserPoolClient": client })).ok_or((400, "ResourceNotFoundException"))
        }
        "UpdateUserPool" => update_pool(state, model, body),
        "SetUserPoolMfaConfig" => set_mfa(state, model, body),
        "UpdateUserPoolClient" => update_client(state, model, body),
        _ => Err((400, "UnknownOperationException")),
    }
}

/// Each service checks for itself that the call was signed for it.
fn is_signed(request: &Request, operation: &str) -> bool {
    let service = match operation {
        "AddPermission" | "RemovePermission" => "lambda",
        "GetParameter" | "PutParameter" | "DeleteParameter" => "ssm",
        "DescribeStackResources" => "cloudformation",
        _ => "cognito-idp",
    };
    let scope = format!("/us-east-1/{service}/aws4_request, SignedHeaders=");
    let signed = request.header("authorization").is_some_and(|header| {
        header.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && header.contains(&scope)
    });
    signed && request.header("x-amz-security-token").is_some() && request.header("x-amz-date").is_some()
}

fn permission(state: &mut State, request: &Request, operation: &str, body: &Value) -> Outcome {
    let path: Vec<&str> = request.path.split('/').collect();
    let function = path.get(3).copied().unwrap_or_default().to_owned();
    if operation == "RemovePermission" {
        let key = (function, path.get(5).copied().unwrap_or_default().to_owned());
        return state.permissions.remove(&key).map(|_| Value::Null).ok_or((404, "ResourceNotFoundException"));
    }
    let key = (function, body["StatementId"].as_str().unwrap_or_default().to_owned());
    if state.permissions.contains_key(&key) {
        return Err((409, "ResourceConflictException"));
    }
    state.permissions.insert(key, body.clone());
    Ok(json!({}))
}

fn parameter(state: &mut State, operation: &str, body: &Value) -> Outcome {
    let name = body["Name"].as_str().unwrap_or_default().to_owned();
    let value = body["Value"].as_str().unwrap_or_default();
    match operation {
        "PutParameter" if value.is_empty() || value.len() > 4_096 => Err((400, "ValidationException")),
        "PutParameter" => {
            state.parameters.insert(name, value.to_owned());
            Ok(json!({ "Version": 1 }))
        }
        "DeleteParameter" => state.parameters.remove(&name).map(|_| json!({})).ok_or((400, "ParameterNotFound")),
        _ => match state.parameters.get(&name) {
            Some(value) => Ok(json!({ "Parameter": { "Name": name, "Value": value } })),
            None => Err((400, "ParameterNotFound")),
        },
    }
}

fn update_pool(state: &mut State, model: &Model, body: &Value) -> Outcome {
    if state.busy > 0 {
        state.busy -= 1;
        if let Some((pointer, value)) = state.meanwhile.take() {
            put_at(&mut state.pool, &pointer, value);
        }
        // Both are what AWS calls it.
        let name = if state.busy.is_multiple_of(2) {
            "ConcurrentModificationException"
        } else {
            "InvalidParameterExceptionBusy"
        };
        return Err((400, name));
    }
    check(model, "UpdateUserPoolRequest", body)?;
    let days = body.pointer("/Policies/PasswordPolicy/TemporaryPasswordValidityDays");
    if days.is_some() && body.pointer("/AdminCreateUserConfig/UnusedAccountValidityDays").is_some() {
        return Err((400, "InvalidParameterException"));
    }
    let reserved = tags(&state.pool, true);
    if !tags(body, true).is_empty() {
        return Err((400, "UserPoolTaggingException"));
    }
    let (had_days, days) =
        (state.pool.pointer("/AdminCreateUserConfig/UnusedAccountValidityDays").is_some(), days.cloned());
    let Some(pool) = state.pool.as_object_mut() else { return Err((500, "InternalErrorException")) };
    for name in model.members("UpdateUserPoolRequest") {
        let value = body.get(name).cloned();
        match (name, value) {
            ("UserPoolId", _) => {}
            ("PoolName", Some(value)) => drop(pool.insert("Name".to_owned(), value)),
            ("PoolName", None) => {}
            (name, Some(value)) => drop(pool.insert(name.to_owned(), value)),
            // Its default.
            (name, None) => drop(pool.remove(name)),
        }
    }
    if !reserved.is_empty() {
        let tags = pool.entry("UserPoolTags").or_insert_with(|| json!({}));
        tags.as_object_mut().into_iter().for_each(|tags| tags.extend(reserved.clone()));
    }
    if let (true, Some(days)) = (had_days, days) {
        put_at(&mut state.pool, "/AdminCreateUserConfig/UnusedAccountValidityDays", days);
    }
    put_at(&mut state.pool, "/LastModifiedDate", json!(state.calls.len()));
    if state.moves_left > 0 {
        state.moves_left -= 1;
        for (pointer, value) in state.moves.clone() {
            match pointer.strip_prefix("/mfa") {
                Some(inner) => put_at(&mut state.mfa, inner, value),
                None if pointer.starts_with("/clients/") => {
                    let mut parts = pointer.splitn(4, '/').skip(2);
                    if let (Some(id), Some(inner)) = (parts.next(), parts.next())
                        && let Some(client) = state.clients.get_mut(id)
                    {
                        put_at(client, &format!("/{inner}"), value);
                    }
                }
                None => put_at(&mut state.pool, pointer.trim_start_matches("/pool"), value),
            }
        }
    }
    Ok(json!({}))
}

fn set_mfa(state: &mut State, model: &Model, body: &Value) -> Outcome {
    check(model, "SetUserPoolMfaConfigRequest", body)?;
    let mut mfa = body.clone();
    let Some(members) = mfa.as_object_mut() else { return Err((400, "InvalidParameterException")) };
    members.remove("UserPoolId");
    let factors = members.keys().filter(|name| name.ends_with("MfaConfiguration") && *name != "MfaConfiguration");
    if members.get("MfaConfiguration").is_none_or(|mode| mode == "OFF") && factors.count() > 0 {
        return Err((400, "InvalidParameterException"));
    }
    state.mfa = mfa;
    Ok(state.mfa.clone())
}

fn update_client(state: &mut State, model: &Model, body: &Value) -> Outcome {
    check(model, "UpdateUserPoolClientRequest", body)?;
    let id = body["ClientId"].as_str().unwrap_or_default();
    let Some(client) = state.clients.get_mut(id).and_then(Value::as_object_mut) else {
        return Err((400, "ResourceNotFoundException"));
    };
    let sent = model.members("UpdateUserPoolClientRequest");
    client.retain(|name, _| !sent.contains(name.as_str()));
    client.extend(body.as_object().cloned().unwrap_or_default());
    Ok(json!({}))
}

/// No member that the operation does not know, and no empty text.
fn check(model: &Model, shape: &str, body: &Value) -> Result<(), (u16, &'static str)> {
    let known = model.members(shape);
    let members = body.as_object().into_iter().flatten();
    for (name, value) in members {
        if !known.contains(name.as_str()) || (name != "UserPoolTags" && has_empty_text(value)) {
            return Err((400, "InvalidParameterException"));
        }
    }
    Ok(())
}

fn has_empty_text(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.values().any(has_empty_text),
        Value::Null => true,
        _ => false,
    }
}

fn tags(document: &Value, reserved: bool) -> Map<String, Value> {
    let tags = document.get("UserPoolTags").and_then(Value::as_object).into_iter().flatten();
    tags.filter(|(key, _)| key.starts_with("aws:") == reserved)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Sets or, with null, removes what a pointer names, making the way there.
pub fn put_at(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    let mut parts = pointer.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        if !place.is_object() {
            *place = json!({});
        }
        let Some(members) = place.as_object_mut() else { return };
        if parts.peek().is_none() {
            if value.is_null() {
                drop(members.remove(part))
            } else {
                drop(members.insert(part.to_owned(), value))
            }
            return;
        }
        place = members.entry(part).or_insert(Value::Null);
    }
}
