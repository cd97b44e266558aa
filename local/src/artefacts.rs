//! Builds the functions and lays them out for `sam deploy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::places::Places;
use crate::say::Say;
use crate::supervise::Launcher;
use crate::template::{Artefacts, with_artefacts, with_numbers};
use crate::tools::Installed;

/// Builds with the quick profile and writes the template beside the artefacts;
/// answers the template's path.
pub async fn quick(places: &Places, launcher: &Launcher, say: &Say, run: &Path) -> Result<PathBuf> {
    let text = template(places)?;
    let artefacts = Artefacts::read(&text)?;
    let names: BTreeSet<_> = artefacts.functions.values().map(String::as_str).collect();
    say.prepared("build", &format!("{} functions with cargo build", names.len()));
    let built = build(places, launcher, &names).await?;
    let folder = run.join("build");
    for (resource, name) in &artefacts.functions {
        let binary = built.get(name).with_context(|| format!("cargo built no binary {name}"))?;
        lay_out(binary, &folder.join(resource)).await?;
    }
    write(places, &text, &artefacts, &folder, run)
}

/// Writes the template that is deployed; answers its path.
fn write(places: &Places, text: &str, artefacts: &Artefacts, folder: &Path, run: &Path) -> Result<PathBuf> {
    let folder_of = |resource: &str| match artefacts.layers.get(resource) {
        Some(source) => places.root.join(source),
        None => folder.join(resource),
    };
    let path = run.join("template.yaml");
    fs::write(&path, with_artefacts(&with_numbers(text), folder_of))?;
    Ok(path)
}

/// Builds what ships, with `sam build`; answers the path of the built template.
pub async fn shipped(
    places: &Places,
    launcher: &Launcher,
    say: &Say,
    run: &Path,
    sam: &Installed,
    cargo_lambda: &Installed,
) -> Result<PathBuf> {
    let folder = run.join("build");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([cargo_lambda.programs()].into_iter().chain(std::env::split_paths(&path)))?;
    let mut command = launcher.command(sam.program("sam"));
    command.arg("build").arg("--template-file").arg(places.root.join("template.yaml"));
    command.arg("--build-dir").arg(&folder).current_dir(&places.root);
    command.env("PATH", path).env("SAM_CLI_TELEMETRY", "0");
    let log = run.join("sam-build.log");
    let work = launcher.run(&mut command, "sam build", &log);
    say.during("build", "sam build, for release; this takes minutes", work).await?;
    let text = template(places)?;
    write(places, &text, &Artefacts::read(&text)?, &folder, run)
}

fn template(places: &Places) -> Result<String> {
    let path = places.root.join("template.yaml");
    fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// One line of cargo's machine-readable output, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
}

/// Runs cargo with its progress shown, and asks it where the binaries are.
async fn build(places: &Places, launcher: &Launcher, names: &BTreeSet<&str>) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = launcher.command(cargo);
    command.args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
    for name in names {
        command.args(["--bin", name]);
    }
    command.current_dir(&places.root).stdout(Stdio::piped());
    let mut supervised = launcher.start(&mut command)?;
    let output = supervised.output().context("the output of cargo cannot be read")?;
    let mut lines = BufReader::new(output).lines();
    let mut found = BTreeMap::new();
    while let Some(line) = lines.next_line().await? {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        if let ("compiler-artifact", Some(path)) = (message.reason.as_str(), message.executable)
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            found.insert(name.to_owned(), path);
        }
    }
    if !supervised.wait().await?.success() {
        bail!("cargo build failed; its messages stand above");
    }
    Ok(found)
}

/// The binary as `bootstrap`, without debug information where the machine has
/// `strip`: a tenth of the size, so the upload takes no time.
async fn lay_out(binary: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let bootstrap = folder.join("bootstrap");
    let strip = tokio::process::Command::new("strip").arg("-o").arg(&bootstrap).arg(binary).output().await;
    if !strip.is_ok_and(|output| output.status.success()) {
        fs::copy(binary, &bootstrap).with_context(|| format!("{} cannot be written", bootstrap.display()))?;
    }
    Ok(())
}
