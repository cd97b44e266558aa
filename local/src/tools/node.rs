//! Node packages, each with all that it needs in a folder of its own.
//!
//! `npm ci` installs exactly what the lock file names, and compares each
//! package with its digest there. No package's own install script runs.
//! <https://docs.npmjs.com/cli/v11/commands/npm-ci>

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::{Tool, printed};
use crate::supervise::Launcher;

/// The oldest major version of Node that all packages run on.
const OLDEST: u32 = 20;

/// Where Node comes from, for whom it is missing.
const SOURCE: &str = "https://nodejs.org, or on Debian: apt install nodejs npm";

/// The program that runs what is installed here.
pub const NODE: &str = "node";

pub(super) async fn install(
    launcher: &Launcher,
    folder: &Path,
    tool: &Tool,
    manifest: &str,
    lock: &str,
    log: &Path,
) -> Result<()> {
    node_is_there(tool).await?;
    if printed("npm", &["--version"]).await.is_none() {
        bail!("npm is needed to install {}, but there is none on the PATH ({SOURCE})", tool.name);
    }
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    fs::write(folder.join("package.json"), manifest)?;
    fs::write(folder.join("package-lock.json"), lock)?;
    let mut npm = launcher.command("npm");
    npm.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]);
    npm.current_dir(folder);
    launcher.run(&mut npm, &format!("installing {} {}", tool.name, tool.version), log).await
}

/// Asks the package itself which version it has, and Node whether it runs it.
pub(super) async fn verify(folder: &Path, tool: &Tool) -> Result<()> {
    node_is_there(tool).await?;
    let manifest = fs::read(folder.join("node_modules").join(tool.name).join("package.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    match manifest.get("version").and_then(Value::as_str) {
        Some(version) if version == tool.version => Ok(()),
        found => Err(tool.differs(folder, found)),
    }
}

async fn node_is_there(tool: &Tool) -> Result<()> {
    new_enough(printed(NODE, &["--version"]).await.as_deref())
        .map_err(|found| anyhow!("Node.js {OLDEST} or newer is needed for {}, but {found} ({SOURCE})", tool.name))
}

/// `version` is what `node --version` prints, such as `v20.20.2`.
fn new_enough(version: Option<&str>) -> Result<(), String> {
    let Some(version) = version else { return Err(format!("there is no {NODE} on the PATH")) };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(format!("{NODE} is {version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_old_node_is_said_so() {
        let table = [
            (Some("v20.20.2"), Ok(())),
            (Some("v26.0.0"), Ok(())),
            (Some("v18.19.1"), Err("node is v18.19.1".to_owned())),
            (Some("nonsense"), Err("node is nonsense".to_owned())),
            (None, Err("there is no node on the PATH".to_owned())),
        ];
        for (version, expected) in table {
            assert_eq!(new_enough(version), expected, "{version:?}");
        }
    }

    #[test]
    fn each_manifest_and_lock_file_pin_the_version_that_is_named() {
        for tool in [crate::tools::OIDC_PROVIDER, crate::tools::COGNITO_LOCAL] {
            let crate::tools::Origin::Node { manifest, lock } = tool.origin else { panic!("{tool:?}") };
            let manifest: Value = serde_json::from_str(manifest).unwrap();
            assert_eq!(manifest["dependencies"], serde_json::json!({ (tool.name): tool.version }));
            let lock: Value = serde_json::from_str(lock).unwrap();
            let packages = lock["packages"].as_object().unwrap();
            assert_eq!(packages[&format!("node_modules/{}", tool.name)]["version"], tool.version);
            for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
                assert!(package["integrity"].as_str().is_some_and(|text| text.starts_with("sha512-")), "{name}");
            }
        }
    }
}
