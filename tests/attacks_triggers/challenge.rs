//! U25: a challenge that is solved by people and not by programs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::edit::with;
use tests::http::{Request, Response, Server};
use tests::{DIRECTORY_TABLE, Function, Services, workspace_root};

use super::{Bench, items, sign_up};

/// A service that verifies tokens, and says what the token asks of it.
struct Siteverify {
    server: Server,
    /// Path and body of each question.
    asked: Arc<Mutex<Vec<String>>>,
}

/// Holds what a form must not be broken out of with.
const CHALLENGE_SECRET: &str = "canary-challenge+secret/&response=x";
const CHALLENGE_SECRET_IN_FORM: &str = "canary-challenge%2Bsecret%2F%26response%3Dx";

impl Siteverify {
    fn start() -> Result<Self> {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let asking = Arc::clone(&asked);
        let server = Server::start(move |request| {
            if request.header("x-amz-target") == Some("secretsmanager.GetSecretValue") {
                let secret = json!({ "challenge_secret": CHALLENGE_SECRET }).to_string();
                return Response::new(200, "application/x-amz-json-1.1", json!({ "SecretString": secret }).to_string());
            }
            let body = String::from_utf8_lossy(&request.body).into_owned();
            asking.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {body}", request.path));
            verdict(&request, &body)
        })?;
        Ok(Self { server, asked })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings(&self) -> [(String, String); 2] {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:challenge";
        [("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.server.url()), ("CHALLENGE_SECRET_ARN", arn.to_owned())]
            .map(|(key, value)| (key.to_owned(), value))
    }

    /// The rules of the attacks with a challenge that is verified here.
    fn rules(&self, name: &str) -> Result<std::path::PathBuf> {
        let rules = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
        let url = self.server.url();
        let hosts = "hostnames = [\"app.allowed.example\"]";
        let challenge =
            format!("[sign_up.challenge]\nparameter = \"captcha\"\nverify_url = \"{url}/siteverify\"\n{hosts}\n");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("challenge-{name}.toml"));
        std::fs::write(&path, format!("{rules}\n{challenge}"))?;
        Ok(path)
    }

    fn bench(&self, name: &str, services: Services, mut settings: Vec<(String, String)>) -> Result<Bench> {
        settings.extend(self.settings());
        let mut bench = Bench::with_rules("pre-sign-up", services, settings, &self.rules(name)?)?;
        ["canary-challenge", "canary-token"].iter().for_each(|secret| bench.audit.keep_secret(secret));
        Ok(bench)
    }
}

fn verdict(request: &Request, body: &str) -> Response {
    let json = |verdict: Value| Response::new(200, "application/json", verdict.to_string());
    let yes = json!({"success": true, "hostname": "app.allowed.example", "challenge_ts": "2026-01-01T00:00:00Z"});
    let token = body.strip_prefix(&format!("secret={CHALLENGE_SECRET_IN_FORM}&response=canary-token-"));
    let is_form = request.header("content-type") == Some("application/x-www-form-urlencoded");
    let Some(token) = token.filter(|_| is_form && request.method == "POST") else {
        return json(json!({"success": false, "error-codes": ["bad-request"]}));
    };
    match token {
        "no" => json(json!({"success": false, "error-codes": ["invalid-input-response"]})),
        "stale" => json(json!({"success": false, "error-codes": ["timeout-or-duplicate"]})),
        "elsewhere" => json(with(yes, "/hostname", json!("app.evil.example"))),
        "nowhere" => json(with(yes, "/hostname", json!(null))),
        "our-secret" => json(json!({"success": false, "error-codes": ["invalid-input-secret"]})),
        "html" => Response::new(200, "text/html", "<html>canary-token</html>"),
        "broken" => Response::new(500, "application/json", yes.to_string()),
        "moved" => Response::new(307, "text/plain", "").header("location", "/elsewhere"),
        "huge" => Response::new(200, "application/json", format!("{yes}{}", " ".repeat(64 << 10))),
        "packed" => json(yes).header("content-encoding", "gzip"),
        "slow" => {
            std::thread::sleep(Duration::from_millis(500));
            json(yes)
        }
        "hanging" => {
            std::thread::sleep(Duration::from_secs(6));
            json(yes)
        }
        _ => json(yes),
    }
}

/// A sign-up that brings this as its token.
fn challenged(token: impl Into<Value>) -> Value {
    let validation = json!({ "captcha": token.into() });
    with(sign_up(json!({"email": "ann@allowed.example"})), "/request/validationData", validation)
}

#[test]
fn u25_a_solved_challenge_lets_in_once() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("once", services, settings)?;
    let table = [
        ("canary-token-1", "Accepted"),
        // The service would say yes to all of them.
        ("canary-token-1", "ChallengeUsed"),
        ("canary-token-1", "ChallengeUsed"),
        ("canary-token-2", "Accepted"),
        ("canary-token-1", "ChallengeUsed"),
        // Also when the first time ended otherwise.
        ("canary-token-no", "ChallengeFailed"),
        ("canary-token-no", "ChallengeUsed"),
        ("canary-token-broken", "ChallengeStatus"),
        ("canary-token-broken", "ChallengeUsed"),
        ("canary-token-stale", "ChallengeFailed"),
        ("canary-token-elsewhere", "ChallengeElsewhere"),
        ("canary-token-nowhere", "ChallengeElsewhere"),
    ];
    for (token, expected) in table {
        let outcome = bench.send(challenged(token).to_string())?;
        let code = bench.function.code_of(&outcome).context("no code")?;
        ensure!(code == expected, "U25 {token}: {code} instead of {expected}");
        let told = match expected {
            "Accepted" => None,
            "ChallengeStatus" => Some("This is not possible right now, please try again"),
            _ => Some("A required detail is missing or cannot be used"),
        };
        ensure!(outcome.error() == told, "U25 {token}: {:?}", outcome.reply);
    }
    // The marks are in the table, the tokens are not.
    let marks = bench.services.items(DIRECTORY_TABLE)?;
    ensure!(marks.len() == 7 && !json!(marks).to_string().contains("canary"), "U25 {marks:?}");
    // Another instance knows them.
    let settings = bench.services.settings();
    let mut other = verifier.bench("once", bench.services, settings)?;
    ensure!(other.code(&challenged("canary-token-1"))? == "ChallengeUsed", "U25 at another instance");
    ensure!(other.code(&challenged("canary-token-3"))? == "Accepted", "U25 at another instance");
    Ok(())
}

#[test]
fn u25_without_a_token_nobody_is_asked() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("missing", services, settings)?;
    let plain = sign_up(json!({"email": "ann@allowed.example"}));
    let validation = |value: Value| with(plain.clone(), "/request/validationData", value);
    let by = |source: &str, name: &str, attributes: Value| {
        let event = with(challenged("canary-token-9"), "/triggerSource", json!(source));
        with(with(event, "/userName", json!(name)), "/request/userAttributes", attributes)
    };
    let address = json!({"email": "ann@allowed.example", "email_verified": "true"});
    let table = [
        ("null", plain.clone(), "ChallengeMissing"),
        ("another name", validation(json!({"Captcha": "canary-token-9"})), "ChallengeMissing"),
        ("a list", validation(json!([{"Name": "captcha", "Value": "canary-token-9"}])), "ChallengeMissing"),
        ("a text", validation(json!("canary-token-9")), "ChallengeMissing"),
        ("empty", challenged(""), "ChallengeMissing"),
        ("a number", challenged(4711), "ChallengeMissing"),
        ("an object", challenged(json!({"S": "canary-token-9"})), "ChallengeMissing"),
        ("too long", challenged(format!("canary-token-{}", "x".repeat(4084))), "ChallengeFailed"),
        ("a blank behind", challenged("canary-token-9 "), "ChallengeFailed"),
        ("a line break", challenged("canary-token-9\r\nx: y"), "ChallengeFailed"),
        ("an umlaut", challenged("canary-token-\u{e4}"), "ChallengeFailed"),
        (
            "refused anyway",
            with(challenged("canary-token-9"), "/request/userAttributes", json!({"email": "a@evil.example"})),
            "DomainNotAllowed",
        ),
        ("an administrator", by("PreSignUp_AdminCreateUser", "ann", address.clone()), "Accepted"),
        ("a provider", by("PreSignUp_ExternalProvider", "Google_1", address), "Accepted"),
    ];
    for (name, event, expected) in table {
        let code = bench.code(&event)?;
        ensure!(code == expected, "U25 {name}: {code} instead of {expected}");
    }
    ensure!(verifier.asked().is_empty(), "U25 {:?}", verifier.asked());
    ensure!(items(&bench)?.is_empty(), "U25 {:?}", items(&bench)?);
    // The token itself was never used up.
    ensure!(bench.code(&challenged("canary-token-9"))? == "Accepted", "U25 the token is still good");
    Ok(())
}

#[test]
fn u25_without_a_clear_yes_in_time_nobody_gets_in() -> Result<()> {
    let verifier = Siteverify::start()?;
    let services = Services::start()?;
    let settings = services.settings();
    let mut bench = verifier.bench("unclear", services, settings)?;
    let table = [
        ("our-secret", "ChallengeUnjudged"),
        ("html", "ChallengeAnswerUnreadable"),
        ("broken", "ChallengeStatus"),
        ("moved", "ChallengeStatus"),
        ("huge", "ChallengeBodyRefused"),
        ("packed", "ChallengeBodyRefused"),
        ("hanging", "ChallengeTimedOut"),
        ("slow", "Accepted"),
    ];
    for (token, expected) in table {
        let outcome = bench.send(challenged(format!("canary-token-{token}")).to_string())?;
        let code = bench.function.code_of(&outcome).context("no code")?;
        ensure!(code == expected, "U25 {token}: {code} instead of {expected}");
        ensure!(outcome.elapsed < Duration::from_secs(4), "U25 {token} took {:?}", outcome.elapsed);
        let told = (expected != "Accepted").then_some("This is not possible right now, please try again");
        ensure!(outcome.error() == told, "U25 {token}: {:?}", outcome.reply);
    }
    let elsewhere = verifier.asked().into_iter().any(|asked| !asked.starts_with("/siteverify "));
    ensure!(!elsewhere, "U25 a redirect was followed");
    // The marks cannot be written, so nobody can say that a token is new.
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = verifier.bench("no-marks", services, settings)?;
    ensure!(bench.code(&challenged("canary-token-1"))? == "DirectoryUnreachable", "U25 without the table");
    Ok(())
}

#[test]
fn u25_the_challenge_is_off_unless_the_rules_have_one() -> Result<()> {
    let mut bench = Bench::start("pre-sign-up")?;
    for token in [json!("canary-token-1"), json!(4711), json!("x".repeat(5_000)), json!([1e300])] {
        ensure!(bench.code(&challenged(token.clone()))? == "Accepted", "U25 {token:.40}");
        ensure!(bench.code(&challenged(token.clone()))? == "Accepted", "U25 {token:.40} again");
    }
    ensure!(items(&bench)?.is_empty() && bench.services.calls().is_empty(), "U25 something was asked");
    Ok(())
}

#[test]
fn u25_template_and_rules_that_disagree_do_not_start() -> Result<()> {
    let verifier = Siteverify::start()?;
    let (with_challenge, without) = (verifier.rules("start")?, workspace_root().join("tests/attacks.rules.toml"));
    let answering = |status: u16, body: Value| {
        Server::start(move |_| Response::new(status, "application/x-amz-json-1.1", body.to_string()))
    };
    let (denied, empty) =
        (answering(400, json!({"__type": "AccessDeniedException"}))?, answering(200, json!({"SecretString": "{}"}))?);
    let [_, arn] = verifier.settings();
    let at = |server: &Server| vec![arn.clone(), ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), server.url())];
    let table = [
        (&with_challenge, Vec::new(), "CHALLENGE_SECRET_ARN is missing"),
        (&without, vec![arn.clone()], "CHALLENGE_SECRET_ARN is there"),
        (&with_challenge, at(&denied), "CHALLENGE_SECRET_ARN names a secret that cannot be read"),
        (&with_challenge, at(&empty), "CHALLENGE_SECRET_ARN names a secret without a challenge_secret"),
    ];
    for (rules, settings, expected) in table {
        let services = Services::start()?;
        let all = services.settings().into_iter().chain(settings);
        let all = all.chain([("RULES_FILE".to_owned(), rules.display().to_string())]);
        let said = Function::start("pre-sign-up", all).err().context("it starts")?.to_string();
        ensure!(said.contains(expected) && said.contains("SettingRefused"), "U25 {expected}: {said}");
    }
    Ok(())
}
