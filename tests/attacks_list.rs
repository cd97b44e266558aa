//! `attacks.md` says the truth about what is tried.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use tests::workspace_root;

#[test]
fn each_listed_row_is_in_the_file_that_is_named() -> Result<()> {
    let list = fs::read_to_string(workspace_root().join("tests/attacks.md"))?;
    let (tried, rest) = list.split_once("## What these rows").context("the list has another shape")?;
    let mut rows = 0;
    for line in tried.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [file, ids] = cells.as_slice() else { anyhow::bail!("not two cells: {line}") };
        let text = fs::read_to_string(workspace_root().join(file.trim_matches('`'))).context(file.to_string())?;
        for id in ids.split(", ") {
            ensure!(text.contains(id), "{id} is not in {file}");
            rows += 1;
        }
    }
    ensure!(rows > 100, "only {rows} rows are listed");
    let (_, missing) = rest.split_once("## Not yet").context("the list has another shape")?;
    for line in missing.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let id = line.trim_start_matches("| ").split(' ').next().unwrap_or_default();
        ensure!(!tried.contains(id), "{id} is listed as tried and as not yet");
    }
    Ok(())
}
