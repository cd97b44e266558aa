//! Deploys the templates of `examples/` beside the suite, for its pool: the same
//! authorizer before APIs of somebody's own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::deploy::{Outputs, Stack};
use crate::template::with_artefacts;

/// The deployed examples, as far as the story calls them.
#[derive(Debug)]
pub struct Examples {
    /// The id of the REST API.
    pub rest: String,
    /// The id of the WebSocket API.
    pub web_socket: String,
    /// The id in the address of the GraphQL API.
    pub graphql: String,
}

/// What the examples are deployed for.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// The workspace.
    pub root: &'a Path,
    /// Where the suite's packages are.
    pub built: &'a Path,
    /// The suite's outputs.
    pub suite: &'a Outputs,
    /// Where key sets are served, with `{pool}`.
    pub key_set_url: &'a str,
}

/// Deploys all of them.
pub async fn deploy(stack: Stack<'_>, of: For<'_>) -> Result<Examples> {
    let rest = one(stack, of, "rest").await?;
    let web_socket = one(stack, of, "websocket").await?;
    let graphql = one(stack, of, "appsync").await?;
    Ok(Examples { rest, web_socket, graphql })
}

/// Deploys one, and answers the id in the address of its API.
async fn one(stack: Stack<'_>, of: For<'_>, name: &str) -> Result<String> {
    let folder = of.root.join("examples").join(name);
    let path = folder.join("template.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let rules = folder.join("rules");
    // The one function that is built has the artefact of the suite's.
    let artefact = |resource: &str| if resource == "RulesLayer" { rules.clone() } else { package(of.built, resource) };
    let template = stack.run.join(format!("example-{name}.yaml"));
    std::fs::write(&template, with_artefacts(&text, artefact))?;
    let parameters = [
        ("UserPoolId", of.suite.get("UserPoolId")?.to_owned()),
        ("ClientIds", of.suite.get("WebClientId")?.to_owned()),
        ("KeySetUrl", of.key_set_url.to_owned()),
        // The local AWS mounts no layers.
        ("RulesFile", rules.join("rules.toml").display().to_string()),
    ];
    let outputs = stack.deploy(&format!("example-{name}"), &template, &parameters).await?;
    let address = outputs.get("ApiUrl")?;
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    Ok(host.split('.').next().unwrap_or_default().to_owned())
}

/// A quick build packs each function; `sam build` makes folders.
fn package(built: &Path, resource: &str) -> PathBuf {
    let packed = built.join(format!("{resource}.zip"));
    if packed.exists() { packed } else { built.join(resource) }
}
