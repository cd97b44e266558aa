//! Builds the functions and packs them for `sam deploy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

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
    fs::create_dir_all(&folder)?;
    let package = |resource: &str| folder.join(format!("{resource}.zip"));
    for (resource, name) in &artefacts.functions {
        let binary = built.get(name).with_context(|| format!("cargo built no binary {name}"))?;
        pack(binary, &package(resource)).await?;
    }
    write(places, &text, &artefacts, package, run)
}

/// Builds the operator's tool; answers where it is.
pub async fn operators_tool(places: &Places, launcher: &Launcher) -> Result<PathBuf> {
    let built = build(places, launcher, &BTreeSet::from(["poolhouse"])).await?;
    built.get("poolhouse").cloned().context("cargo built no binary poolhouse")
}

/// Writes the template that is deployed; answers its path.
fn write(
    places: &Places,
    text: &str,
    artefacts: &Artefacts,
    of_function: impl Fn(&str) -> PathBuf,
    run: &Path,
) -> Result<PathBuf> {
    let of_resource = |resource: &str| match artefacts.layers.get(resource) {
        Some(source) => places.root.join(source),
        None => of_function(resource),
    };
    let path = run.join("template.yaml");
    fs::write(&path, with_artefacts(&with_numbers(text), of_resource))?;
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
    write(places, &text, &Artefacts::read(&text)?, |resource| folder.join(resource), run)
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

/// A package with the binary as `bootstrap`, made here because what `sam deploy`
/// does with a folder, compressing it, takes longer than all the rest. Without
/// debug information where the machine has `strip`.
async fn pack(binary: &Path, package: &Path) -> Result<()> {
    let stripped = package.with_extension("bootstrap");
    let strip = tokio::process::Command::new("strip").arg("-o").arg(&stripped).arg(binary).output().await;
    let done = strip.is_ok_and(|output| output.status.success());
    let source = if done { &stripped } else { binary };
    let mut bytes = File::open(source).with_context(|| format!("{} cannot be read", source.display()))?;
    let file = File::create(package).with_context(|| format!("{} cannot be written", package.display()))?;
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    std::io::copy(&mut bytes, &mut zip)?;
    zip.finish()?;
    Ok(())
}
