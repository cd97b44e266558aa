//! The recorded events under `events/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::binaries::workspace_root;

/// One recorded event and what belongs to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The function it is for.
    pub function: String,
    /// The file's name without its ends.
    pub name: String,
    /// The event, with its placeholders.
    pub request: String,
    /// The expected reply, with its placeholders.
    pub reply: Value,
    /// Settings beside those that every case has.
    pub settings: BTreeMap<String, String>,
    /// The rule file.
    pub rules: PathBuf,
    /// Items that stand in the tables before, by table.
    pub items: BTreeMap<String, Vec<Value>>,
    /// Users who are in the pool before: by name, the address.
    pub users: BTreeMap<String, String>,
    /// What CloudFormation is told, where that is another than the caller.
    pub answer: Option<Value>,
}

/// The ends of the files that make a case.
const REQUEST: &str = ".request.json";
const OTHERS: [&str; 6] = [".reply.json", ".env.json", ".rules.toml", ".items.json", ".users.json", ".answer.json"];

/// All cases. A file that belongs to none, or a case without a reply, is an error.
pub fn all() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for folder in sorted(&workspace_root().join("events"))?.iter().filter(|path| path.is_dir()) {
        let names: Vec<String> = sorted(folder)?.iter().map(|path| file_name(path)).collect();
        for name in &names {
            if let Some(case) = name.strip_suffix(REQUEST) {
                cases.push(read(folder, case).with_context(|| format!("{}/{case}", file_name(folder)))?);
            } else {
                let case = OTHERS.iter().find_map(|end| name.strip_suffix(end));
                let known = case.is_some_and(|case| names.contains(&format!("{case}{REQUEST}")));
                ensure!(known, "{}/{name} belongs to no case", folder.display());
            }
        }
    }
    if cases.is_empty() {
        bail!("events/ holds no case");
    }
    Ok(cases)
}

fn read(folder: &Path, name: &str) -> Result<Case> {
    let path = |end: &str| folder.join(format!("{name}{end}"));
    let own_rules = path(".rules.toml");
    let rules = if own_rules.exists() { own_rules } else { workspace_root().join("rules/rules.toml") };
    Ok(Case {
        function: file_name(folder),
        name: name.to_owned(),
        request: fs::read_to_string(path(REQUEST))?,
        reply: json(&path(".reply.json")).context("a case needs a reply")?,
        settings: optional(&path(".env.json"))?,
        rules,
        items: optional(&path(".items.json"))?,
        users: optional(&path(".users.json"))?,
        answer: optional(&path(".answer.json"))?,
    })
}

fn optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T> {
    if path.exists() { json(path) } else { Ok(T::default()) }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
