//! The sources of the workspace, for checks that read them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::path::{Path, PathBuf};

use crate::workspace_root;

/// A source file up to its tests, without comments.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its lines.
    pub lines: Vec<String>,
}

impl Source {
    /// The file's name.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Whether these words stand in one of its lines.
    pub fn says(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.contains(words))
    }
}

/// The sources under a folder. Files that only tests see are left out.
pub fn sources(folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
                let lines = code.filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
                found.push(Source { path, lines });
            }
        }
    }
    found.retain(|source| {
        let inside = source.path.strip_prefix(folder).unwrap_or(&source.path);
        !["tests.rs", "testing.rs"].contains(&source.name()) && !inside.iter().any(|part| part == "tests")
    });
    assert!(!found.is_empty(), "no sources in {}", folder.display());
    found
}

/// A path as seen from the workspace's top folder.
pub fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(workspace_root()).unwrap_or(path).to_owned()
}
