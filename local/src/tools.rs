//! The tools that others made, each in a folder of its own under `target/local`,
//! at one exact version.
//!
//! What is there is never asked for again, so that a second run needs no network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::sleep;

use crate::places::Places;
use crate::say::Say;
use crate::supervise::Launcher;

pub mod node;
pub mod python;

/// A tool and the version that this project was tried with.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// The name of the package.
    pub name: &'static str,
    /// The only version that is used.
    pub version: &'static str,
    /// Where it comes from.
    origin: Origin,
}

/// Where a tool comes from, and what is needed to install it.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// A Python package with an extra, in brackets, or an empty one.
    Python { extra: &'static str },
    /// A Node package, with the manifest and the lock file that pin all it needs.
    Node { manifest: &'static str, lock: &'static str },
}

/// The local AWS. `full` brings the SAM transform and RSA signing.
pub const MINISTACK: Tool = Tool { name: "ministack", version: "1.5.33", origin: Origin::Python { extra: "[full]" } };
/// What deploys, here and to AWS.
pub const SAM: Tool = Tool { name: "aws-sam-cli", version: "1.170.0", origin: Origin::Python { extra: "" } };
/// What builds the functions that ship.
pub const CARGO_LAMBDA: Tool = Tool { name: "cargo-lambda", version: "1.9.2", origin: Origin::Python { extra: "" } };
/// What checks signatures for the second verifier of tokens.
pub const JOSERFC: Tool = Tool { name: "joserfc", version: "1.8.0", origin: Origin::Python { extra: "" } };
/// The sign-in service of another company, which the story's users come from.
pub const OIDC_PROVIDER: Tool = Tool {
    name: "oidc-provider",
    version: "9.13.3",
    origin: Origin::Node {
        manifest: include_str!("../npm/oidc-provider/package.json"),
        lock: include_str!("../npm/oidc-provider/package-lock.json"),
    },
};
/// Another imitation of user pools, for a second opinion on the triggers.
pub const COGNITO_LOCAL: Tool = Tool {
    name: "cognito-local",
    version: "5.3.0",
    origin: Origin::Node {
        manifest: include_str!("../npm/cognito-local/package.json"),
        lock: include_str!("../npm/cognito-local/package-lock.json"),
    },
};

/// A tool that is installed and has the right version.
#[derive(Clone, Debug)]
pub struct Installed {
    folder: PathBuf,
    programs: &'static str,
}

impl Installed {
    /// A program of the tool.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    /// Where the tool's programs lie.
    pub fn programs(&self) -> PathBuf {
        self.folder.join(self.programs)
    }

    /// The folder that holds all of the tool; a Node program finds the package
    /// by it.
    pub fn folder(&self) -> &Path {
        &self.folder
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
        let begun = Instant::now();
        let text = format!("installing {} {}, this once", tool.name, tool.version);
        let log = tools.join(format!("{}.log", tool.name));
        say.during("tools", &text, tool.install(launcher, &folder, &log)).await?;
        tool.verify(&folder).await?;
        fs::write(&complete, format!("{}=={}\n", tool.name, tool.version))?;
        let seconds = begun.elapsed().as_secs();
        say.prepared("tools", &format!("{} {} installed in {seconds} s", tool.name, tool.version));
    } else {
        tool.verify(&folder).await?;
    }
    let programs = match tool.origin {
        Origin::Python { .. } => "bin",
        Origin::Node { .. } => "node_modules/.bin",
    };
    Ok(Installed { folder, programs })
}

impl Tool {
    async fn install(&self, launcher: &Launcher, folder: &Path, log: &Path) -> Result<()> {
        match self.origin {
            Origin::Python { extra } => python::install(launcher, folder, self, extra, log).await,
            Origin::Node { manifest, lock } => node::install(launcher, folder, self, manifest, lock, log).await,
        }
    }

    async fn verify(&self, folder: &Path) -> Result<()> {
        match self.origin {
            Origin::Python { .. } => python::verify(folder, self).await,
            Origin::Node { .. } => node::verify(folder, self).await,
        }
    }

    /// An installed tool that is not what it should be.
    fn differs(&self, folder: &Path, found: Option<&str>) -> anyhow::Error {
        let found = found.map_or("a broken installation".to_owned(), |version| format!("version {version}"));
        let (name, version, folder) = (self.name, self.version, folder.display());
        anyhow::anyhow!("{name} {version} is needed, but {folder} holds {found}; delete that folder and start again")
    }
}

/// What a program that ends at once prints; `None` when it fails.
async fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = tokio::process::Command::new(program).args(arguments).kill_on_drop(true).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
