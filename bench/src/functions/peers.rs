//! The same decision in other languages: the libraries that people take there,
//! on the runtime clients that AWS publishes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tests::workspace_root;

use super::process::Program;

/// Installs both, each in a folder of its own; for one that cannot be had, why.
pub(crate) fn ready(settings: &[(String, String)]) -> Vec<(&'static str, Result<Program>)> {
    let folder = workspace_root().join("target/bench");
    vec![("Python", python(&folder, settings)), ("Node", node(&folder, settings))]
}

fn python(folder: &Path, settings: &[(String, String)]) -> Result<Program> {
    let own = workspace_root().join("bench/peers/python");
    let environment = folder.join("python");
    install(&environment, &own.join("requirements.txt"), || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"];
        run(Command::new(environment.join("bin/python")).args(pip).arg(own.join("requirements.txt")))
    })?;
    let mut settings = settings.to_vec();
    settings.push(("PYTHONPATH".to_owned(), own.display().to_string()));
    // Its compiled form is kept, as in a deployed package, but not beside its source.
    settings.push(("PYTHONPYCACHEPREFIX".to_owned(), folder.join("pycache").display().to_string()));
    settings.push(("_HANDLER".to_owned(), "handler.handle".to_owned()));
    Ok(Program {
        name: "Python, PyJWT".to_owned(),
        path: environment.join("bin/python"),
        arguments: ["-m", "awslambdaric", "handler.handle"].map(str::to_owned).to_vec(),
        settings,
    })
}

/// The runtime client for Node is built from C++ when it is installed.
fn node(folder: &Path, settings: &[(String, String)]) -> Result<Program> {
    let own = workspace_root().join("bench/peers/node");
    let place = folder.join("node");
    // CMake comes with the Python environment; the rest is the system's.
    let missing: Vec<&str> =
        ["autoreconf", "libtoolize", "make", "g++"].into_iter().filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        bail!(
            "aws-lambda-ric is built when it is installed, and {} is missing (autoconf, automake, libtool, make, g++)",
            missing.join(", ")
        );
    }
    install(&place, &own.join("package-lock.json"), || {
        fs::create_dir_all(&place)?;
        for file in ["package.json", "package-lock.json", "handler.mjs"] {
            fs::copy(own.join(file), place.join(file))?;
        }
        let path = format!("{}:{}", folder.join("python/bin").display(), std::env::var("PATH").unwrap_or_default());
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&place)
            .env("PATH", path))
    })?;
    fs::copy(own.join("handler.mjs"), place.join("handler.mjs"))?;
    let mut settings = settings.to_vec();
    let certificates = settings.iter().find(|(key, _)| key == "EXTRA_CA_CERTS").map(|(_, value)| value.clone());
    settings.push(("NODE_EXTRA_CA_CERTS".to_owned(), certificates.unwrap_or_default()));
    Ok(Program {
        name: "Node, aws-jwt-verify".to_owned(),
        path: which("node").context("node is missing")?,
        arguments: vec![
            place.join("node_modules/aws-lambda-ric/bin/index.mjs").display().to_string(),
            // By its whole path: otherwise it is looked for where this program was started.
            place.join("handler.handle").display().to_string(),
        ],
        settings,
    })
}

/// Does it once for each version of the list.
fn install(folder: &Path, list: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let (complete, wanted) = (folder.join("complete"), fs::read_to_string(list)?);
    if fs::read_to_string(&complete).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    crate::say(&format!("installing into {}, this once", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    work()?;
    Ok(fs::write(complete, wanted)?)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn is_there(name: &str) -> bool {
    which(name).is_some()
}

fn which(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file())
}
