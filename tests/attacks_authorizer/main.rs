//! Odd events, cached answers and failing key sets, put to the built authorizer.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

mod events;
mod key_sets;
mod places;
mod policies;
mod schemes;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::Passage::{self, Allowed};
use tests::gateway::{arn, http_v2, passage, rest_request};
use tests::{Audit, Function, Outcome, Reply, TokenIssuer};

/// An authorizer that trusts one pool, that pool, and two of its tokens.
struct Gate {
    issuer: TokenIssuer,
    function: Function,
    token: String,
    other: String,
}

impl Gate {
    fn open(settings: &[(&str, &str)]) -> Result<Self> {
        Self::before(TokenIssuer::start()?, settings)
    }

    fn before(issuer: TokenIssuer, settings: &[(&str, &str)]) -> Result<Self> {
        // L01: at the finest log level, and still no secret is told.
        let function = Function::attacked(&issuer, settings)?;
        let token = issuer.mint(&issuer.access().with("tenant", "acme").with("roles", json!(["member"])))?;
        let other = issuer.mint(&issuer.access().with("tenant", "globex").with("roles", json!(["admin"])))?;
        Ok(Self { issuer, function, token, other })
    }

    fn send(&mut self, event: impl Into<Vec<u8>>) -> Result<Outcome> {
        let outcome = self.function.invoke(event);
        let mut audit = Audit::default();
        audit.keep_token(&self.token);
        audit.outcome(&self.function, &outcome)?;
        audit.printed(&self.function)?;
        if let Reply::Answer(body) = &outcome.reply {
            audit.text(&String::from_utf8_lossy(body))?;
        }
        Ok(outcome)
    }

    /// The code of an event for `GET /items`, and what its caller gets.
    fn heard(&mut self, event: &Value) -> Result<(Passage, String)> {
        let outcome = self.send(event.to_string())?;
        let code = self.function.code_of(&outcome).context("no code")?;
        Ok((passage(&outcome, &arn("GET", "/items")), code))
    }

    fn still_serves(&mut self) -> Result<()> {
        let event = http_v2(&self.token, "GET", "/items");
        let (heard, code) = self.heard(&event)?;
        ensure!(heard == Allowed, "a good event is told {heard:?}, {code}");
        Ok(())
    }

    fn policy(&mut self, token: &str, method: &str, path: &str) -> Result<Value> {
        let outcome = self.send(rest_request(token, method, path).to_string())?;
        Ok(outcome.json()?["policyDocument"].take())
    }
}

/// Sends each event, compares what its caller gets, and a good event after it.
fn each(gate: &mut Gate, table: Vec<(&str, &str, Value, Passage, &str)>) -> Result<()> {
    let mut failures = Vec::new();
    for (id, says, event, expected, expected_code) in table {
        match gate.heard(&event).and_then(|heard| gate.still_serves().map(|()| heard)) {
            Ok((heard, code)) if heard == expected && code == expected_code => {}
            Ok(heard) => failures.push(format!("{id} {says}: {heard:?} instead of {expected:?}, {expected_code}")),
            Err(error) => failures.push(format!("{id} {says}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

/// A number from the environment, for longer runs.
fn setting(name: &str, otherwise: usize) -> Result<usize> {
    std::env::var(name).map_or(Ok(otherwise), |text| Ok(text.parse()?))
}
