//! Python packages, each in a virtual environment of its own.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Tool, printed};
use crate::supervise::Launcher;

/// The oldest Python that all tools run on.
const OLDEST: (u32, u32) = (3, 10);

pub(super) async fn install(launcher: &Launcher, folder: &Path, tool: &Tool, extra: &str, log: &Path) -> Result<()> {
    let python = python().await?;
    let mut venv = launcher.command(&python);
    venv.args(["-m", "venv"]).arg(folder);
    let made = launcher.run(&mut venv, "making a virtual environment", log).await;
    made.with_context(|| format!("{python} cannot make virtual environments (on Debian: install python3-venv)"))?;
    let mut pip = launcher.command(folder.join("bin/python"));
    let wanted = format!("{}{extra}=={}", tool.name, tool.version);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", &wanted]);
    launcher.run(&mut pip, &format!("installing {wanted}"), log).await
}

/// Asks the environment itself which version it has.
pub(super) async fn verify(folder: &Path, tool: &Tool) -> Result<()> {
    let ask = format!("import importlib.metadata as m; print(m.version('{}'))", tool.name);
    let version = printed(&folder.join("bin/python").to_string_lossy(), &["-c", &ask]).await;
    if version.as_deref() == Some(tool.version) {
        return Ok(());
    }
    Err(tool.differs(folder, version.as_deref()))
}

/// Finds a Python that the tools run on.
async fn python() -> Result<String> {
    let mut newest = None;
    for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"] {
        let Some(version) = python_version(name).await else { continue };
        if version >= OLDEST {
            return Ok(name.to_owned());
        }
        newest = newest.max(Some(version));
    }
    let (major, minor) = OLDEST;
    match newest {
        None => {
            bail!("Python {major}.{minor} or newer is needed for the local AWS, but there is no python3 on the PATH")
        }
        Some((a, b)) => bail!("Python {major}.{minor} or newer is needed for the local AWS, but python3 is {a}.{b}"),
    }
}

async fn python_version(name: &str) -> Option<(u32, u32)> {
    let text = printed(name, &["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]).await?;
    let (major, minor) = text.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
