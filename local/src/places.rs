//! Where things lie on this machine.

use std::fs::{self, File};
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

    /// An empty folder for what one run keeps, by the port it serves: two runs
    /// do not disturb each other, and a run finds no leftovers. What ended runs
    /// left is removed.
    pub fn fresh_run(&self, port: u16) -> Result<Run> {
        let runs = self.made.join("runs");
        sweep(&runs);
        let folder = runs.join(port.to_string());
        fs::create_dir_all(folder.join("tmp")).with_context(|| format!("{} cannot be made", folder.display()))?;
        let lock = File::create(folder.join(LOCK))?;
        lock.lock().with_context(|| format!("{} cannot be locked", folder.display()))?;
        Ok(Run { folder, _lock: lock })
    }
}

/// The folder of a run that goes on.
#[derive(Debug)]
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    /// Held as long as the run lives, however it ends.
    _lock: File,
}

const LOCK: &str = "lock";

/// Removes the folders that no living run holds. What cannot be removed stays
/// for the next time.
fn sweep(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let lock = File::open(entry.path().join(LOCK));
        if lock.map_or(true, |lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_runs_left_is_removed_and_a_living_run_is_not() {
        let made = std::env::temp_dir().join(format!("local-places-{}", std::process::id()));
        let places = Places { root: PathBuf::new(), binary: PathBuf::new(), made: made.clone() };
        let living = places.fresh_run(1).unwrap();
        let ended = places.fresh_run(2).unwrap();
        fs::write(ended.folder.join("leftover"), "").unwrap();
        let left = ended.folder.clone();
        drop(ended);
        assert!(left.exists());
        let again = places.fresh_run(2).unwrap();
        assert!(living.folder.exists() && !again.folder.join("leftover").exists());
        drop(again);
        places.fresh_run(3).unwrap();
        assert!(living.folder.exists() && !left.exists());
        fs::remove_dir_all(made).unwrap();
    }
}
