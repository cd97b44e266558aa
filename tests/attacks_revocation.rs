//! Tokens that are genuine and do not count any more (row C37 of `attacks.md`), put
//! to the built functions in front of a real table.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a helper of a test may stop at what is not there, as a test may"
)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::Passage::{self, Allowed, Failed, Forbidden, Unauthorized};
use tests::gateway::{arn, http_v1, http_v2, passage, rest_request, rest_token};
use tests::http::{Request, Response, Server, forward};
use tests::{
    Audit, Claims, DIRECTORY_TABLE, Function, REVOCATION_TABLE, Reply, Services, TokenIssuer, cases, now,
    workspace_root,
};

/// A user's token that is one minute old.
const MINUTE: u64 = 60;

/// What the table does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Serves,
    /// Says that there is too much to do.
    Throttles,
    /// Answers for none of the keys, and says so.
    LeavesOut,
    /// Answers when nobody waits any more.
    Sleeps,
    /// Says something else.
    Babbles,
    /// Says no.
    Denies,
}

/// A database that keeps what it was asked.
struct Table {
    server: Server,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Table {
    fn before(services: &Services) -> Result<Self> {
        let database = services.database_url().trim_start_matches("http://").to_owned();
        let (mood, asked) = (Arc::new(Mutex::new(Mood::Serves)), Arc::<Mutex<Vec<Request>>>::default());
        let (now, keeping) = (Arc::clone(&mood), Arc::clone(&asked));
        let server = Server::start(move |request| {
            keeping.lock().expect("nobody panics with it").push(request.clone());
            let mood = *now.lock().expect("nobody panics with it");
            let say = |status, body: Value| Response::new(status, "application/x-amz-json-1.0", body.to_string());
            match mood {
                Mood::Serves => forward(&database, &request).unwrap_or_else(|_| say(500, json!({}))),
                Mood::Throttles => say(400, json!({"__type": "x#ProvisionedThroughputExceededException"})),
                Mood::Denies => say(400, json!({"__type": "x#AccessDeniedException"})),
                Mood::Babbles => say(200, json!({"Item": {}})),
                Mood::LeavesOut => {
                    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    say(200, json!({"Responses": {REVOCATION_TABLE: []}, "UnprocessedKeys": body["RequestItems"]}))
                }
                Mood::Sleeps => {
                    std::thread::sleep(Duration::from_secs(3));
                    say(200, json!({"Responses": {REVOCATION_TABLE: []}}))
                }
            }
        })?;
        Ok(Self { server, mood, asked })
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().expect("nobody panics with it") = mood;
    }

    /// What it was asked since the last time.
    fn asked(&self) -> Vec<Request> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panics with it"))
    }
}

/// The rules of the attacks with revocation so.
fn rules(revocation: &str) -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let text = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
    let name = format!("poolhouse-revocation-{}-{}.toml", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, format!("{text}\n[revocation]\n{revocation}\n"))?;
    Ok(path)
}

/// An authorizer, the pool that it trusts, and the table that it asks.
struct Gate {
    issuer: TokenIssuer,
    services: Services,
    table: Table,
    function: Function,
    rules: PathBuf,
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.rules));
    }
}

impl Gate {
    fn open(revocation: &str) -> Result<Self> {
        Self::with(revocation, true)
    }

    fn with(revocation: &str, is_on: bool) -> Result<Self> {
        let (issuer, services) = (TokenIssuer::start()?, Services::start()?);
        let table = Table::before(&services)?;
        let rules = rules(revocation)?;
        let mut settings = issuer.settings();
        settings.extend(services.settings_through(&table.server.url()));
        settings.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // Everything that could be told is told, and still holds no secret.
        settings.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        if is_on {
            settings.push(("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned()));
        }
        let function = Function::start("authorizer", settings)?;
        Ok(Self { issuer, services, table, function, rules })
    }

    /// An access token of a member of acme, signed in and issued so long ago.
    fn claims(&self, user: &str, session: &str, signed_in: u64, issued: u64) -> Claims {
        let access = self.issuer.access().with("sub", user).with("username", user).with("origin_jti", session);
        let times = access.with("auth_time", now() - signed_in).with("iat", now() - issued);
        times.with("tenant", "acme").with("roles", json!(["member"]))
    }

    /// Writes a mark: its key, and what stands beside it.
    fn mark(&self, key: &str, members: Value) -> Result<()> {
        let mut item = json!({"pk": {"S": key}, "expires_at": {"N": (now() + 1_000).to_string()}});
        for (name, value) in members.as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        self.services.put(REVOCATION_TABLE, &item)
    }

    /// What the caller of `GET /items` hears, the code in the log, and how long it took.
    fn heard(&mut self, token: &str, event: &Value) -> Result<(Passage, String, Duration)> {
        let outcome = self.function.invoke_json(event);
        let mut audit = Audit::default();
        audit.keep_token(token);
        audit.outcome(&self.function, &outcome)?;
        audit.printed(&self.function)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        Ok((passage(&outcome, &arn("GET", "/items")), code, outcome.elapsed))
    }

    fn asks(&mut self, token: &str) -> Result<(Passage, String)> {
        let (passage, code, _) = self.heard(token, &http_v2(token, "GET", "/items"))?;
        Ok((passage, code))
    }
}

fn is(passage: Passage, code: &str) -> (Passage, String) {
    (passage, code.to_owned())
}

fn number(number: u64) -> Value {
    json!({"N": number.to_string()})
}

#[test]
fn a_mark_refuses_what_it_is_about_and_nothing_else() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    let at = now();
    let ended = json!({"authenticated_before": number(at)});
    let changed = json!({"issued_before": number(at)});
    // The mark's key ({u} is the user, {s} the session) and what it says; how long ago the user signed in and the
    // token was made (the clock that they are compared with is ours); what comes of it.
    let table: Vec<(&str, &str, Value, u64, u64, Passage, &str)> = vec![
        ("C37 no mark at all", "nobody", json!({}), MINUTE, MINUTE, Allowed, "Allowed"),
        ("C37 the session", "SESSION#{s}", json!({}), MINUTE, MINUTE, Forbidden, "SessionEnded"),
        ("C37 the session, refreshed since", "SESSION#{s}", json!({}), MINUTE, 0, Forbidden, "SessionEnded"),
        ("C37 another session of the same user", "SESSION#{s}-2", json!({}), MINUTE, MINUTE, Allowed, "Allowed"),
        (
            "C37 past its end, and not deleted yet",
            "SESSION#{s}",
            json!({"expires_at": number(at - 1)}),
            MINUTE,
            MINUTE,
            Allowed,
            "Allowed",
        ),
        (
            "C37 without an end",
            "SESSION#{s}",
            json!({"expires_at": {"S": "x"}}),
            MINUTE,
            MINUTE,
            Forbidden,
            "SessionEnded",
        ),
        ("all sessions of the user", "USER#{u}", ended.clone(), MINUTE, MINUTE, Forbidden, "SessionsEnded"),
        ("all sessions, refreshed since", "USER#{u}", ended.clone(), MINUTE, 0, Forbidden, "SessionsEnded"),
        (
            "all sessions, signed in afterwards",
            "USER#{u}",
            json!({"authenticated_before": number(at - 2 * MINUTE)}),
            MINUTE,
            MINUTE,
            Allowed,
            "Allowed",
        ),
        ("all sessions of somebody else", "USER#{u}-2", ended.clone(), MINUTE, MINUTE, Allowed, "Allowed"),
        ("sessions in the own tenant", "acme#{u}", ended.clone(), MINUTE, 0, Forbidden, "SessionsEnded"),
        ("sessions in another tenant", "acme-2#{u}", ended, MINUTE, MINUTE, Allowed, "Allowed"),
        ("rights in the own tenant", "acme#{u}", changed.clone(), MINUTE, MINUTE, Forbidden, "RightsChanged"),
        (
            "rights, refreshed afterwards",
            "acme#{u}",
            json!({"issued_before": number(at - 2 * MINUTE)}),
            3 * MINUTE,
            MINUTE,
            Allowed,
            "Allowed",
        ),
        ("rights in another tenant", "acme-2#{u}", changed, MINUTE, MINUTE, Allowed, "Allowed"),
        (
            "a time that is none",
            "USER#{u}",
            json!({"issued_before": {"N": "1.5"}}),
            MINUTE,
            MINUTE,
            Forbidden,
            "SessionEnded",
        ),
        (
            "a mark that says nothing",
            "USER#{u}",
            json!({"note": {"S": "x"}}),
            MINUTE,
            MINUTE,
            Forbidden,
            "SessionEnded",
        ),
    ];
    let mut failures = Vec::new();
    for (row, (name, key, says, signed_in, issued, passage, code)) in table.into_iter().enumerate() {
        let (user, session) = (format!("u-{row}"), format!("s-{row}"));
        gate.mark(&key.replace("{u}", &user).replace("{s}", &session), says)?;
        let token = gate.issuer.mint(&gate.claims(&user, &session, signed_in, issued))?;
        let heard = gate.asks(&token)?;
        if heard != is(passage, code) {
            failures.push(format!("{name}: {heard:?} instead of {passage:?}, {code}"));
        }
        ensure!(gate.table.asked().len() == 1, "{name}: more than one question");
    }
    ensure!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

#[test]
fn a_token_that_names_no_session_opens_nothing_where_sessions_can_be_ended() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    let whole = gate.claims("u-1", "s-1", MINUTE, MINUTE);
    let unnamed = [
        ("C37 no origin_jti", whole.clone().without("origin_jti")),
        ("C37 an empty one", whole.clone().with("origin_jti", "")),
        ("C37 one that is a key of another kind", whole.clone().with("origin_jti", "s#1")),
        ("C37 no auth_time", whole.clone().without("auth_time")),
    ];
    for (name, claims) in unnamed {
        let token = gate.issuer.mint(&claims)?;
        ensure!(gate.asks(&token)? == is(Forbidden, "SessionMissing"), "{name}");
        ensure!(gate.table.asked().is_empty(), "{name}: the table was asked");
    }
    let token = gate.issuer.mint(&whole)?;
    ensure!(gate.asks(&token)? == is(Allowed, "Allowed"));
    Ok(())
}

#[test]
fn every_front_hears_of_an_ended_session_as_of_a_bad_token() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    let token = gate.issuer.mint(&gate.claims("u-1", "s-1", MINUTE, MINUTE))?;
    let fronts: [(&str, Value, Passage); 4] = [
        ("REST, TOKEN", rest_token(&token, "GET", "/items"), Unauthorized),
        ("REST, REQUEST", rest_request(&token, "GET", "/items"), Unauthorized),
        ("HTTP API 1.0", http_v1(&token, "GET", "/items"), Forbidden),
        ("HTTP API 2.0", http_v2(&token, "GET", "/items"), Forbidden),
    ];
    for (name, event, _) in &fronts {
        ensure!(gate.heard(&token, event)?.0 == Allowed, "{name}");
    }
    gate.mark("SESSION#s-1", json!({}))?;
    for (name, event, expected) in &fronts {
        let (passage, code, _) = gate.heard(&token, event)?;
        ensure!((passage, code.as_str()) == (*expected, "SessionEnded"), "C37 {name}: {passage:?} {code}");
    }
    Ok(())
}

#[test]
fn it_costs_one_question_or_none() -> Result<()> {
    // Off: the table is not even known.
    let mut gate = Gate::with("mode = \"off\"", false)?;
    let token = gate.issuer.mint(&gate.claims("u-1", "s-1", MINUTE, MINUTE).without("origin_jti"))?;
    for _ in 0..3 {
        ensure!(gate.asks(&token)? == is(Allowed, "Allowed"));
    }
    ensure!(gate.table.asked().is_empty(), "off, and the table was asked");

    // On: one each time, over one connection, signed, consistent, for these keys and no others.
    let mut gate = Gate::open("mode = \"on\"")?;
    let token = gate.issuer.mint(&gate.claims("u-1", "s-1", MINUTE, MINUTE))?;
    for _ in 0..3 {
        ensure!(gate.asks(&token)? == is(Allowed, "Allowed"));
    }
    let asked = gate.table.asked();
    ensure!(asked.len() == 3, "{} questions for three calls", asked.len());
    for request in asked {
        ensure!(request.header("x-amz-target") == Some("DynamoDB_20120810.BatchGetItem"));
        let signature = request.header("authorization").unwrap_or_default();
        ensure!(
            signature.contains("Credential=AKIDEXAMPLE/") && signature.contains("/us-east-1/dynamodb/aws4_request")
        );
        ensure!(request.header("x-amz-security-token").is_some(), "the session's own token is missing");
        let key = |key: &str| json!({"pk": {"S": key}});
        let expected = json!({"RequestItems": {REVOCATION_TABLE: {
            "Keys": [key("SESSION#s-1"), key("USER#u-1"), key("acme#u-1")], "ConsistentRead": true}}});
        ensure!(serde_json::from_slice::<Value>(&request.body)? == expected);
    }

    // Kept: none within its time, and then one. A refusal is kept longer, for its own token.
    let mut gate = Gate::open("mode = \"on\"\ncache_seconds = 2")?;
    let token = gate.issuer.mint(&gate.claims("u-1", "s-1", MINUTE, MINUTE))?;
    let begun = Instant::now();
    ensure!(gate.asks(&token)? == is(Allowed, "Allowed"));
    gate.mark("SESSION#s-1", json!({}))?;
    let still = gate.asks(&token)?;
    if begun.elapsed() < Duration::from_secs(1) {
        ensure!(still == is(Allowed, "Allowed"), "within the time that the rules allow: {still:?}");
        ensure!(gate.table.asked().len() == 1);
    }
    std::thread::sleep(Duration::from_millis(2_100));
    gate.table.asked();
    for _ in 0..5 {
        ensure!(gate.asks(&token)? == is(Forbidden, "SessionEnded"), "after the time that the rules allow");
    }
    ensure!(gate.table.asked().len() == 1, "a refusal is not asked for again");
    let other = gate.issuer.mint(&gate.claims("u-1", "s-2", MINUTE, MINUTE))?;
    ensure!(gate.asks(&other)? == is(Allowed, "Allowed"), "another session of the same user");
    Ok(())
}

#[test]
fn a_table_that_gives_no_answer_is_decided_by_the_rules_and_in_time() -> Result<()> {
    let moods = [Mood::Throttles, Mood::LeavesOut, Mood::Babbles, Mood::Denies, Mood::Sleeps];
    for (rule, expected) in [("refuse", is(Failed, "RevocationUnknown")), ("allow", is(Allowed, "Allowed"))] {
        let mut gate = Gate::open(&format!("mode = \"on\"\nunavailable = \"{rule}\"\ncache_seconds = 5"))?;
        for (row, mood) in moods.into_iter().enumerate() {
            let token = gate.issuer.mint(&gate.claims("u-1", &format!("s-{row}"), MINUTE, MINUTE))?;
            gate.table.is(mood);
            for event in [http_v2(&token, "GET", "/items"), rest_request(&token, "GET", "/items")] {
                let (passage, code, elapsed) = gate.heard(&token, &event)?;
                ensure!((passage, code) == expected, "C37 {rule}, {mood:?}: {passage:?}");
                // Two tries of 300 ms at most; the rest is a busy machine.
                ensure!(elapsed < Duration::from_millis(1_600), "{rule}, {mood:?}: {elapsed:?}");
            }
            // Who says nothing is asked again, who says something is not.
            let expected = if mood == Mood::Sleeps { 4 } else { 2 };
            ensure!(gate.table.asked().len() == expected, "{rule}, {mood:?}: not asked {expected} times");
            // What nobody could tell is not kept.
            gate.table.is(Mood::Serves);
            ensure!(gate.asks(&token)? == is(Allowed, "Allowed"), "{rule}, after {mood:?}");
            gate.table.asked();
        }
        let told = gate.function.lines().iter().filter(|line| line.text.contains("the marks cannot be read")).count();
        ensure!(told >= 2 * moods.len(), "{rule}: the log says it {told} times");
    }
    Ok(())
}

#[test]
fn a_table_that_is_not_there_is_decided_by_the_rules() -> Result<()> {
    for (rule, expected) in [("refuse", is(Failed, "RevocationUnknown")), ("allow", is(Allowed, "Allowed"))] {
        let issuer = TokenIssuer::start()?;
        let rules = rules(&format!("mode = \"on\"\nunavailable = \"{rule}\""))?;
        let mut settings = issuer.settings();
        settings.extend([
            ("RULES_FILE".to_owned(), rules.display().to_string()),
            ("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned()),
            // Nobody listens there.
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "http://127.0.0.1:9".to_owned()),
        ]);
        let mut function = Function::start("authorizer", settings)?;
        let token = issuer.mint(&issuer.access().with("tenant", "acme").with("roles", json!(["member"])))?;
        let outcome = function.invoke_json(&http_v2(&token, "GET", "/items"));
        Audit::default().outcome(&function, &outcome)?;
        let heard = (passage(&outcome, &arn("GET", "/items")), function.code_of(&outcome).context("no code")?);
        ensure!(heard == expected, "C37 {rule}: {heard:?}");
        std::fs::remove_file(rules)?;
    }
    Ok(())
}

#[test]
fn rules_and_settings_that_disagree_do_not_start() -> Result<()> {
    for (mode, is_on) in [("on", false), ("off", true)] {
        let error = Gate::with(&format!("mode = \"{mode}\""), is_on).err().context("it starts")?.to_string();
        ensure!(error.contains("SettingRefused") && error.contains("REVOCATION_TABLE"), "{mode}: {error}");
    }
    Ok(())
}

// ---- From the button to the door

const ANN: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const BOB: &str = "6c70a5b9-1d22-4c5f-8e40-0d3b2f7f3b02";

/// A back end that writes marks.
fn back_end(gate: &Gate, name: &str) -> Result<Function> {
    back_end_with(gate, name, &[])
}

fn back_end_with(gate: &Gate, name: &str, more: &[(&str, &str)]) -> Result<Function> {
    let mut settings = gate.services.settings();
    settings.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    settings.extend([
        ("RULES_FILE".to_owned(), gate.rules.display().to_string()),
        ("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned()),
        ("REFRESH_TOKEN_DAYS".to_owned(), "30".to_owned()),
    ]);
    Function::start(name, settings)
}

/// A request as it comes through the authorizer.
fn request(route: &str, subject: &str, session: &str, member: &str, body: Option<Value>) -> Value {
    json!({"version": "2.0", "routeKey": route,
        "headers": {"content-type": "application/json", "if-match": "\"1\"", "authorization": "Bearer a.b.c"},
        "pathParameters": {"sub": member}, "body": body.map(|body| body.to_string()),
        "requestContext": {"authorizer": {"lambda": {"subject": subject, "tenant": "acme", "roles": "admin",
            "clientId": "web", "tokenUse": "access", "session": session}}}})
}

fn status(function: &mut Function, event: &Value) -> Result<u64> {
    let outcome = function.invoke_json(event);
    Audit::default().outcome(function, &outcome)?;
    outcome.json()?["statusCode"].as_u64().context("no status")
}

fn member(subject: &str, roles: &[&str]) -> Value {
    json!({"pk": {"S": "acme#members"}, "sk": {"S": subject}, "subject": {"S": format!("USER#{subject}")},
        "tenant": {"S": "acme"}, "status": {"S": "active"}, "version": {"N": "1"}, "created_at": {"N": "1"},
        "roles": {"SS": roles}})
}

#[test]
fn a_sign_out_closes_the_door_at_once_for_one_session_or_for_all() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    let mut user_api = back_end(&gate, "user-api")?;
    let tokens = ["s-1", "s-2", "s-3"].map(|session| gate.issuer.mint(&gate.claims(ANN, session, MINUTE, MINUTE)));
    let [one, two, three] = tokens;
    let (one, two, three) = (one?, two?, three?);
    ensure!(status(&mut user_api, &request("POST /sign-out", ANN, "s-1", "", None))? == 204);
    let doors =
        [(&one, is(Forbidden, "SessionEnded")), (&two, is(Allowed, "Allowed")), (&three, is(Allowed, "Allowed"))];
    for (token, expected) in doors {
        ensure!(gate.asks(token)? == expected, "C37 after one sign-out");
    }
    let everywhere = request("POST /sign-out", ANN, "s-2", "", Some(json!({"everywhere": true})));
    ensure!(status(&mut user_api, &everywhere)? == 200);
    for token in [&two, &three] {
        ensure!(gate.asks(token)? == is(Forbidden, "SessionsEnded"), "C37 after all sign-outs");
    }
    // Twice is once.
    ensure!(status(&mut user_api, &everywhere)? == 200);
    // In the next second Ann signs in afresh, and that is a session of its own.
    std::thread::sleep(Duration::from_millis(1_100));
    let fresh = gate.issuer.mint(&gate.claims(ANN, "s-4", 0, 0))?;
    ensure!(gate.asks(&fresh)? == is(Allowed, "Allowed"), "C37 a fresh sign-in");
    Ok(())
}

#[test]
fn killed_between_the_mark_and_the_pool_the_door_is_closed_all_the_same() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    let process = Arc::new(AtomicU32::new(0));
    let victim = Arc::clone(&process);
    // A pool that sees nobody to answer to.
    let pool = Server::start(move |_| {
        drop(Command::new("kill").args(["-9", &victim.load(Ordering::SeqCst).to_string()]).status());
        std::thread::sleep(Duration::from_millis(50));
        Response::new(500, "text/plain", "the caller is dead")
    })?;
    let at = [("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", pool.url())];
    let mut user_api = back_end_with(&gate, "user-api", &at.each_ref().map(|(key, url)| (*key, url.as_str())))?;
    process.store(user_api.process(), Ordering::SeqCst);
    let token = gate.issuer.mint(&gate.claims(ANN, "s-1", MINUTE, MINUTE))?;
    ensure!(gate.asks(&token)? == is(Allowed, "Allowed"));
    let everywhere = request("POST /sign-out", ANN, "s-1", "", Some(json!({"everywhere": true})));
    let outcome = user_api.invoke_json(&everywhere);
    ensure!(matches!(outcome.reply, Reply::Exited), "it lives: {:?}", outcome.reply);
    ensure!(gate.asks(&token)? == is(Forbidden, "SessionsEnded"), "C37 the mark came first");
    // Doing it again does no harm.
    ensure!(status(&mut back_end(&gate, "user-api")?, &everywhere)? == 200);
    ensure!(gate.asks(&token)? == is(Forbidden, "SessionsEnded"));
    Ok(())
}

#[test]
fn a_role_that_is_taken_away_is_gone_at_once_and_a_refresh_does_not_bring_it_back() -> Result<()> {
    for (route, body, roles_left) in [
        ("PUT /admin/members/{sub}/roles", json!({"roles": ["member"]}), json!(["member"])),
        ("PUT /admin/members/{sub}/status", json!({"status": "suspended"}), Value::Null),
    ] {
        let mut gate = Gate::open("mode = \"on\"")?;
        gate.services.put(DIRECTORY_TABLE, &member(ANN, &["admin"]))?;
        gate.services.put(DIRECTORY_TABLE, &member(BOB, &["admin", "member"]))?;
        let profile = json!({"pk": {"S": format!("USER#{BOB}")}, "sk": {"S": "PROFILE"},
            "subject": {"S": format!("USER#{BOB}")}, "created_at": {"N": "1"}, "version": {"N": "1"}});
        gate.services.put(DIRECTORY_TABLE, &profile)?;
        let mut admin_api = back_end(&gate, "admin-api")?;
        let old = gate.issuer.mint(&gate.claims(BOB, "s-1", MINUTE, MINUTE).with("roles", json!(["admin"])))?;
        ensure!(gate.asks(&old)? == is(Allowed, "Allowed"), "{route}: before");
        ensure!(status(&mut admin_api, &request(route, ANN, "s-9", BOB, Some(body)))? == 200, "{route}");
        ensure!(gate.asks(&old)? == is(Forbidden, "RightsChanged"), "C37 {route}: the old token");
        // Nor does one that is made while the change settles.
        let marks = gate.services.items(REVOCATION_TABLE)?;
        let settled: u64 = marks[0]["issued_before"]["N"].as_str().context("no mark")?.parse()?;
        let refreshed = |gate: &Gate, at: u64| gate.claims(BOB, "s-1", MINUTE, MINUTE).with("iat", at);
        let hasty = gate.issuer.mint(&refreshed(&gate, settled).with("roles", json!(["admin"])))?;
        ensure!(gate.asks(&hasty)? == is(Forbidden, "RightsChanged"), "C37 {route}: a hasty refresh");

        // What a refresh brings is what the directory says.
        let mut settings = gate.services.settings();
        settings.push(("RULES_FILE".to_owned(), gate.rules.display().to_string()));
        let mut tokens = Function::start("pre-token-generation", settings)?;
        let event = cases()?.into_iter().find(|case| case.name == "v2-refresh-tokens").context("no such event")?;
        let reply = tokens.invoke(event.request.replace(ANN, BOB)).json()?;
        let claims = &reply["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
        let roles = claims["claimsToAddOrOverride"]["roles"].clone();
        ensure!(
            roles == roles_left || roles_left.is_null() && roles == json!([]),
            "{route}: the refresh brings {roles}"
        );
        // And that is taken, once the change has settled.
        let next = gate.issuer.mint(&refreshed(&gate, settled + 1))?;
        ensure!(gate.asks(&next)? == is(Allowed, "Allowed"), "{route}: a refresh afterwards");
    }
    Ok(())
}

#[test]
fn an_administrator_ends_sessions_in_his_own_tenant_alone() -> Result<()> {
    let mut gate = Gate::open("mode = \"on\"")?;
    gate.services.put(DIRECTORY_TABLE, &member(ANN, &["admin"]))?;
    gate.services.put(DIRECTORY_TABLE, &member(BOB, &["member"]))?;
    let mut admin_api = back_end(&gate, "admin-api")?;
    let here = gate.issuer.mint(&gate.claims(BOB, "s-1", MINUTE, MINUTE))?;
    let elsewhere = gate.issuer.mint(&gate.claims(BOB, "s-2", MINUTE, MINUTE).with("tenant", "globex"))?;
    let event = request("POST /admin/members/{sub}/sign-out", ANN, "s-9", BOB, None);
    ensure!(status(&mut admin_api, &event)? == 200);
    ensure!(gate.asks(&here)? == is(Forbidden, "SessionsEnded"), "C37 in acme");
    ensure!(gate.asks(&elsewhere)? == is(Allowed, "Allowed"), "in globex");
    let stranger = request("POST /admin/members/{sub}/sign-out", ANN, "s-9", "somebody-else", None);
    ensure!(status(&mut admin_api, &stranger)? == 404, "who is no member");
    Ok(())
}
