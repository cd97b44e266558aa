//! Where things lie on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that a run reads and writes.
#[derive(Clone, Debug)]
pub struct Places {
    /// The workspace: template, rules, sources.
    pub root: PathBuf,
    /// The `local` binary itself.
    pub binary: PathBuf,
    /// Everything that `local` makes; may be deleted at any time.
    pub made: PathBuf,
}

impl Places {
    /// Finds the workspace by the manifest this binary was built from, and the
    /// target folder by where the binary lies.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the manifest lies in no workspace")?;
        let binary = std::env::current_exe().context("the path of this binary is unknown")?;
        let target = binary.ancestors().nth(2).context("this binary lies in no target folder")?;
        Ok(Self { root: root.to_owned(), made: target.join("local"), binary })
    }

    /// The virtual environments of the tools.
    pub fn tools(&self) -> PathBuf {
        self.made.join("tools")
    }

    /// What one run keeps, by the port it serves: two runs do not disturb each
    /// other, and a run finds no leftovers of an earlier one.
    pub fn fresh_run(&self, port: u16) -> Result<PathBuf> {
        let folder = self.made.join("runs").join(port.to_string());
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
        }
        std::fs::create_dir_all(folder.join("tmp")).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }
}
