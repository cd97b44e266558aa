//! Sign-ins of users whom the pool does not have, put to the built function
//! before an old system.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a member that a JSON value lacks is null")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::http::{Request, Response, Server};
use tests::{
    ATTEMPTS_TABLE, Audit, DIRECTORY_TABLE, Function, LEGACY_USERS_TABLE, Outcome, Reply, Services, workspace_root,
};

const RIGHT: &str = "correct horse";
const REFUSED: (&str, &str) = ("SignInRefused", "This sign-in is not possible");

/// Of "correct horse", at the usual costs; made with passlib and argon2-cffi.
const HASHES: [&str; 4] = [
    "$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC",
    "$argon2id$v=19$m=19456,t=2,p=1$r62jWL8XLD5fJeW5H0nhSQ$9Y+f5rqBNeoqjz3BiCvN4zJxlmzD64v5DXgR7p5nwnE",
    "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc",
    "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$5RUHDgNTp9sBOWGYS4e6u57cz/Sq3/TQgaDP/8MW6L8",
];

/// Quick to compute.
const CHEAP: &str = HASHES[3];

/// The function and what it asks.
struct Bench {
    services: Services,
    function: Function,
    audit: Audit,
}

/// The rules with changes, in a file of their own.
fn rules(name: &str, changes: &[(&str, &str)]) -> Result<String> {
    let mut text = fs::read_to_string(workspace_root().join("tests/attacks_migration.rules.toml"))?;
    for (from, to) in changes {
        ensure!(text.contains(from), "{from} is not in the rules");
        text = text.replace(from, to);
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("migration-{name}.toml"));
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

impl Bench {
    fn start(name: &str, changes: &[(&str, &str)]) -> Result<Self> {
        let services = Services::start()?;
        let settings = services.settings();
        Self::with(services, settings, &rules(name, changes)?, &[])
    }

    fn with(services: Services, settings: Vec<(String, String)>, rules: &str, more: &[(&str, &str)]) -> Result<Self> {
        let mut all: std::collections::BTreeMap<String, String> = settings.into_iter().collect();
        all.insert("RULES_FILE".to_owned(), rules.to_owned());
        all.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let function = Function::start("user-migration", all)?;
        let mut audit = Audit::default();
        [RIGHT, "ann@acme.example", "canary-metadata-77aa"].iter().for_each(|secret| audit.keep_secret(secret));
        Ok(Self { services, function, audit })
    }

    fn put(&self, name: &str, id: &str, record: &Value) -> Result<()> {
        let text = record.as_str().map_or_else(|| record.to_string(), str::to_owned);
        let item = json!({"name": {"S": name}, "id": {"S": id}, "record": {"S": text}, "imported_at": {"N": "1"}});
        self.services.put(LEGACY_USERS_TABLE, &item)
    }

    fn user(&self, name: &str, hash: &str) -> Result<()> {
        self.put(name, name, &json!({"id": name, "hash": hash}))
    }

    /// Sends an event, checks what holds always, and gives its code. A refusal
    /// looks like all others.
    fn send(&mut self, event: &Value) -> Result<(Outcome, String)> {
        self.send_text(event.to_string())
    }

    fn send_text(&mut self, event: String) -> Result<(Outcome, String)> {
        let outcome = self.function.invoke(event);
        self.audit.outcome(&self.function, &outcome)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        if let Reply::Error { error_type, message } = &outcome.reply {
            ensure!((error_type.as_str(), message.as_str()) == REFUSED, "{code} is told as {error_type}: {message}");
        }
        Ok((outcome, code))
    }

    fn sign_in(&mut self, name: &str, password: &str) -> Result<String> {
        Ok(self.send(&sign_in(name, password))?.1)
    }

    fn printed(&self) -> Result<()> {
        self.audit.printed(&self.function)
    }
}

fn event(source: &str, name: &str, request: Value) -> Value {
    json!({
        "version": "1", "region": "us-east-1", "userPoolId": "us-east-1_new", "userName": name,
        "callerContext": {"awsSdkVersion": "x", "clientId": "client"}, "triggerSource": source,
        "request": request, "response": {"userAttributes": null, "forceAliasCreation": null},
    })
}

fn sign_in(name: &str, password: &str) -> Value {
    let request =
        json!({"password": password, "validationData": {"a": "canary-metadata-77aa"}, "clientMetadata": null});
    event("UserMigration_Authentication", name, request)
}

fn forgotten(name: &str) -> Value {
    event("UserMigration_ForgotPassword", name, json!({"clientMetadata": {"a": "canary-metadata-77aa"}}))
}

/// A digest of exactly this text.
fn salted_sha1(text: &str) -> String {
    let mut salted = text.as_bytes().to_vec();
    salted.extend_from_slice(b"saltsalt");
    let mut stored = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &salted).as_ref().to_vec();
    stored.extend_from_slice(b"saltsalt");
    format!("{{SSHA}}{}", STANDARD.encode(stored))
}

#[test]
fn m01_m26_a_right_password_moves_a_user_in_and_never_takes_an_alias() -> Result<()> {
    let mut bench = Bench::start("m01", &[])?;
    for (index, hash) in HASHES.iter().enumerate() {
        let id = format!("old-{index}");
        let attributes = json!({"mail": "Ann@acme.example", "name": "Ann", "role": "admin"});
        let record = json!({"id": id, "attributes": attributes, "email_verified": true, "hash": hash,
            "groups": ["acme:admin", "unknown"]});
        bench.put("ann@acme.example", &id, &record)?;
        let event = sign_in("Ann@ACME.example", RIGHT);
        let (outcome, code) = bench.send(&event)?;
        let mut expected = event;
        expected["response"] = json!({
            "userAttributes": {"email": "ann@acme.example", "email_verified": "true", "name": "Ann", "custom:legacy_id": id},
            "finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS", "desiredDeliveryMediums": ["EMAIL"],
            "forceAliasCreation": false,
        });
        ensure!(code == "MovedIn" && outcome.json()? == expected, "M01 M26 {code} {:?}", outcome.reply);
        let arrivals = bench.services.items(DIRECTORY_TABLE)?;
        let kept = arrivals.iter().find(|item| item["pk"]["S"] == format!("LEGACY#{id}")).context("an arrival")?;
        ensure!(
            kept["address"]["S"] == "ann@acme.example" && kept["memberships"]["L"][0]["M"]["tenant"]["S"] == "acme"
        );
        ensure!(bench.sign_in("ann@acme.example", "correct horsf")? == "PasswordWrong", "M01 {hash}");
        // The next row shall find a name with one user.
        bench = Bench::start("m01", &[])?;
    }
    bench.printed()
}

#[test]
fn m04_m05_a_forgotten_password_reaches_a_proved_address_or_nobody() -> Result<()> {
    let mut bench = Bench::start("m04", &[])?;
    let attributes = json!({"mail": "ann@acme.example", "name": "Ann"});
    let record =
        |verified: Value| json!({"id": "7", "attributes": attributes, "email_verified": verified, "hash": "$2b$"});
    bench.put("ann@acme.example", "7", &record(json!(true)))?;
    let (outcome, code) = bench.send(&forgotten("Ann@acme.example"))?;
    let response = &outcome.json()?["response"];
    let expected =
        json!({"email": "ann@acme.example", "email_verified": "true", "name": "Ann", "custom:legacy_id": "7"});
    ensure!(code == "MovedInForReset" && response["userAttributes"] == expected, "M04 {code} {response}");
    ensure!(
        response["finalUserStatus"] == "RESET_REQUIRED" && response["messageAction"] == "SUPPRESS",
        "M04 {response}"
    );
    let unverified = [json!(false), json!(null), json!("true"), json!("yes"), json!(1)];
    let mut events = vec![("M04 unknown", json!(true), forgotten("bob@acme.example"), "UnknownUser")];
    events.extend(unverified.map(|verified| ("M05 M24", verified, forgotten("ann@acme.example"), "ContactUnverified")));
    for (name, verified, event, expected) in events {
        bench.put("ann@acme.example", "7", &record(verified))?;
        let (outcome, code) = bench.send(&event)?;
        ensure!(code == expected && outcome.json()? == event, "{name}: {code} {:?}", outcome.reply);
    }
    ensure!(bench.services.items(ATTEMPTS_TABLE)?.is_empty(), "M04 nothing was tried");
    bench.printed()
}

#[test]
fn m07_m08_m11_a_password_is_there_and_short_enough_and_taken_as_it_came() -> Result<()> {
    let mut bench = Bench::start("m07", &[])?;
    let exact = " e\u{301}\u{ff21}\u{1f600}Ab ";
    bench.user("ann", &salted_sha1(exact))?;
    for request in
        [json!({}), json!({"password": null}), json!({"password": ""}), json!({"password": 123_456}), Value::Null]
    {
        let (_, code) = bench.send(&event("UserMigration_Authentication", "ann", request.clone()))?;
        ensure!(code == "PasswordMissing", "M07 {request}: {code}");
    }
    for length in [257, 4 << 10, 1 << 20, 10 << 20] {
        let code = bench.sign_in("ann", &"x".repeat(length))?;
        ensure!(code == "PasswordTooLong", "M08 {length}: {code}");
    }
    ensure!(bench.services.items(ATTEMPTS_TABLE)?.is_empty(), "M07 M08 nothing was tried");
    ensure!(bench.sign_in("ann", &"é".repeat(256))? == "PasswordWrong", "M08 256 characters are compared");
    ensure!(bench.sign_in("ann", exact)? == "MovedInToReset", "M11");
    let close =
        [exact.trim(), "  e\u{301}\u{ff21}\u{1f600}Ab ", " \u{e9}\u{ff21}\u{1f600}Ab ", " e\u{301}A\u{1f600}Ab "];
    for close in close.into_iter().map(str::to_owned).chain([exact.to_lowercase()]) {
        ensure!(bench.sign_in("ann", &close)? == "PasswordWrong", "M11 {close:?}");
        ensure!(bench.sign_in("ann", exact)? == "MovedInToReset", "M11");
    }
    let half = sign_in("ann", "MARK").to_string().replace("MARK", "\\ud83d");
    ensure!(bench.send_text(half)?.1 == "EventUnreadable", "M11 half a character");
    bench.printed()
}

#[test]
fn m12_m15_m16_m17_a_hash_is_used_within_its_limits_or_not_at_all() -> Result<()> {
    let mut bench = Bench::start("m12", &[])?;
    let huge = format!("$2b$10${}", "a".repeat(60 * 1024));
    let table = [
        ("M12", "", "HashMalformed"),
        ("M12", "$", "HashMalformed"),
        ("M12", "$2b$", "HashMalformed"),
        ("M12", "$2b$10$short", "HashMalformed"),
        ("M12", "$2x$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", "HashUnknownKind"),
        ("M12", "$2b$99$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", "HashMalformed"),
        ("M12", "$2b$1e$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", "HashMalformed"),
        ("M12", &huge, "HashMalformed"),
        ("M12", "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AA", "HashMalformed"),
        ("M12", "pbkdf2_sha256$1$$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=", "HashMalformed"),
        (
            "M15",
            "$pbkdf2-sha256$i=2147483647$AAECAwQFBgcICQoLDA0ODw$5RUHDgNTp9sBOWGYS4e6u57cz/Sq3/TQgaDP/8MW6L8",
            "HashTooCostly",
        ),
        (
            "M15",
            "$scrypt$ln=30,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc",
            "HashTooCostly",
        ),
        (
            "M15",
            "$argon2id$v=19$m=4194304,t=2,p=1$r62jWL8XLD5fJeW5H0nhSQ$9Y+f5rqBNeoqjz3BiCvN4zJxlmzD64v5DXgR7p5nwnE",
            "HashTooCostly",
        ),
        ("M16", &salted_sha1(RIGHT), "MovedInToReset"),
        ("M16", "correct horse", "HashUnknownKind"),
        ("M17", "{CRYPT}x", "HashUnknownKind"),
    ];
    for (index, (name, hash, expected)) in table.iter().enumerate() {
        let user = format!("user-{index}");
        bench.user(&user, hash)?;
        let code = bench.sign_in(&user, RIGHT)?;
        ensure!(code == *expected, "{name} {}: {code}", hash.chars().take(40).collect::<String>());
    }
    bench.put("half", "half", &json!("{\"id\":\"half\",\"hash\":"))?;
    ensure!(bench.sign_in("half", RIGHT)? == "RecordUnreadable", "M12");
    bench.printed()?;

    let only_bcrypt =
        "kinds = [\"bcrypt\", \"argon2\", \"scrypt\", \"pbkdf2\", \"digest\"]\ndecoy = \"pbkdf2-sha256:10000\"";
    let mut bench = Bench::start("m17", &[(only_bcrypt, "kinds = [\"bcrypt\"]\ndecoy = \"bcrypt:4\"")])?;
    for (name, hash) in [("M17", HASHES[1]), ("M16", &salted_sha1(RIGHT)), ("M17", CHEAP)] {
        bench.user("ann", hash)?;
        let code = bench.sign_in("ann", RIGHT)?;
        ensure!(code == "HashKindNotAllowed", "{name} {hash}: {code}");
    }
    bench.printed()
}

#[test]
fn m19_m20_guesses_are_counted_by_name_and_together() -> Result<()> {
    let mut bench = Bench::start("m19", &[])?;
    bench.user("ann", CHEAP)?;
    bench.user("bob", CHEAP)?;
    for guess in 0..5 {
        ensure!(bench.sign_in("ann", "guess")? == "PasswordWrong", "M19 {guess}");
        ensure!(bench.sign_in("nobody", "guess")? == "UnknownUser", "M19 {guess}");
    }
    for (name, password) in [("ann", "guess"), ("ANN", "guess"), ("ann", RIGHT), ("nobody", RIGHT)] {
        ensure!(bench.sign_in(name, password)? == "NameWaits", "M19 {name} {password}");
    }
    ensure!(bench.sign_in("bob", RIGHT)? == "MovedIn", "M20 another name does not wait");
    // The waiting time is over, as far as the record says.
    let mut items = bench.services.items(ATTEMPTS_TABLE)?;
    for item in items.iter_mut().filter(|item| item.get("open_at").is_some()) {
        item["open_at"] = json!({"N": "1"});
        bench.services.put(ATTEMPTS_TABLE, item)?;
    }
    ensure!(bench.sign_in("ann", RIGHT)? == "MovedIn", "M20 nobody is locked out for good");
    ensure!(bench.sign_in("nobody", RIGHT)? == "UnknownUser", "M20");
    ensure!(bench.sign_in("nobody", RIGHT)? == "NameWaits", "M20 one for each waiting time");
    bench.printed()?;

    // More than two minutes can hold between them, wherever the boundary falls.
    let mut bench = Bench::start("m20", &[("overall_per_minute = 100000", "overall_per_minute = 20")])?;
    let codes = (0..60).map(|n| bench.sign_in(&format!("user-{n}"), "spray")).collect::<Result<Vec<_>>>()?;
    let tried = codes.iter().filter(|code| *code == "UnknownUser").count();
    ensure!((20..=40).contains(&tried), "M20 {tried} were tried");
    ensure!(codes.iter().filter(|code| *code == "EverybodyWaits").count() == 60 - tried, "M20 {codes:?}");
    bench.printed()
}

#[test]
fn m21_of_a_hundred_guesses_by_several_instances_five_are_checked() -> Result<()> {
    let bench = Bench::start("m21", &[])?;
    bench.user("ann", CHEAP)?;
    let rules = rules("m21", &[])?;
    let settings = bench.services.settings();
    let guess = || -> Result<usize> {
        let mut all: std::collections::BTreeMap<String, String> = settings.iter().cloned().collect();
        all.insert("RULES_FILE".to_owned(), rules.clone());
        let mut function = Function::start("user-migration", all)?;
        let codes: Vec<_> = (0..25)
            .map(|_| {
                let outcome = function.invoke_json(&sign_in("ann", "guess"));
                function.code_of(&outcome).unwrap_or_default()
            })
            .collect();
        ensure!(codes.iter().all(|code| code == "PasswordWrong" || code == "NameWaits"), "M21 {codes:?}");
        Ok(codes.iter().filter(|code| *code == "PasswordWrong").count())
    };
    let checked = std::thread::scope(|scope| {
        let instances: Vec<_> = (0..4).map(|_| scope.spawn(guess)).collect();
        let checked = instances.into_iter().map(|instance| instance.join().unwrap_or_else(|_| Ok(usize::MAX)));
        checked.sum::<Result<usize>>()
    })?;
    let items = bench.services.items(ATTEMPTS_TABLE)?;
    let counted = items.iter().find(|item| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("USER#")));
    ensure!(checked == 5 && counted.context("a count")?["count"]["N"] == "100", "M21 {checked} {items:?}");
    Ok(())
}

#[test]
fn m22_without_the_counters_nobody_is_let_in() -> Result<()> {
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = Bench::with(services, settings, &rules("m22", &[])?, &[])?;
    ensure!(bench.sign_in("ann", RIGHT)? == "AttemptsUnreachable", "M22");
    let (outcome, code) = bench.send(&forgotten("ann"))?;
    ensure!(code == "LegacyTableUnreachable" && outcome.error() == Some(REFUSED.1), "M22 {code}");
    bench.printed()
}

#[test]
fn m25_m27_one_user_is_meant_or_nobody_and_a_mark_keeps_nobody_out() -> Result<()> {
    let mut bench = Bench::start("m25", &[])?;
    let record = |id: &str, mail: &str| json!({"id": id, "attributes": {"mail": mail}, "hash": CHEAP});
    bench.put("ann@acme.example", "7", &record("7", "Ann@Acme.Example"))?;
    bench.put("two@acme.example", "1", &record("1", "two@acme.example"))?;
    bench.put("two@acme.example", "2", &record("2", "Two@acme.example"))?;
    bench.put("bob@acme.example", "8", &record("8", "ann@acme.example"))?;
    bench.put("wrong@acme.example", "9", &record("10", "wrong@acme.example"))?;
    let table = [
        ("ann@acme.example", "MovedIn"),
        ("ANN@acme.example", "MovedIn"),
        ("two@acme.example", "AmbiguousUser"),
        ("TWO@acme.example", "AmbiguousUser"),
        ("bob@acme.example", "NameMismatch"),
        ("wrong@acme.example", "RecordUnreadable"),
        ("an", "UnknownUser"),
        ("", "NameUnusable"),
        ("ann\u{0}", "NameUnusable"),
    ];
    for (name, expected) in table {
        let code = bench.sign_in(name, RIGHT)?;
        ensure!(code == expected, "M25 {name:?}: {code}");
    }
    let rows = bench.services.items(LEGACY_USERS_TABLE)?;
    let marked: Vec<_> = rows.iter().filter(|row| row.get("migrated_at").is_some()).collect();
    ensure!(marked.len() == 1 && marked[0]["id"]["S"] == "7", "M27 {marked:?}");
    ensure!(bench.sign_in("ann@acme.example", RIGHT)? == "MovedIn", "M27 the pool may not have him after all");
    bench.printed()
}

/// A pool and a secret on loopback, as the old system.
fn old_pool() -> Result<Server> {
    Server::start(|request| {
        let target = request.header("x-amz-target").unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let answer = |status, body: Value| Response::new(status, "application/x-amz-json-1.1", body.to_string());
        let attributes = json!([{"Name": "sub", "Value": "old-sub"}, {"Name": "mail", "Value": "ann@acme.example"},
            {"Name": "email_verified", "Value": "true"}]);
        match target.rsplit('.').next() {
            Some("GetSecretValue") => answer(200, json!({"SecretString": SECRET})),
            Some("AdminInitiateAuth") if body["AuthParameters"]["PASSWORD"] == RIGHT => {
                let signed = body["AuthParameters"]["SECRET_HASH"].is_string();
                if signed {
                    answer(200, json!({"AuthenticationResult": {"AccessToken": "canary-old-token-0123"}}))
                } else {
                    answer(400, json!({"__type": "InvalidParameterException"}))
                }
            }
            Some("AdminInitiateAuth") => answer(400, json!({"__type": "NotAuthorizedException", "message": "x"})),
            Some("AdminGetUser") if body["Username"] == "ann@acme.example" => answer(
                200,
                json!({"Username": "ann", "UserAttributes": attributes, "Enabled": true, "UserStatus": "CONFIRMED"}),
            ),
            Some("AdminGetUser") => answer(400, json!({"__type": "UserNotFoundException", "message": "x"})),
            Some("AdminListGroupsForUser") => answer(200, json!({"Groups": [{"GroupName": "acme:member"}]})),
            _ => answer(400, json!({"__type": "UnknownOperationException"})),
        }
    })
}

const KEY: &[u8] = b"an example key of thirty-2 bytes";
const SECRET: &str = r#"{"pool_client_secret": "canary-client-secret", "endpoint_key": "whsec_YW4gZXhhbXBsZSBrZXkgb2YgdGhpcnR5LTIgYnl0ZXM="}"#;
/// What a store that checks passwords itself has no use for.
const HASH_RULES: &str = "[migration.hashes]\nkinds = [\"bcrypt\", \"argon2\", \"scrypt\", \"pbkdf2\", \"digest\"]\ndecoy = \"pbkdf2-sha256:10000\"\n";

#[test]
fn m01_m04_another_pool_is_asked_for_what_it_knows() -> Result<()> {
    let old = old_pool()?;
    let services = Services::start()?;
    let settings = services.settings();
    let rules = rules("pool", &[("store = \"table\"", "store = \"pool\""), (HASH_RULES, "")])?;
    let more = [
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", old.url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", old.url()),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:old".to_owned()),
        ("OLD_USER_POOL_ID", "us-east-1_old".to_owned()),
        ("OLD_CLIENT_ID", "client".to_owned()),
        ("LEGACY_USERS_TABLE", String::new()),
    ];
    let more: Vec<_> = more.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut bench = Bench::with(services, settings, &rules, &more)?;
    ["canary-client-secret", "canary-old-token"].iter().for_each(|secret| bench.audit.keep_secret(secret));
    let (outcome, code) = bench.send(&sign_in("ann@acme.example", RIGHT))?;
    let found = &outcome.json()?["response"]["userAttributes"];
    let expected = json!({"email": "ann@acme.example", "email_verified": "true", "custom:legacy_id": "old-sub"});
    ensure!(code == "MovedIn" && *found == expected, "M01 {code} {found}");
    ensure!(bench.sign_in("ann@acme.example", "guess")? == "PasswordWrong", "M01");
    ensure!(bench.send(&forgotten("ann@acme.example"))?.1 == "MovedInForReset", "M04");
    ensure!(bench.send(&forgotten("bob@acme.example"))?.1 == "UnknownUser", "M04");
    bench.printed()
}

/// Answers a request for the endpoint, signed as it should be.
fn sealed(request: &Request, id: &str, body: &str) -> Response {
    let timestamp = request.header("webhook-timestamp").unwrap_or_default();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), format!("{id}.{timestamp}.{body}").as_bytes());
    Response::new(200, "application/json", body)
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)))
}

/// An endpoint that does what the name asks of it.
fn endpoint() -> Result<Server> {
    let earlier = std::sync::Mutex::new(None::<String>);
    Server::start(move |request| {
        if request.header("x-amz-target").is_some() {
            return Response::new(200, "application/x-amz-json-1.1", json!({"SecretString": SECRET}).to_string());
        }
        let id = request.header("webhook-id").unwrap_or_default().to_owned();
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let own = sealed(&request, &id, &text);
        let signature = |response: &Response| response.headers.last().map(|(_, value)| value.clone());
        if signature(&own).as_deref() != request.header("webhook-signature") {
            return Response::new(401, "text/plain", "unsigned");
        }
        let found =
            r#"{"result":"found","user":{"id":"7","attributes":{"mail":"ann@acme.example"},"email_verified":true}}"#;
        let result = if body["password"] == RIGHT || body["type"] == "forgot-password" {
            found
        } else {
            r#"{"result":"wrong-password"}"#
        };
        let good = sealed(&request, &id, result);
        match body["user_name"].as_str().unwrap_or_default() {
            "unsigned" => Response::new(200, "application/json", result),
            "forged" => sealed(&request, &id, r#"{"result":"unknown"}"#).header("webhook-signature", "v1,AAAA"),
            "reflected" => own,
            "replayed" => {
                let mut earlier = earlier.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let id = earlier.get_or_insert(id).clone();
                sealed(&request, &id, result)
            }
            "redirect" => Response::new(307, "text/plain", "").header("location", "http://127.0.0.1:1/"),
            "huge" => sealed(&request, &id, &format!("{}{}", result, " ".repeat(64 << 10))),
            "100ms" => {
                std::thread::sleep(Duration::from_millis(100));
                good
            }
            "2s" => {
                std::thread::sleep(Duration::from_secs(2));
                good
            }
            "hang" => {
                std::thread::sleep(Duration::from_secs(6));
                good
            }
            _ => good,
        }
    })
}

#[test]
fn m29_an_endpoint_is_believed_by_its_signature_and_within_its_time() -> Result<()> {
    let server = endpoint()?;
    let services = Services::start()?;
    let settings = services.settings();
    let rules = rules("endpoint", &[("store = \"table\"", "store = \"endpoint\""), (HASH_RULES, "")])?;
    let url = format!("{}/users", server.url());
    let more = [
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.url()),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:old".to_owned()),
        ("ENDPOINT_URL", url),
        ("LEGACY_USERS_TABLE", String::new()),
    ];
    let more: Vec<_> = more.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut bench = Bench::with(services, settings, &rules, &more)?;
    bench.audit.keep_secret("an example key of thirty-2 bytes");
    let table = [
        ("ann@acme.example", RIGHT, "MovedIn"),
        ("ann@acme.example", "guess", "PasswordWrong"),
        ("unsigned", RIGHT, "EndpointSignatureWrong"),
        ("forged", RIGHT, "EndpointSignatureWrong"),
        ("reflected", RIGHT, "RecordUnreadable"),
        ("replayed", RIGHT, "MovedIn"),
        ("replayed", RIGHT, "EndpointAnswerToAnother"),
        ("redirect", RIGHT, "EndpointStatus"),
        ("huge", RIGHT, "EndpointBodyRefused"),
        ("100ms", RIGHT, "MovedIn"),
        ("2s", RIGHT, "MovedIn"),
        ("hang", RIGHT, "EndpointTimedOut"),
    ];
    for (name, password, expected) in table {
        let (outcome, code) = bench.send(&sign_in(name, password))?;
        ensure!(code == expected, "M29 {name}: {code}");
        ensure!(outcome.elapsed < Duration::from_secs(4), "M29 {name} took {:?}", outcome.elapsed);
    }
    ensure!(bench.send(&forgotten("ann@acme.example"))?.1 == "MovedInForReset", "M04");
    bench.printed()
}

#[test]
fn m30_a_password_is_in_no_line_whatever_the_level() -> Result<()> {
    let canary = "cAnary-pässword \"\\\u{1f600}-9f3e";
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = Bench::with(services, settings, &rules("m30", &[])?, &[("LOG_LEVEL", "trace")])?;
    let stored = salted_sha1(canary);
    let escaped = Value::from(canary).to_string();
    let printed = format!("{canary:?}");
    [canary, escaped.trim_matches('"'), printed.trim_matches('"'), "cAnary-p", "9f3e", &stored, HASHES[0]]
        .iter()
        .for_each(|text| bench.audit.keep_secret(text));
    bench.user("ann", &stored)?;
    bench.user("broken", HASHES[0].get(..40).unwrap_or_default())?;
    let mut moved = 0;
    for n in 0..1_000 {
        let name = match n % 4 {
            0 => "ann".to_owned(),
            1 => "broken".to_owned(),
            2 => format!("user-{n}"),
            _ => format!("user-{n}\n"),
        };
        moved += usize::from(bench.sign_in(&name, canary)? == "MovedInToReset");
    }
    ensure!(moved == 250, "M30 {moved}");
    let request = json!({"password": {"nested": canary}, "clientMetadata": [canary], "validationData": canary});
    bench.send(&event("UserMigration_Authentication", "ann", request))?;
    bench.send(&event("UserMigration_Future", "ann", json!({"password": canary})))?;
    bench.send_text(sign_in("ann", canary).to_string().replace("\"version\":\"1\"", "\"version\":\"1\"}"))?;
    bench.printed()
}

#[test]
fn m31_no_password_stays_in_memory() -> Result<()> {
    let mut bench = Bench::start("m31", &[])?;
    let mut passwords = Vec::new();
    for n in 0..12 {
        let (name, right, wrong) =
            (format!("user-{n:02}"), format!("cAnary-right-{n:02}"), format!("cAnary-wrong-{n:02}"));
        bench.user(&name, &salted_sha1(&right))?;
        ensure!(bench.sign_in(&name, &wrong)? == "PasswordWrong", "M31 {name}");
        ensure!(bench.sign_in(&name, &right)? == "MovedInToReset", "M31 {name}");
        passwords.extend([right, wrong]);
    }
    // What belongs to the last answer may still be on its way.
    ensure!(bench.sign_in("nobody", RIGHT)? == "UnknownUser", "M31");
    ensure!(bench.function.found_in_memory("user-migration")? > 0, "M31 the search finds nothing at all");
    for password in &passwords {
        let found = bench.function.found_in_memory(password)?;
        ensure!(found == 0, "M31 {password} stands in memory {found} times");
    }
    bench.printed()
}
