//! Odd and hostile user-pool events, put to the built trigger functions.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

mod challenge;
mod envelope;
mod provisioning;
mod sign_up;
mod tokens;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Audit, DIRECTORY_TABLE, Function, Outcome, Reply, Services, workspace_root};

const SUB: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const CLIENT: &str = "1example23456789";
const TRIGGERS: [&str; 3] = ["pre-sign-up", "post-confirmation", "pre-token-generation"];

/// A trigger function and the services that it calls.
struct Bench {
    services: Services,
    function: Function,
    audit: Audit,
}

impl Bench {
    fn start(function: &str) -> Result<Self> {
        let services = Services::start()?;
        let settings = services.settings();
        Self::with(function, services, settings)
    }

    fn with(function: &str, services: Services, settings: Vec<(String, String)>) -> Result<Self> {
        Self::with_rules(function, services, settings, &workspace_root().join("tests/attacks.rules.toml"))
    }

    fn with_rules(
        function: &str,
        services: Services,
        mut settings: Vec<(String, String)>,
        rules: &Path,
    ) -> Result<Self> {
        settings.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // L01: everything that could be told is told, and still holds no secret.
        settings.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        let mut audit = Audit::default();
        ["canary-password-8d1f", "canary-metadata-77aa", "canary-address", "canary-number"]
            .iter()
            .for_each(|secret| audit.keep_secret(secret));
        Ok(Self { services, function: Function::start(function, settings)?, audit })
    }

    /// Sends an event and checks what holds always: T18, an error's text is on the list; L02, one JSON line.
    fn send(&mut self, event: impl Into<Vec<u8>>) -> Result<Outcome> {
        let outcome = self.function.invoke(event);
        self.audit.outcome(&self.function, &outcome)?;
        self.audit.printed(&self.function)?;
        Ok(outcome)
    }

    fn code(&mut self, event: &Value) -> Result<String> {
        let outcome = self.send(event.to_string())?;
        self.function.code_of(&outcome).context("no code")
    }

    /// The answer to an event, which must be the event itself but for its response.
    fn answer(&mut self, event: &Value) -> Result<Value> {
        let mut answer = self.send(event.to_string())?.json()?;
        let response = answer["response"].take();
        let mut whole = event.clone();
        whole["response"] = json!(null);
        ensure!(answer == whole, "T17 the event came back changed: {answer}");
        Ok(response)
    }

    fn still_serves(&mut self) -> Result<()> {
        let event = good(self.function.name());
        let outcome = self.send(event.to_string())?;
        ensure!(matches!(outcome.reply, Reply::Answer(_)), "a good event is told {:?}", outcome.reply);
        Ok(())
    }

    fn put(&self, item: Value) -> Result<()> {
        self.services.put(DIRECTORY_TABLE, &item)
    }
}

fn items(bench: &Bench) -> Result<Vec<String>> {
    let key = |item: &Value| {
        format!("{} {}", item["pk"]["S"].as_str().unwrap_or_default(), item["sk"]["S"].as_str().unwrap_or_default())
    };
    Ok(bench.services.items(DIRECTORY_TABLE)?.iter().map(key).collect())
}

fn event(source: &str, version: &str, request: Value) -> Value {
    json!({
        "version": version,
        "region": "us-east-1",
        "userPoolId": "us-east-1_EXAMPLE01",
        "userName": SUB,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": CLIENT},
        "triggerSource": source,
        "request": request,
        "response": {},
    })
}

/// An event that the function answers.
fn good(function: &str) -> Value {
    match function {
        "pre-sign-up" => sign_up(json!({"email": "ann@allowed.example"})),
        "post-confirmation" => confirmation(attributes()),
        _ => token("TokenGeneration_Authentication", json!({"userAttributes": attributes()})),
    }
}

fn attributes() -> Value {
    json!({"sub": SUB, "email": "ann@allowed.example", "email_verified": "true", "cognito:user_status": "CONFIRMED"})
}

fn sign_up(attributes: Value) -> Value {
    event("PreSignUp_SignUp", "1", json!({"userAttributes": attributes, "validationData": null}))
}

fn confirmation(attributes: Value) -> Value {
    event("PostConfirmation_ConfirmSignUp", "1", json!({ "userAttributes": attributes }))
}

fn token(source: &str, request: Value) -> Value {
    event(source, "2", request)
}
