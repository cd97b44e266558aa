//! The operator has everything looked at that he has deployed.

use std::fs::File;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Stage;
use super::teller::Teller;
use crate::cloud::without_own_aws;

/// Runs `poolhouse doctor` on the pool, its clients, roles, functions and API.
pub(super) async fn tell(teller: &mut Teller<'_>, stage: &Stage<'_>) -> Result<()> {
    teller.chapter("Operating: what is dangerous about all this?");
    let (pool, api) = (stage.outputs.get("UserPoolId")?, stage.outputs.get("ApiId")?);
    let (answer, log) = (stage.run.join("doctor.json"), stage.run.join("doctor.log"));
    let mut command = stage.launcher.command(stage.poolhouse);
    command.args(["doctor", "--output", "json", "--fail-on", "warning", "--pool", pool, "--api", api, "--rules"]);
    command.arg(stage.rules);
    without_own_aws(&mut command);
    command.env("AWS_ENDPOINT_URL", stage.gateway).current_dir(stage.run);
    command.stdout(File::create(&answer)?).stderr(Stdio::from(File::create(&log)?));
    let status = stage.launcher.start(&mut command)?.wait().await?;
    let said: Value = serde_json::from_slice(&std::fs::read(&answer)?)
        .with_context(|| format!("poolhouse doctor gave no answer; see {}", log.display()))?;
    let findings = said.get("findings").and_then(Value::as_array).context("no findings, not even none")?;
    let text = |finding: &Value, name: &str| finding.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let told =
        findings.iter().map(|one| format!("{}[{}] {}", text(one, "severity"), text(one, "code"), text(one, "subject")));
    let told: Vec<String> = told.collect();
    teller.step(
        "poolhouse doctor finds nothing that is dangerous, and names the one route that is open on purpose",
        &format!("poolhouse doctor --fail-on warning --pool {pool} --api {api} --rules rules/rules.toml"),
        &told.join("; "),
        status.code() == Some(0) && told == ["note[RouteWithoutAuthorizer] route PUT /guest/claim"],
    );
    Ok(())
}
