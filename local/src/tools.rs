//! The Python tools, each in a virtual environment of its own, at one exact
//! version.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::time::sleep;

use crate::places::Places;
use crate::say::Say;
use crate::supervise::Launcher;

/// A tool and the version that this project was tried with.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// The name of the package.
    pub name: &'static str,
    /// The extra of the package, in brackets, or empty.
    extra: &'static str,
    /// The only version that is used.
    pub version: &'static str,
}

/// The local AWS. `full` brings the SAM transform and RSA signing.
pub const MINISTACK: Tool = Tool { name: "ministack", extra: "[full]", version: "1.5.33" };
/// What deploys, here and to AWS.
pub const SAM: Tool = Tool { name: "aws-sam-cli", extra: "", version: "1.170.0" };
/// What builds the functions that ship.
pub const CARGO_LAMBDA: Tool = Tool { name: "cargo-lambda", extra: "", version: "1.9.2" };

/// The oldest Python that all tools run on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// A tool that is installed and has the right version.
#[derive(Clone, Debug)]
pub struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// A program of the tool.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Where the tool's programs lie.
    pub fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }
}

/// Makes sure that each tool is there; installs what is missing.
pub async fn ready(places: &Places, launcher: &Launcher, say: &Say, tools: &[Tool]) -> Result<Vec<Installed>> {
    let folder = places.tools();
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // Two runs at once must not install into one folder. The lock ends with us.
    let lock = File::create(folder.join("lock"))?;
    let work = async {
        while lock.try_lock().is_err() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(_) => say.during("tools", "waiting for another run that installs them", work).await,
    }
    let mut found = Vec::new();
    for tool in tools {
        found.push(one(&folder, launcher, say, tool).await?);
    }
    let names: Vec<_> = tools.iter().map(|tool| format!("{} {}", tool.name, tool.version)).collect();
    say.prepared("tools", &names.join(", "));
    Ok(found)
}

async fn one(tools: &Path, launcher: &Launcher, say: &Say, tool: &Tool) -> Result<Installed> {
    let folder = tools.join(format!("{}-{}", tool.name, tool.version));
    // Written last: a folder without it is what an interrupted run left.
    let complete = folder.join("complete");
    if !complete.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
        }
        let python = python().await?;
        let begun = Instant::now();
        let text = format!("installing {} {}, this once", tool.name, tool.version);
        let log = tools.join(format!("{}.log", tool.name));
        say.during("tools", &text, install(launcher, &python, &folder, tool, &log)).await?;
        verify(&folder, tool).await?;
        fs::write(&complete, format!("{}=={}\n", tool.name, tool.version))?;
        let seconds = begun.elapsed().as_secs();
        say.prepared("tools", &format!("{} {} installed in {seconds} s", tool.name, tool.version));
    } else {
        verify(&folder, tool).await?;
    }
    Ok(Installed { folder })
}

async fn install(launcher: &Launcher, python: &str, folder: &Path, tool: &Tool, log: &Path) -> Result<()> {
    let mut venv = launcher.command(python);
    venv.args(["-m", "venv"]).arg(folder);
    let made = launcher.run(&mut venv, "making a virtual environment", log).await;
    made.with_context(|| format!("{python} cannot make virtual environments (on Debian: install python3-venv)"))?;
    let mut pip = launcher.command(folder.join("bin/python"));
    let wanted = format!("{}{}=={}", tool.name, tool.extra, tool.version);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", &wanted]);
    launcher.run(&mut pip, &format!("installing {wanted}"), log).await
}

/// Asks the environment itself which version it has.
async fn verify(folder: &Path, tool: &Tool) -> Result<()> {
    let ask = format!("import importlib.metadata as m; print(m.version('{}'))", tool.name);
    let answer = run(&folder.join("bin/python").to_string_lossy(), &["-c", &ask]).await;
    let version = answer.unwrap_or_default();
    if version != tool.version {
        let found = if version.is_empty() { "a broken installation".to_owned() } else { format!("version {version}") };
        bail!(
            "{} {} is needed, but {} holds {found}; delete that folder and start again",
            tool.name,
            tool.version,
            folder.display()
        );
    }
    Ok(())
}

/// Finds a Python that the tools run on.
async fn python() -> Result<String> {
    let mut newest = None;
    for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"] {
        let Some(version) = python_version(name).await else { continue };
        if version >= OLDEST_PYTHON {
            return Ok(name.to_owned());
        }
        newest = newest.max(Some(version));
    }
    let (major, minor) = OLDEST_PYTHON;
    match newest {
        None => {
            bail!("Python {major}.{minor} or newer is needed for the local AWS, but there is no python3 on the PATH")
        }
        Some((a, b)) => bail!("Python {major}.{minor} or newer is needed for the local AWS, but python3 is {a}.{b}"),
    }
}

async fn python_version(name: &str) -> Option<(u32, u32)> {
    let text = run(name, &["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]).await?;
    let (major, minor) = text.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What a program that ends at once prints; `None` when it fails.
async fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = tokio::process::Command::new(program).args(arguments).kill_on_drop(true).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
