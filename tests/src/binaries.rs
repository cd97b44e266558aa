//! Builds the functions once per test process and says where they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

/// The workspace's top folder.
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The path of a built function, built on the first call.
pub fn binary(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<BTreeMap<String, PathBuf>, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let binaries = built.as_ref().map_err(|error| anyhow!("{error}"))?;
    binaries.get(name).cloned().with_context(|| format!("no binary is called {name}"))
}

/// Asks cargo, so that target folders, profiles and configuration are its affair.
fn build() -> Result<BTreeMap<String, PathBuf>> {
    // To the standard error of the process itself: libtest would hold a print
    // back, and a first build takes minutes.
    let say = |text: &str| drop(std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()));
    say("tests: building the functions (cargo build --workspace --bins)\n");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--bins", "--message-format", "json-render-diagnostics"])
        .current_dir(workspace_root())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("cargo build --workspace --bins failed; what it said is above");
    }
    let mut binaries = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: Value = serde_json::from_str(line)?;
        if let (Some(path), Some(name)) =
            (message.get("executable").and_then(Value::as_str), message.pointer("/target/name").and_then(Value::as_str))
        {
            binaries.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(binaries)
}
