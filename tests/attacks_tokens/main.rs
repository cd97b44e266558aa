//! Forged, broken and misused tokens, put to the built authorizer.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

mod algorithms;
mod claims;
mod header;
mod issuers;
mod rights;
mod settings;
mod sizes;
mod structure;
mod times;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::{Passage, arn, http_v2, passage, rest_token};
use tests::{Audit, Claims, Function, TokenIssuer};

/// One bad token: its row, what is bad about it, and the code it must get.
struct Row {
    id: &'static str,
    says: String,
    token: String,
    code: &'static str,
}

fn row(id: &'static str, says: impl Into<String>, token: impl Into<String>, code: &'static str) -> Row {
    Row { id, says: says.into(), token: token.into(), code }
}

/// An authorizer that trusts one pool, and that pool.
struct Gate {
    issuer: TokenIssuer,
    function: Function,
    good: String,
    /// When it was started.
    since: Instant,
}

impl Gate {
    fn open(settings: &[(&str, &str)]) -> Result<Self> {
        Self::before(TokenIssuer::start()?, settings)
    }

    fn before(issuer: TokenIssuer, settings: &[(&str, &str)]) -> Result<Self> {
        let since = Instant::now();
        // L01: at the finest log level, and still no secret is told.
        let function = Function::attacked(&issuer, settings)?;
        let good = issuer.mint(&member(issuer.access()))?;
        Ok(Self { issuer, function, good, since })
    }

    /// Puts a bad token to the authorizer in two ways, and a good one after it. Checks L02, L04 and L05 as well:
    /// one JSON line with one code, and one answer whatever the reason is.
    fn refuses(&mut self, row: &Row) -> Result<()> {
        let mut audit = Audit::default();
        audit.keep_token(&row.token);
        let simple = self.function.invoke_json(&http_v2(&row.token, "GET", "/items"));
        audit.outcome(&self.function, &simple)?;
        let code = self.function.code_of(&simple);
        ensure!(code.as_deref() == Some(row.code), "the code is {code:?} instead of {}", row.code);
        // Whatever the reason is, every caller hears the same.
        ensure!(simple.json()? == json!({"isAuthorized": false}), "the reply is {:?}", simple.reply);
        let rest = self.function.invoke_json(&rest_token(&row.token, "GET", "/items"));
        audit.outcome(&self.function, &rest)?;
        let heard = passage(&rest, &arn("GET", "/items"));
        ensure!(heard == Passage::Unauthorized, "a REST API is told {:?}", rest.reply);
        for line in self.function.log_of(&simple).iter().chain(&self.function.log_of(&rest)) {
            audit.text(&line.text)?;
        }
        self.still_serves()
    }

    fn still_serves(&mut self) -> Result<()> {
        let outcome = self.function.invoke_json(&http_v2(&self.good, "GET", "/items"));
        let heard = passage(&outcome, &arn("GET", "/items"));
        ensure!(heard == Passage::Allowed, "a good token is told {:?} afterwards", outcome.reply);
        Ok(())
    }

    fn refuses_all(&mut self, rows: &[Row]) -> Result<()> {
        let mut failures = Vec::new();
        for row in rows {
            if let Err(error) = self.refuses(row) {
                failures.push(format!("{} {}: {error:#}", row.id, row.says));
            }
        }
        ensure!(failures.is_empty(), "{} of {} rows failed:\n{}", failures.len(), rows.len(), failures.join("\n"));
        Audit::default().printed(&self.function)
    }

    /// Puts a token to a route and says what came back, with the code.
    fn ask(&mut self, token: &str, method: &str, path: &str) -> Result<(Passage, String, Value)> {
        let outcome = self.function.invoke_json(&http_v2(token, method, path));
        let mut audit = Audit::default();
        audit.keep_token(token);
        audit.outcome(&self.function, &outcome)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        let reply = outcome.json().unwrap_or_default();
        audit.text(&reply.to_string())?;
        Ok((passage(&outcome, &arn(method, path)), code, reply))
    }
}

fn member(claims: Claims) -> Claims {
    claims.with("tenant", "acme").with("roles", json!(["member"]))
}

const MALFORMED: &str = "TokenMalformed";
