//! The clocks of a function's process, set by a test while it runs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::binaries::{binary, workspace_root};

/// The clocks of one process; right at first.
pub struct Clock {
    file: File,
    path: PathBuf,
}

impl Clock {
    /// Clocks for a process that is not started yet.
    pub fn new() -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("clock-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        let clock = Self { file, path };
        clock.set(0, 0)?;
        Ok(clock)
    }

    /// The settings that put a function under these clocks.
    pub fn settings(&self) -> Result<Vec<(String, String)>> {
        let library = library()?.display().to_string();
        Ok(vec![("LD_PRELOAD".to_owned(), library), ("TEST_CLOCK".to_owned(), self.path.display().to_string())])
    }

    /// Sets the clock on the wall, and the one that only goes forward, this many
    /// seconds away from the right time.
    pub fn set(&self, wall_s: i64, monotonic_s: i64) -> Result<()> {
        let mut bytes = wall_s.to_ne_bytes().to_vec();
        bytes.extend(monotonic_s.to_ne_bytes());
        Ok(self.file.write_all_at(&bytes, 0)?)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// Compiled on the first call.
fn library() -> Result<&'static PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| compile().map_err(|error| format!("{error:#}")));
    built.as_ref().map_err(|error| anyhow!("{error}"))
}

fn compile() -> Result<PathBuf> {
    // Beside the functions, under a name of this process: others may compile it too.
    let folder = binary("authorizer")?.parent().context("a binary lies in a folder")?.to_owned();
    let made = folder.join(format!("libclock-{}.so", std::process::id()));
    let source = workspace_root().join("tests/data/clock.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(source).status()?;
    ensure!(compiled.success(), "cc does not compile tests/data/clock.c");
    let library = folder.join("libclock.so");
    fs::rename(made, &library)?;
    Ok(library)
}
