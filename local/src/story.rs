//! The story that `cargo local` tells: a few people sign up, sign in and call
//! the API with real tokens, and are refused where one must be.
//!
//! Every step says what was sent and what came back. Passwords and whole tokens
//! are never shown. A step is right only if what came back is exactly what it
//! should be; the story's result is right only if every step is.

use std::path::Path;

use anyhow::Result;
use aws_config::SdkConfig;
use serde_json::Value;

mod api;
mod attempts;
mod authorizer;
mod browser;
mod credentials;
pub mod ending;
mod entry;
mod federation;
mod fronts;
mod guests;
mod import;
mod items;
mod migration;
mod operator;
mod person;
mod reach;
mod revocation;
mod shown;
mod teller;
mod tenants;
mod token;
mod world;

use crate::deploy::Outputs;
use crate::examples::Examples;
use crate::say::Say;
use crate::supervise::Launcher;
use person::Person;
use teller::Teller;
use world::World;

/// Where the story plays.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The address of the pass-through.
    pub gateway: &'a str,
    /// The local AWS itself: the pass-through knows neither WebSockets nor hosts.
    pub cloud: &'a str,
    /// The APIs of the examples.
    pub examples: &'a Examples,
    /// The account's own configuration, for the operator's steps.
    pub owner: &'a SdkConfig,
    /// What the stack says of itself.
    pub outputs: &'a Outputs,
    /// The OpenID Connect provider of another company.
    pub issuer: &'a str,
    /// Starts the operator's programs.
    pub launcher: &'a Launcher,
    /// The operator's tool.
    pub poolhouse: &'a Path,
    /// The rule file.
    pub rules: &'a Path,
    /// The export of an old system.
    pub old_users: &'a Path,
    /// Where the run keeps what it makes.
    pub run: &'a Path,
}

/// The people, and what the story needs to know of each.
#[derive(Debug)]
struct Cast {
    /// A user of the tenant acme, placed by her address.
    ann: Person,
    /// The first administrator of acme.
    alice: Person,
    /// The first administrator of globex.
    gina: Person,
    /// A consultant whom both tenants invite.
    carl: Person,
}

/// Tells the story; `true` when every step was right. A step without which the
/// rest makes no sense ends it early, as a cross.
pub async fn tell(say: &Say, stage: &Stage<'_>) -> Result<bool> {
    let world = World::new(stage).await?;
    let mut teller = Teller::new(say);
    let mut cast = Cast {
        ann: Person::new("Ann", "ann@acme.example"),
        alice: Person::new("Alice", "alice@acme.example"),
        gina: Person::new("Gina", "gina@globex.example"),
        carl: Person::new("Carl", "carl@consultant.example"),
    };
    if let Err(error) = chapters(&mut teller, &world, &mut cast, stage).await {
        teller.broken(&format!("{error:#}"));
    }
    Ok(teller.finish())
}

async fn chapters(teller: &mut Teller<'_>, world: &World<'_>, cast: &mut Cast, stage: &Stage<'_>) -> Result<()> {
    entry::tell(teller, world, cast).await?;
    attempts::at_the_pool(teller, world, cast).await?;
    items::tell(teller, world, cast).await?;
    attempts::at_the_api(teller, world, cast).await?;
    tenants::tell(teller, world, cast).await?;
    api::tell(teller, world, cast).await?;
    revocation::tell(teller, world, cast).await?;
    fronts::tell(teller, world, cast, stage).await?;
    let nora = federation::tell(teller, world, cast).await?;
    credentials::tell(teller, world, &nora, &cast.alice).await?;
    guests::tell(teller, world).await?;
    migration::tell(teller, world, stage).await?;
    operator::tell(teller, stage).await
}

/// The texts of a JSON array, joined; what a person wants to see of a list.
fn list(value: Option<&Value>) -> String {
    let all = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<_> = all.iter().filter_map(Value::as_str).collect();
    format!("[{}]", texts.join(", "))
}
