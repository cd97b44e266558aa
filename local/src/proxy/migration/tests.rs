use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;

use super::*;

const ANN: &str = "ann@old.example";
const PASSWORD: &str = "old-password-canary";

/// A pool, its triggers and nothing more.
struct Upstream {
    /// Name and attributes of those whom the pool has.
    users: BTreeMap<String, BTreeMap<String, String>>,
    /// The `response` of the trigger, or its error.
    trigger: Result<Value, &'static str>,
    has_trigger: bool,
    hides: bool,
    strict: bool,
    passwords: BTreeMap<String, String>,
    /// What was called, with what the test cares for.
    calls: Vec<String>,
}

impl Default for Upstream {
    fn default() -> Self {
        let trigger = Ok(admitted("CONFIRMED"));
        let (users, passwords, calls) = <(BTreeMap<_, _>, BTreeMap<_, _>, Vec<_>)>::default();
        Self { users, trigger, has_trigger: true, hides: true, strict: false, passwords, calls }
    }
}

fn admitted(status: &str) -> Value {
    json!({
        "userAttributes": { "email": ANN, "email_verified": "true", "custom:legacy_id": "7" },
        "finalUserStatus": status,
        "messageAction": "SUPPRESS",
        "desiredDeliveryMediums": ["EMAIL"],
        "forceAliasCreation": false,
    })
}

fn failed(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": kind, "message": message }))
}

impl Upstream {
    fn cognito(&mut self, action: &str, body: &Value) -> (u16, Value) {
        let name = text(body, "Username").unwrap_or_default().to_owned();
        let (seen, answer) = match action {
            "ListUserPools" => return (200, json!({ "UserPools": [{ "Id": "pool" }] })),
            "DescribeUserPool" => return (200, json!({ "UserPool": self.described() })),
            "DescribeUserPoolClient" => {
                let setting = if self.hides { "ENABLED" } else { "LEGACY" };
                return (200, json!({ "UserPoolClient": { "PreventUserExistenceErrors": setting } }));
            }
            "AdminGetUser" => return self.user(&name),
            "InitiateAuth" | "AdminInitiateAuth" => (String::new(), self.sign_in(body)),
            "ForgotPassword" if self.users.contains_key(&name) => (name, (200, json!({ "code": "mailed" }))),
            "ForgotPassword" if self.hides => (name, (200, json!({ "code": "simulated" }))),
            "ForgotPassword" => (name, failed("UserNotFoundException", "Username/client id combination not found.")),
            "AdminCreateUser" => {
                let attributes = crate::proxy::exchange::pairs(body, "UserAttributes").into_iter().collect();
                let seen = format!("{name} {}", text(body, "MessageAction").unwrap_or("welcomed"));
                self.users.insert(name.clone(), attributes);
                (seen, (200, json!({ "User": { "Username": name } })))
            }
            "AdminSetUserPassword" if self.strict => (name, failed("InvalidPasswordException", "too weak")),
            "AdminSetUserPassword" => {
                self.passwords.insert(name.clone(), text(body, "Password").unwrap_or_default().to_owned());
                (name, (200, json!({})))
            }
            "AdminUpdateUserAttributes" => {
                let written = crate::proxy::exchange::pairs(body, "UserAttributes");
                self.users.entry(name).or_default().extend(written.clone());
                (format!("{written:?}"), (200, json!({})))
            }
            "UpdateUserPool" => {
                let length = body.pointer("/Policies/PasswordPolicy/MinimumLength").cloned().unwrap_or_default();
                self.strict = length == json!(12);
                (format!("at least {length}"), (200, json!({})))
            }
            _ => (name, (200, json!({}))),
        };
        self.calls.push(format!("{action} {seen}").trim().to_owned());
        answer
    }

    fn described(&self) -> Value {
        let names = ["sub", "email", "email_verified", "custom:legacy_id"];
        let names: Vec<_> = names.iter().map(|name| json!({ "Name": name })).collect();
        let triggers = if self.has_trigger { json!({ "UserMigration": "migrate" }) } else { json!({}) };
        let policies = json!({ "PasswordPolicy": { "MinimumLength": 12 } });
        json!({ "Id": "pool", "SchemaAttributes": names, "LambdaConfig": triggers, "Policies": policies })
    }

    fn user(&self, name: &str) -> (u16, Value) {
        let by_address = self.users.values().find(|user| user.get("email").is_some_and(|email| email == name));
        let Some(attributes) = self.users.get(name).or(by_address) else {
            return failed("UserNotFoundException", "User does not exist.");
        };
        let pairs: Vec<_> = attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        (200, json!({ "Username": name, "UserAttributes": pairs, "UserStatus": "CONFIRMED" }))
    }

    fn sign_in(&self, body: &Value) -> (u16, Value) {
        let parameter = |name: &str| body.pointer(&format!("/AuthParameters/{name}")).and_then(Value::as_str);
        let kept = self.passwords.get(parameter("USERNAME").unwrap_or_default()).map(String::as_str);
        let known = self.users.contains_key(parameter("USERNAME").unwrap_or_default());
        match kept {
            Some(kept) if parameter("PASSWORD") == Some(kept) => (200, json!({ "AuthenticationResult": {} })),
            _ if known || self.hides => failed("NotAuthorizedException", "Incorrect username or password."),
            _ => failed("UserNotFoundException", "User does not exist."),
        }
    }
}

type Shared = Arc<Mutex<Upstream>>;

async fn serve(State(upstream): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut upstream = upstream.lock().unwrap();
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap());
    if let Some(action) = target.and_then(|target| target.strip_prefix("AWSCognitoIdentityProviderService.")) {
        let (status, answer) = upstream.cognito(action, &body);
        let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
        return response.body(Body::from(answer.to_string())).unwrap();
    }
    assert_eq!(uri.path(), "/2015-03-31/functions/migrate/invocations");
    upstream.calls.push(text(&body, "triggerSource").unwrap().to_owned());
    match &upstream.trigger {
        Ok(answer) => {
            let mut event = body.clone();
            // `null` is an event that comes back as it went.
            if !answer.is_null() {
                event["response"] = answer.clone();
            }
            Response::new(Body::from(event.to_string()))
        }
        Err(message) => {
            let response = Response::builder().header("x-amz-function-error", "Unhandled");
            response.body(Body::from(json!({ "errorMessage": message }).to_string())).unwrap()
        }
    }
}

/// Answers one call by the pass-through before `upstream`; also what the pool
/// was asked.
async fn through(upstream: Upstream, action: &str, body: &Value) -> (Value, Shared) {
    let (reply, shared) = tried(upstream, action, body).await;
    (reply.unwrap().json(), shared)
}

/// The same, where it may fail.
async fn tried(upstream: Upstream, action: &str, body: &Value) -> (Result<Reply>, Shared) {
    let shared: Shared = Arc::new(Mutex::new(upstream));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .endpoint_url(&url)
        .build();
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", format!("AWSCognitoIdentityProviderService.{action}").parse().unwrap());
    let call = Call { method: Method::POST, target: "/".to_owned(), headers, body: body.to_string().into() };
    (answer(&Gateway::new(&url, Path::new("/nowhere"), &config).unwrap(), &call).await, shared)
}

fn sign_in() -> Value {
    let parameters = json!({ "USERNAME": ANN, "PASSWORD": PASSWORD });
    json!({ "ClientId": "web", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters })
}

fn forgot() -> Value {
    json!({ "ClientId": "web", "Username": ANN })
}

#[tokio::test]
async fn who_knows_the_old_password_is_made_a_user_and_signed_in() {
    let (reply, upstream) = through(Upstream::default(), "InitiateAuth", &sign_in()).await;
    assert_eq!(reply, json!({ "AuthenticationResult": {} }));
    let upstream = upstream.lock().unwrap();
    let created = format!("AdminCreateUser {ANN} SUPPRESS");
    let kept = format!("AdminSetUserPassword {ANN}");
    let order = ["InitiateAuth", "UserMigration_Authentication", &created, &kept, "InitiateAuth"];
    assert_eq!(upstream.calls, order);
    let attributes = upstream.users.get(ANN).unwrap();
    assert_eq!(attributes.get("custom:legacy_id").unwrap(), "7");
    assert_eq!(attributes.get("email_verified").unwrap(), "true");
}

#[tokio::test]
async fn an_administrator_signs_a_user_in_likewise() {
    let mut body = sign_in();
    body["AuthFlow"] = json!("ADMIN_USER_PASSWORD_AUTH");
    body["UserPoolId"] = json!("pool");
    let (reply, upstream) = through(Upstream::default(), "AdminInitiateAuth", &body).await;
    assert_eq!(reply, json!({ "AuthenticationResult": {} }));
    assert!(upstream.lock().unwrap().users.contains_key(ANN));
}

#[tokio::test]
async fn who_is_not_moved_in_hears_what_an_unknown_user_hears() {
    let hidden = json!({ "__type": "NotAuthorizedException", "message": "Incorrect username or password." });
    let legacy = json!({ "__type": "UserNotFoundException", "message": "Exception migrating user in app client web" });
    let told = json!({
        "__type": "UserLambdaValidationException",
        "message": "UserMigration failed with error This is not possible.",
    });
    let unknown = json!({ "__type": "UserNotFoundException", "message": "Username/client id combination not found." });
    let simulated = json!({ "code": "simulated" });
    let no = Err("This is not possible");
    let with = |member: &str, value: Value| {
        let mut answer = admitted("CONFIRMED");
        answer[member] = value;
        Ok(answer)
    };
    let sub = json!({ "email": ANN, "sub": "mine" });
    let table = [
        ("InitiateAuth", no.clone(), true, &hidden),
        ("InitiateAuth", no.clone(), false, &legacy),
        ("InitiateAuth", Ok(Value::Null), true, &hidden),
        ("InitiateAuth", Ok(Value::Null), false, &legacy),
        ("InitiateAuth", with("userAttributes", json!({})), true, &hidden),
        ("InitiateAuth", with("userAttributes", sub), true, &hidden),
        ("InitiateAuth", with("userAttributes", json!({ "custom:unheard": "x" })), true, &hidden),
        ("InitiateAuth", with("finalUserStatus", json!("FORCE_CHANGE_PASSWORD")), true, &hidden),
        ("InitiateAuth", with("messageAction", json!("RESEND")), true, &hidden),
        ("InitiateAuth", with("desiredDeliveryMediums", json!(["PIGEON"])), true, &hidden),
        ("InitiateAuth", with("forceAliasCreation", json!("false")), true, &hidden),
        ("ForgotPassword", no.clone(), true, &simulated),
        ("ForgotPassword", no, false, &told),
        ("ForgotPassword", Ok(Value::Null), true, &simulated),
        ("ForgotPassword", Ok(Value::Null), false, &unknown),
    ];
    for (action, trigger, hides, expected) in table {
        let case = format!("{action} {trigger:?} {hides}");
        let body = if action == "ForgotPassword" { forgot() } else { sign_in() };
        let upstream = Upstream { trigger, hides, ..Upstream::default() };
        let (reply, upstream) = through(upstream, action, &body).await;
        assert_eq!(&reply, expected, "{case}");
        assert!(upstream.lock().unwrap().users.is_empty(), "{case}");
        assert!(!reply.to_string().contains(PASSWORD), "{case}");
    }
}

#[tokio::test]
async fn the_trigger_is_called_for_strangers_only() {
    let known =
        || BTreeMap::from([(ANN.to_owned(), BTreeMap::from([("email_verified".to_owned(), "true".to_owned())]))]);
    let srp = json!({ "ClientId": "web", "AuthFlow": "USER_SRP_AUTH", "AuthParameters": { "USERNAME": ANN } });
    let table = [
        ("a wrong password", "InitiateAuth", sign_in(), Upstream { users: known(), ..Upstream::default() }),
        ("a known user", "ForgotPassword", forgot(), Upstream { users: known(), ..Upstream::default() }),
        ("no trigger", "InitiateAuth", sign_in(), Upstream { has_trigger: false, ..Upstream::default() }),
        ("no trigger", "ForgotPassword", forgot(), Upstream { has_trigger: false, ..Upstream::default() }),
        ("no password", "InitiateAuth", srp, Upstream::default()),
    ];
    for (case, action, body, upstream) in table {
        let (_, upstream) = through(upstream, action, &body).await;
        let calls = &upstream.lock().unwrap().calls;
        assert!(!calls.iter().any(|call| call.starts_with("UserMigration")), "{case}: {calls:?}");
    }
}

#[tokio::test]
async fn no_address_is_taken_from_another_user() {
    let owner = BTreeMap::from([("email".to_owned(), "bob@old.example".to_owned())]);
    let users = BTreeMap::from([("bob".to_owned(), owner)]);
    let attributes = json!({ "email": "bob@old.example", "email_verified": "true" });
    for forced in [false, true] {
        let mut answer = admitted("CONFIRMED");
        answer["userAttributes"] = attributes.clone();
        answer["forceAliasCreation"] = json!(forced);
        let upstream = Upstream { users: users.clone(), trigger: Ok(answer), ..Upstream::default() };
        let (reply, upstream) = tried(upstream, "InitiateAuth", &sign_in()).await;
        match (forced, reply) {
            (false, Ok(reply)) => assert_eq!(text(&reply.json(), "__type"), Some("NotAuthorizedException")),
            (true, Err(error)) => assert!(error.to_string().contains("forceAliasCreation"), "{error}"),
            (_, reply) => panic!("{forced}: {}", reply.is_ok()),
        }
        assert_eq!(upstream.lock().unwrap().users, users, "{forced}");
    }
}

#[tokio::test]
async fn a_new_password_is_required_without_a_mail() {
    let status = Ok(admitted("RESET_REQUIRED"));
    let table = [
        ("InitiateAuth", sign_in(), Upstream { trigger: status, ..Upstream::default() }, true),
        ("ForgotPassword", forgot(), Upstream::default(), false),
    ];
    for (action, body, upstream, keeps) in table {
        let (_, upstream) = through(upstream, action, &body).await;
        let upstream = upstream.lock().unwrap();
        let reset = upstream.calls.iter().position(|call| call.starts_with("AdminResetUserPassword")).unwrap();
        let around = [upstream.calls.get(reset - 1).unwrap(), upstream.calls.get(reset + 1).unwrap()];
        let empty = r#"AdminUpdateUserAttributes [("email", "")]"#;
        let back = format!(r#"AdminUpdateUserAttributes [("email", "{ANN}")]"#);
        assert_eq!(around, [empty, &back], "{action}");
        assert_eq!(upstream.passwords.contains_key(ANN), keeps, "{action}");
        assert!(upstream.calls.last().unwrap().starts_with(action), "{action}");
    }
}

#[tokio::test]
async fn an_old_password_is_not_held_to_the_pools_policy() {
    let (reply, upstream) = through(Upstream { strict: true, ..Upstream::default() }, "InitiateAuth", &sign_in()).await;
    assert_eq!(reply, json!({ "AuthenticationResult": {} }));
    let upstream = upstream.lock().unwrap();
    let policies: Vec<_> = upstream.calls.iter().filter(|call| call.starts_with("UpdateUserPool")).collect();
    assert_eq!(policies, ["UpdateUserPool at least 1", "UpdateUserPool at least 12"]);
    assert!(upstream.strict, "the pool's policy is what it was");
}

#[tokio::test]
async fn no_code_goes_to_an_address_that_is_not_verified() {
    let user = |flag: &str| {
        let attributes = [("email".to_owned(), ANN.to_owned()), ("email_verified".to_owned(), flag.to_owned())];
        BTreeMap::from([(ANN.to_owned(), BTreeMap::from(attributes))])
    };
    let details = json!({ "Destination": "a****@o****", "DeliveryMedium": "EMAIL", "AttributeName": "email" });
    let simulated = json!({ "CodeDeliveryDetails": details });
    let text = "Cannot reset password for the user as there is no registered/verified email or phone_number";
    let refused = json!({ "__type": "InvalidParameterException", "message": text });
    let table = [
        ("true", true, json!({ "code": "mailed" }), 1),
        ("true", false, json!({ "code": "mailed" }), 1),
        ("false", true, simulated, 0),
        ("false", false, refused, 0),
    ];
    for (flag, hides, expected, forwarded) in table {
        let upstream = Upstream { users: user(flag), hides, ..Upstream::default() };
        let (reply, upstream) = through(upstream, "ForgotPassword", &forgot()).await;
        assert_eq!(reply, expected, "{flag} {hides}");
        assert_eq!(upstream.lock().unwrap().calls.len(), forwarded, "{flag} {hides}");
    }
}

#[test]
fn the_event_is_cognitos() {
    let metadata = json!({ "from": "the old page" });
    let attempt = |password| Attempt { password, name: ANN, client: "web", metadata: Some(&metadata) };
    let event = attempt(Some("secret")).event("pool");
    assert_eq!(event.pointer("/triggerSource").unwrap(), "UserMigration_Authentication");
    assert_eq!(event.pointer("/request").unwrap(), &json!({ "password": "secret", "validationData": metadata }));
    assert_eq!(event.pointer("/userName").unwrap(), ANN);
    assert!(event.pointer("/response/userAttributes").unwrap().is_null());
    let event = attempt(None).event("pool");
    assert_eq!(event.pointer("/triggerSource").unwrap(), "UserMigration_ForgotPassword");
    assert_eq!(event.pointer("/request").unwrap(), &json!({ "clientMetadata": metadata }));
}

#[test]
fn only_an_answer_to_an_unknown_name_leads_any_further() {
    let wrong = "Incorrect username or password.";
    let table = [
        (true, 400, json!({ "__type": "NotAuthorizedException", "message": wrong }), true),
        (true, 400, json!({ "__type": "UserNotFoundException", "message": "x" }), true),
        (true, 400, json!({ "__type": "NotAuthorizedException", "message": "Unable to verify secret hash" }), false),
        (true, 400, json!({ "__type": "NotAuthorizedException", "message": "SECRET_HASH was not received" }), false),
        (true, 400, json!({ "__type": "InvalidParameterException", "message": "flow not enabled" }), false),
        (true, 400, json!({ "__type": "PasswordResetRequiredException", "message": "x" }), false),
        (true, 200, json!({ "AuthenticationResult": {} }), false),
        (true, 500, json!({}), false),
        (false, 200, json!({ "CodeDeliveryDetails": {} }), true),
        (false, 400, json!({ "__type": "UserNotFoundException", "message": "x" }), true),
        (false, 400, json!({ "__type": "NotAuthorizedException", "message": "x" }), true),
        (false, 400, json!({ "__type": "NotAuthorizedException", "message": "Unable to verify secret hash" }), false),
        (false, 400, json!({ "__type": "LimitExceededException", "message": "x" }), false),
        (false, 500, json!({}), false),
    ];
    for (signs_in, status, body, expected) in table {
        let attempt = Attempt { password: signs_in.then_some("secret"), name: ANN, client: "web", metadata: None };
        let mut reply = Reply::success(&body);
        reply.status = StatusCode::from_u16(status).unwrap();
        assert_eq!(attempt.may_be_unknown(&reply), expected, "{signs_in} {status} {body}");
    }
}
