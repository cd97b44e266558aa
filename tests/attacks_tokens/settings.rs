//! Row P17: nothing that guards is left out by leaving it out.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tests::{Function, workspace_root};

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
