//! `poolhouse attach` and `poolhouse detach`: the triggers of a pool that is
//! there already, for those without CloudFormation. The work is that of the
//! custom resource.

mod options;
mod summary;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use attachment::{Attachment, Error, Order, Times};
use aws_config::{BehaviorVersion, Region};
use shared::attachment::{Foreign, Slot, TriggerVersion, Wanted};
use shared::rules::Rules;

pub use options::{AttachOptions, DetachOptions, Place, Version};
pub(crate) use options::{long_help_of_attach, long_help_of_detach};

use crate::output::{Failure, note};
use summary::Summary;

/// What all of it may take, waiting for other updates of the pool included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Attaches, or only looks.
pub(crate) fn attach(options: &AttachOptions) -> Result<Summary, Failure> {
    let rules = options.rules.as_deref().map(rules).transpose()?;
    let version = rules.as_ref().map(|rules| TriggerVersion::from(rules.claims.token_version));
    let version = options.token_version.map(TriggerVersion::from).or(version).unwrap_or(TriggerVersion::V1);
    let foreign = if options.take_over { Foreign::TakeOver } else { Foreign::Refuse };
    let mut triggers = options.place.triggers();
    if triggers.is_empty() && options.place.plan {
        note("no function is named; the plan takes made-up names for those that the template attaches");
        triggers = made_up(&options.place.pool);
    }
    if triggers.is_empty() {
        return Err(Failure::usage("TriggersMissing", "name at least one trigger, such as --pre-sign-up ARN"));
    }
    let order = order(&options.place, triggers, version, foreign)?;
    run(&options.place, async |attachment, times| match options.place.plan {
        true => attachment.plan_attach(&order, rules.as_ref(), times).await,
        false => attachment.attach(&order, rules.as_ref(), times).await,
    })
}

/// Detaches, or only looks.
pub(crate) fn detach(options: &DetachOptions) -> Result<Summary, Failure> {
    let order = order(&options.place, options.place.triggers(), TriggerVersion::V1, Foreign::Refuse)?;
    run(&options.place, async |attachment, times| match options.place.plan {
        true => attachment.plan_detach(&order, times).await,
        false => attachment.detach(&order, times).await,
    })
}

/// Before a stack is there, its functions have no names yet. What would be in
/// their way can be told all the same.
fn made_up(pool: &str) -> BTreeMap<Slot, String> {
    let region = pool.split('_').next().unwrap_or_default();
    let named = [
        (Slot::PreSignUp, "pre-sign-up"),
        (Slot::PostConfirmation, "post-confirmation"),
        (Slot::PreTokenGeneration, "pre-token-generation"),
    ];
    named.map(|(slot, name)| (slot, format!("arn:aws:lambda:{region}:000000000000:function:{name}"))).into()
}

fn order(
    place: &Place,
    triggers: BTreeMap<Slot, String>,
    version: TriggerVersion,
    foreign: Foreign,
) -> Result<Order, Failure> {
    let wanted = Wanted::new(triggers, version);
    let wanted = wanted.map_err(|refused| Failure::usage("TriggerRefused", refused.to_string()))?;
    Ok(Order { pool: place.pool.clone(), wanted, foreign })
}

fn rules(path: &Path) -> Result<Rules, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    Rules::read(&text).map_err(|problems| Failure::usage("RulesUnusable", format!("{}: {problems}", path.display())))
}

fn run(
    place: &Place,
    work: impl AsyncFnOnce(&Attachment, Times) -> Result<attachment::Report, Error>,
) -> Result<Summary, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed("Broken", format!("no runtime: {error}")))?;
    let done = runtime.block_on(async {
        // The pool's id begins with its region, so none has to be set.
        let region = place.pool.split('_').next().map(|region| Region::new(region.to_owned()));
        let config = aws_config::defaults(BehaviorVersion::latest()).region(region).load().await;
        let attachment = Attachment::new(&config, &place.name);
        tokio::select! {
            report = work(&attachment, Times::from_now(PATIENCE)) => Some(report),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    match done {
        None => Err(Failure::stopped("stopped; run the same command again, it goes on from there")),
        Some(Ok(report)) => Ok(Summary::new(&place.pool, place.plan, report)),
        Some(Err(Error::PoolIdRefused)) => {
            Err(Failure::usage("PoolIdRefused", format!("{} is not the id of a user pool", place.pool)))
        }
        Some(Err(error)) => Err(Failure::failed(error.code(), error.to_string())),
    }
}
