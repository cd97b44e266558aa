//! A second opinion: another imitation of user pools, cognito-local, calls the
//! real user-migration and post-confirmation by itself, and the pass-through of
//! `cargo local` is held against it.
//!
//! What cognito-local does otherwise than Cognito: it does not call
//! `UserMigration_ForgotPassword`, gives a migrated user no `sub`, passes over a
//! post-confirmation that fails, and writes `version: "0"`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "in a test, a failure to set the scene is a failure")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use local::places::Places;
use local::say::Say;
use local::supervise::Launcher;
use local::tools;
use serde_json::{Value, json};
use tests::http::{Request, Response, Server};
use tests::{DIRECTORY_TABLE, Function, Reply, Services, workspace_root};

const ANN: &str = "ann@initech.example";
const BEA: &str = "bea@initech.example";
const OLD_PASSWORD: &str = "ann-of-old";
/// bcrypt of the above, `$2b$`, cost 8.
const HASH: &str = "$2b$08$FcDpnEhRWsIOXCYYw6wwVuoSrD6a5d2qzwwUIyhFtLzOd.L9Znwg.";

/// To the standard error of the process itself: libtest would hold a print back.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "second opinion: {text}"));
}

/// The start of cognito-local, installed; `None` where there is no Node.
fn cognito_local() -> Option<&'static Path> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let runs = |program: &&str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if let Some(missing) = ["node", "npm"].into_iter().find(|program| !runs(program)) {
        say(&format!("SKIPPED: there is no {missing} on the PATH, so cognito-local cannot run."));
        say("Not shown: that user-migration and post-confirmation answer another imitation of Cognito.");
        say("To show it, install Node.js 20 or newer (https://nodejs.org; on Debian: apt install nodejs npm).");
        return None;
    }
    let binary = tests::binary("local").unwrap();
    let made = binary.ancestors().nth(2).unwrap().join("local");
    let places = Places { root: workspace_root().to_owned(), binary, made };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let launcher = Launcher::new(&places.binary);
    let to_stdout = Say::to_stdout();
    let ready = tools::ready(&places, &launcher, &to_stdout, &[tools::COGNITO_LOCAL]);
    let installed = runtime.block_on(ready).unwrap();
    Some(installed.first().unwrap().folder().join("node_modules/cognito-local/lib/bin/start.js"))
}

/// A running cognito-local. Ended when dropped.
struct Emulator {
    child: Child,
    address: String,
    told: Arc<Mutex<String>>,
    folder: PathBuf,
}

impl Emulator {
    /// Starts one; with `lambda`, its triggers are called there.
    fn start(program: &Path, lambda: Option<&Lambda>) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let made = program.ancestors().nth(7).unwrap();
        let folder = made.join(format!("second-opinion/{}-{number}", std::process::id()));
        std::fs::create_dir_all(folder.join(".cognito")).unwrap();
        let triggers = json!({ "UserMigration": "user-migration", "PostConfirmation": "post-confirmation" });
        let config = lambda.map_or(json!({}), |lambda| {
            let key = json!({ "accessKeyId": "test", "secretAccessKey": "test" });
            let client = json!({ "endpoint": lambda.server.url(), "credentials": key, "region": "us-east-1" });
            json!({ "LambdaClient": client, "TriggerFunctions": triggers })
        });
        std::fs::write(folder.join(".cognito/config.json"), config.to_string()).unwrap();
        let mut command = Command::new("node");
        command.arg(program).current_dir(&folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOST", "127.0.0.1").env("PORT", "0").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let told = Arc::<Mutex<String>>::default();
        let (telling, output) = (Arc::clone(&told), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                telling.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let mut emulator = Self { child, address: String::new(), told, folder };
        emulator.address = emulator.wait_for("running on http://", |rest| {
            let end = rest.find(|sign: char| !sign.is_ascii_digit() && !".:".contains(sign))?;
            rest.get(..end).map(str::to_owned)
        });
        emulator
    }

    /// What follows `mark` in the newest output that has it, as `read` takes it.
    fn wait_for(&self, mark: &str, read: impl Fn(&str) -> Option<String>) -> String {
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            let told = self.told.lock().unwrap().clone();
            if let Some(found) = told.rsplit_once(mark).and_then(|(_, rest)| read(rest)) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("cognito-local did not say {mark:?}:\n{}", self.told.lock().unwrap());
    }

    /// The code in the newest message to an address; it prints messages.
    fn code(&self, email: &str) -> String {
        self.wait_for(&format!("Destination: {email}"), |rest| {
            let (_, code) = rest.split_once("Code:")?;
            let code: String = code.trim_start().chars().take_while(char::is_ascii_digit).collect();
            (code.len() >= 4).then_some(code)
        })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// One call of a trigger: the event's source and version, and the reason code
/// that the function logged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Called {
    source: String,
    version: String,
    code: String,
}

/// Lambda's Invoke before the real functions; all else goes on to a pool, so
/// that one address serves both.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
struct Lambda {
    server: Server,
    calls: Arc<Mutex<Vec<Called>>>,
    pool: Arc<Mutex<String>>,
    services: Services,
}

const LEGACY_USERS: &str = "legacy-users";
const ATTEMPTS: &str = "attempts";

impl Lambda {
    fn start() -> Self {
        let services = Services::start().unwrap();
        let mut settings = services.settings();
        let rules = workspace_root().join("rules/rules.toml");
        settings.push(("RULES_FILE".to_owned(), rules.to_str().unwrap().to_owned()));
        let mut migration = settings.clone();
        migration.push(("LEGACY_USERS_TABLE".to_owned(), LEGACY_USERS.to_owned()));
        migration.push(("ATTEMPTS_TABLE".to_owned(), ATTEMPTS.to_owned()));
        let database = settings.iter().find(|(key, _)| key == "AWS_ENDPOINT_URL_DYNAMODB").unwrap().1.clone();
        old_users(database.strip_prefix("http://").unwrap());
        let functions = Mutex::new(BTreeMap::from([
            ("user-migration", Function::start("user-migration", migration).unwrap()),
            ("post-confirmation", Function::start("post-confirmation", settings).unwrap()),
        ]));
        let calls = Arc::<Mutex<Vec<Called>>>::default();
        let pool = Arc::<Mutex<String>>::default();
        let (noting, behind) = (Arc::clone(&calls), Arc::clone(&pool));
        let server = Server::start(move |request| {
            let path = request.path.strip_prefix("/2015-03-31/functions/");
            let Some(name) = path.and_then(|path| path.strip_suffix("/invocations")) else {
                let (status, body) = exchange(&behind.lock().unwrap().clone(), &request);
                return Response::new(status, "application/x-amz-json-1.1", body);
            };
            let mut functions = functions.lock().unwrap();
            let (called, response) = invoke(functions.get_mut(name).unwrap(), &request.body);
            noting.lock().unwrap().push(called);
            response
        });
        Self { server: server.unwrap(), calls, pool, services }
    }

    fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    /// Source and reason code of each call.
    fn order(&self) -> Vec<String> {
        self.calls().into_iter().map(|called| format!("{} {}", called.source, called.code)).collect()
    }
}

fn invoke(function: &mut Function, event: &[u8]) -> (Called, Response) {
    let outcome = function.invoke(event);
    let text = |event: &Value, member: &str| event.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let event: Value = serde_json::from_slice(event).unwrap();
    let called = Called {
        source: text(&event, "triggerSource"),
        version: text(&event, "version"),
        code: function.code_of(&outcome).unwrap_or_default(),
    };
    say(&format!("  {} called {}: {}", called.source, function.name(), called.code));
    let response = match outcome.reply {
        Reply::Answer(body) => Response::new(200, "application/json", body),
        Reply::Error { error_type, message } => {
            let body = json!({ "errorType": error_type, "errorMessage": message }).to_string();
            Response::new(200, "application/json", body).header("x-amz-function-error", "Unhandled")
        }
        other => panic!("{}: {other:?}", function.name()),
    };
    (called, response)
}

/// The tables of the old system and of attempts, and Ann in the old one.
fn old_users(database: &str) {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let table = |name: &str, keys: Value, columns: Value| {
        let body = json!({
            "TableName": name, "KeySchema": keys, "AttributeDefinitions": columns, "BillingMode": "PAY_PER_REQUEST",
        });
        post(database, "DynamoDB_20120810.CreateTable", &body);
    };
    table(LEGACY_USERS, json!([key("name", "HASH"), key("id", "RANGE")]), json!([text("name"), text("id")]));
    table(ATTEMPTS, json!([key("pk", "HASH")]), json!([text("pk")]));
    let record = json!({
        "id": "17",
        "attributes": { "email": ANN, "name": "Ann" },
        "email_verified": true,
        "hash": HASH,
        "groups": ["initech:member"],
    });
    let item = json!({ "name": { "S": ANN }, "id": { "S": "17" }, "record": { "S": record.to_string() } });
    let (status, _) = post(database, "DynamoDB_20120810.PutItem", &json!({ "TableName": LEGACY_USERS, "Item": item }));
    assert_eq!(status, 200);
}

/// One request on a connection of its own.
fn exchange(address: &str, request: &Request) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let target = request.header("x-amz-target").unwrap_or_default();
    let version = if target.starts_with("DynamoDB") { "1.0" } else { "1.1" };
    // DynamoDB looks whether a request is signed; here it is not asked by whom.
    let signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=x";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: {target}\r\nconnection: close\r\n\
         content-type: application/x-amz-json-{version}\r\nauthorization: {signed}\r\n\
         x-amz-date: 20260101T000000Z\r\ncontent-length: {}\r\n\r\n",
        request.body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = answer.split_at(end);
    let head = std::str::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding: chunked"), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.get(4..).unwrap().to_vec())
}

/// An AWS call in JSON.
fn post(address: &str, target: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("x-amz-target".to_owned(), target.to_owned())];
    let body = body.to_string().into_bytes();
    let request = Request { method: "POST".to_owned(), path: "/".to_owned(), headers, body };
    let (status, answer) = exchange(address, &request);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn cognito(address: &str, action: &str, body: &Value) -> (u16, Value) {
    post(address, &format!("AWSCognitoIdentityProviderService.{action}"), body)
}

/// Makes a pool with both triggers at `address`; answers its id and a client.
fn make_pool(address: &str) -> (String, String) {
    let text = |value: &Value, pointer: &str| value.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let (_, pool) = cognito(
        address,
        "CreateUserPool",
        &json!({
            "PoolName": "new",
            "UsernameAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            "Schema": [{ "Name": "legacy_id", "AttributeDataType": "String", "Mutable": true }],
            "LambdaConfig": { "UserMigration": "user-migration", "PostConfirmation": "post-confirmation" },
        }),
    );
    let pool = text(&pool, "/UserPool/Id");
    let flows = json!(["ALLOW_USER_PASSWORD_AUTH"]);
    let body = json!({ "UserPoolId": pool, "ClientName": "web", "ExplicitAuthFlows": flows });
    let (_, client) = cognito(address, "CreateUserPoolClient", &body);
    (pool, text(&client, "/UserPoolClient/ClientId"))
}

/// Ann moves in, forgets her password and chooses another; Bea is new. Everything
/// is asked of `address`, and codes are read from the emulator's messages.
fn play(address: &str, (pool, client): (&str, &str), emulator: &Emulator) {
    let ask = |text: &str, action: &str, body: Value, expected: u16| {
        say(&format!("{text} ({action})"));
        let (status, answer) = cognito(address, action, &body);
        assert_eq!(status, expected, "{text}: {answer}");
        answer
    };
    let sign_in = |text: &str, name: &str, password: &str, expected: u16| {
        let parameters = json!({ "USERNAME": name, "PASSWORD": password });
        let body = json!({ "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters });
        let answer = ask(text, "InitiateAuth", body, expected);
        assert_eq!(answer.get("AuthenticationResult").is_some(), expected == 200, "{text}: {answer}");
    };
    sign_in("Ann's name and a guess", ANN, "guess", 400);
    sign_in("Ann's old password", ANN, OLD_PASSWORD, 200);
    sign_in("Ann's old password again", ANN, OLD_PASSWORD, 200);
    sign_in("a guess once she has moved in", ANN, "guess", 400);
    sign_in("a name that nobody has", "nobody@initech.example", OLD_PASSWORD, 400);
    ask("Ann forgets it", "ForgotPassword", json!({ "ClientId": client, "Username": ANN }), 200);
    let code = emulator.code(ANN);
    let chosen = json!({
        "ClientId": client, "Username": ANN, "ConfirmationCode": code, "Password": "Ann-chose-1-more!",
    });
    ask("Ann chooses another", "ConfirmForgotPassword", chosen, 200);
    sign_in("Ann's new password", ANN, "Ann-chose-1-more!", 200);
    let attributes = json!([{ "Name": "email", "Value": BEA }]);
    let bea =
        json!({ "ClientId": client, "Username": BEA, "Password": "Bea-comes-2-us!", "UserAttributes": attributes });
    ask("Bea signs up", "SignUp", bea, 200);
    // Not by the code: cognito-local does not let the pass-through mark her address
    // as verified.
    ask("the operator confirms Bea", "AdminConfirmSignUp", json!({ "UserPoolId": pool, "Username": BEA }), 200);
}

/// Which triggers that calls, in this order, and what the functions made of it.
const ORDER: [&str; 5] = [
    "UserMigration_Authentication PasswordWrong",
    "UserMigration_Authentication MovedIn",
    "UserMigration_Authentication UnknownUser",
    "PostConfirmation_ConfirmForgotPassword NothingToProvision",
    "PostConfirmation_ConfirmSignUp Provisioned",
];

#[test]
fn cognito_local_moves_users_in_and_confirms_them_by_the_real_functions() {
    let Some(program) = cognito_local() else { return };
    let lambda = Lambda::start();
    let emulator = Emulator::start(program, Some(&lambda));
    say(&format!("cognito-local at {} calls the functions at {}", emulator.address, lambda.server.url()));
    let (pool, client) = make_pool(&emulator.address);
    play(&emulator.address, (&pool, &client), &emulator);

    assert_eq!(lambda.order(), ORDER);
    assert!(lambda.calls().iter().all(|called| called.version == "0"), "{:?}", lambda.calls());
    let (_, users) = cognito(&emulator.address, "ListUsers", &json!({ "UserPoolId": pool }));
    let users = users.get("Users").unwrap().as_array().unwrap();
    assert_eq!(users.len(), 2, "{users:?}");
    let has = |name: &str, value: &str| {
        let pair = json!({ "Name": name, "Value": value });
        users.iter().any(|user| user.get("Attributes").unwrap().as_array().unwrap().contains(&pair))
    };
    for (name, value) in [("email", ANN), ("email_verified", "true"), ("name", "Ann"), ("custom:legacy_id", "17")] {
        assert!(has(name, value), "{name} is not {value}: {users:?}");
    }
    let keys: Vec<String> = lambda
        .services
        .items(DIRECTORY_TABLE)
        .unwrap()
        .iter()
        .map(|item| item.pointer("/pk/S").unwrap().as_str().unwrap().to_owned())
        .collect();
    assert!(keys.iter().any(|key| key == "LEGACY#17"), "Ann's rights wait for her first token: {keys:?}");
    assert!(keys.iter().any(|key| key.starts_with("USER#")), "Bea has a profile: {keys:?}");
}

#[test]
fn the_pass_through_calls_the_same_triggers_in_the_same_order() {
    let Some(program) = cognito_local() else { return };
    // This pool calls nothing by itself; the pass-through in front of it does.
    let lambda = Lambda::start();
    let emulator = Emulator::start(program, None);
    lambda.pool.lock().unwrap().clone_from(&emulator.address);
    let address = pass_through(&lambda.server.url());
    say(&format!("the pass-through at {address} stands before cognito-local at {}", emulator.address));
    let (pool, client) = make_pool(&emulator.address);
    play(&address, (&pool, &client), &emulator);

    assert_eq!(lambda.order(), ORDER);
    assert!(lambda.calls().iter().all(|called| called.version == "1"), "{:?}", lambda.calls());
}

/// Starts the pass-through before `upstream`, for as long as the process lives.
fn pass_through(upstream: &str) -> String {
    let config = local::owner(upstream);
    let gateway = local::proxy::Gateway::new(upstream, Path::new("/nowhere"), &config).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { gateway.serve(tokio::net::TcpListener::from_std(listener).unwrap()).await })
    });
    address
}
