//! Rows P17 and L01: nothing that guards is left out by leaving it out, and no
//! setting makes the log tell a token.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::gateway::{http_v1, http_v2, rest_request, rest_token};
use tests::{Audit, Function, Reply, compact, now, other_signing_key, workspace_root};

use crate::{Gate, member};

#[test]
fn a_gate_without_its_settings_does_not_open() -> Result<()> {
    let rules = workspace_root().join("tests/attacks.rules.toml");
    let rules = rules.to_str().context("a path that is not UTF-8")?;
    ensure!(Path::new(rules).exists(), "{rules} is missing");
    let complete = [
        ("RULES_FILE", rules),
        ("ISSUERS", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01"),
        ("CLIENT_IDS", "1example23456789"),
        ("KEY_SET_URL", "http://127.0.0.1:9/keys.json"),
    ];
    // P17: nothing that guards is left out by leaving it out.
    for missing in ["RULES_FILE", "ISSUERS", "CLIENT_IDS"] {
        let settings = complete.iter().filter(|(key, _)| *key != missing);
        let started = Function::start("authorizer", settings.copied());
        let Err(error) = started else { anyhow::bail!("P17 it started without {missing}") };
        ensure!(error.to_string().contains(missing), "P17 without {missing}: {error}");
    }
    for (key, bad) in [("KEY_SET_URL", "http://keys.example/jwks.json"), ("LEEWAY_SECONDS", "61"), ("ANSWER", "yes")] {
        let settings = complete.iter().copied().filter(|(name, _)| *name != key).chain([(key, bad)]);
        let Err(error) = Function::start("authorizer", settings) else {
            anyhow::bail!("P17 it started with {key}={bad}")
        };
        ensure!(error.to_string().contains(key), "P17 with {key}={bad}: {error}");
    }
    Ok(())
}

#[test]
fn no_level_of_the_log_tells_a_token_or_a_part_of_it() -> Result<()> {
    for level in ["error", "warn", "info", "debug", "trace"] {
        let mut gate = Gate::open(&[("LOG_LEVEL", level)])?;
        let claims = || member(gate.issuer.access());
        let header = json!({"alg": "RS256", "kid": "canary-kid-0123456789"}).to_string();
        let tokens = [
            gate.good.clone(),
            compact(gate.issuer.header(), claims().text(), other_signing_key()?)?,
            compact(header, claims().text(), other_signing_key()?)?,
            gate.issuer.mint(&claims().with("iat", now() - 600).with("exp", now() - 1))?,
            gate.issuer.mint(&claims().with("client_id", "canary-client-0123456789"))?,
            gate.issuer.mint(&claims().with("sub", "canary sub 0123456789"))?,
            gate.issuer.mint(&claims().with("email", "canary-mail-0123456789@acme.example"))?,
            format!("{}.x", gate.good),
            gate.good.replace('.', ","),
            format!("\"{}", gate.good),
        ];
        let mut audit = Audit::default();
        let mut answers = Vec::new();
        for token in &tokens {
            audit.keep_token(token);
            for event in [rest_token, rest_request, http_v1, http_v2] {
                match gate.function.invoke_json(&event(token, "GET", "/items")).reply {
                    Reply::Answer(body) => answers.push(String::from_utf8_lossy(&body).into_owned()),
                    Reply::Error { message, .. } => answers.push(message),
                    other => anyhow::bail!("L01 {level}: {other:?}"),
                }
            }
        }
        gate.still_serves()?;
        audit.printed(&gate.function).with_context(|| format!("L01 {level}"))?;
        // A part that is long enough to know a token again tells too much already. The
        // header is everybody's.
        let ends = tokens.iter().flat_map(|token| {
            let (rest, signature) = token.rsplit_once('.').unwrap_or_default();
            [
                signature.get(..8),
                signature.get(signature.len().saturating_sub(8)..),
                rest.get(rest.len().saturating_sub(8)..),
            ]
        });
        let mut parts: Vec<&str> = ends.flatten().filter(|part| part.len() == 8).collect();
        parts.push("canary-");
        let lines = gate.function.lines();
        for text in lines.iter().map(|line| &line.text).chain(&answers) {
            audit.text(text)?;
            let part = parts.iter().find(|part| text.contains(**part));
            ensure!(part.is_none(), "L01 {level}: {part:?} was seen in {text}");
        }
    }
    Ok(())
}
