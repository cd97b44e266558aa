//! The operator's tool reads the users of the old system in.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Stage;
use super::teller::Teller;
use crate::cloud::without_own_aws;

/// What it says when it has left something out.
const PARTIAL: i32 = 3;

/// Runs `poolhouse import` on the old system's users.
pub(super) async fn import(teller: &mut Teller<'_>, stage: &Stage<'_>, table: &str) -> Result<()> {
    let (users, run) = (stage.old_users, stage.run);
    let answer = run.join("import.json");
    let mut command = stage.launcher.command(stage.poolhouse);
    command.args(["import", "--format", "ndjson", "--output", "json", "--table", table]);
    command.arg("--report").arg(run.join("rejected.csv")).arg("--state").arg(run.join("import-state.json")).arg(users);
    without_own_aws(&mut command);
    command.env("AWS_ENDPOINT_URL", stage.gateway).current_dir(run);
    let log = run.join("import.log");
    command.stdout(File::create(&answer)?).stderr(Stdio::from(File::create(&log)?));
    let status = stage.launcher.start(&mut command)?.wait().await?;
    let said: Value = serde_json::from_slice(&std::fs::read(&answer)?)
        .with_context(|| format!("poolhouse import gave no answer; see {}", log.display()))?;

    let number = |pointer: &str| said.pointer(pointer).and_then(Value::as_u64);
    let (rows, written) = (number("/rows"), number("/written/new"));
    let rejected = said.pointer("/first_rejected/0").cloned().unwrap_or_default();
    let row = rejected.get("row").and_then(Value::as_u64);
    let reason = rejected.get("reason").and_then(Value::as_str).unwrap_or_default();
    let right = (rows, written, number("/rejected"), row) == (Some(6), Some(5), Some(1), Some(5));
    let name = users.file_name().unwrap_or_default().to_string_lossy();
    teller.step(
        "poolhouse import reads the export of the old system, all but a password that was kept too badly",
        &format!("poolhouse import --format ndjson --table {table} {name}"),
        &format!("{} of {} users written; row {}: {reason}", shown(written), shown(rows), shown(row)),
        right && status.code() == Some(PARTIAL) && holds_no_secret(&run.join("rejected.csv"), users)?,
    );
    Ok(())
}

fn shown(number: Option<u64>) -> String {
    number.map_or("?".to_owned(), |number| number.to_string())
}

/// Whether the report of rejected rows names nothing of the users.
fn holds_no_secret(report: &Path, users: &Path) -> Result<bool> {
    let report = std::fs::read_to_string(report)?;
    let users = std::fs::read_to_string(users)?;
    let own = |line: &str| -> Result<Vec<String>> {
        let user: Value = serde_json::from_str(line)?;
        let texts = ["id", "email", "password_hash"].into_iter().filter_map(|name| user.get(name)?.as_str());
        Ok(texts.map(str::to_owned).collect())
    };
    let all = users.lines().map(own).collect::<Result<Vec<_>>>()?;
    Ok(!all.iter().flatten().any(|text| report.contains(text.as_str())))
}
