//! Attaching and detaching, from the first read to the last.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::SdkConfig;
use shared::attachment::{
    Change, Foreign, Memory, Owner, Plan, Snapshot, Wanted, Warning, attach, detach, moved_since, warnings,
};
use shared::rules::Rules;
use tokio::time::Instant;

use crate::aws::{self, Aws, is_busy};
use crate::error::Error;
use crate::signed::Signed;
use crate::write::write;

/// Attaches under one name.
pub struct Attachment {
    signed: Signed,
    name: String,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The pool's id.
    pub pool: String,
    /// The triggers; when detaching, those that are known to be ours besides
    /// what is remembered.
    pub wanted: Wanted,
    /// What becomes of somebody else's triggers.
    pub foreign: Foreign,
}

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// No write of the pool begins later.
    pub write_until: Instant,
    /// No call lasts longer.
    pub until: Instant,
}

impl Times {
    /// From now on; a fifth is kept for looking and putting back.
    pub fn from_now(all: Duration) -> Self {
        let now = Instant::now();
        Self { write_until: now + all * 4 / 5, until: now + all }
    }
}

/// What was done, or would be.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What changed in the pool, or would; empty when it was as wanted.
    pub changes: Vec<Change>,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
}

/// What a look at a pool may take.
const LOOK: Duration = Duration::from_secs(30);

/// What is asked of the pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Attachment {
    /// Calls AWS with this configuration. The name tells the attachments of one
    /// account apart: it may hold letters, digits, `.`, `_` and `-`.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { signed: aws::signed(config), name: name.into() }
    }

    /// Puts the triggers in. Again is as once.
    pub async fn attach(&self, order: &Order, rules: Option<&Rules>, times: Times) -> Result<Report, Error> {
        let aws = self.aws(order, times)?;
        let (report, plan) = self.carry_out(&aws, order, rules, times, Way::In).await?;
        let memory = plan.afterwards.clone().unwrap_or_default();
        let former = plan.during.functions().into_iter().filter(|arn| !memory.functions().contains(arn));
        for function in former {
            aws.forbid(function).await?;
        }
        if aws.memory().await? != memory {
            aws.remember(&memory).await?;
        }
        Ok(report)
    }

    /// Takes the triggers out and puts back what was there. A pool that is gone
    /// needs nothing.
    pub async fn detach(&self, order: &Order, times: Times) -> Result<Report, Error> {
        let aws = self.aws(order, times)?;
        let memory = aws.memory().await?;
        let report = match aws.snapshot(false).await? {
            Some(_) => self.carry_out(&aws, order, None, times, Way::Out).await?.0,
            None => Report::default(),
        };
        let wanted = order.wanted.functions().values().map(String::as_str);
        for function in memory.functions().into_iter().chain(wanted).collect::<BTreeSet<_>>() {
            aws.forbid(function).await?;
        }
        aws.forget().await?;
        Ok(report)
    }

    /// All of a pool, raw; `None` when there is none. Nothing is written.
    pub async fn look_at(&self, pool: &str) -> Result<Option<Snapshot>, Error> {
        let region = region(pool).ok_or(Error::PoolIdRefused)?;
        let until = Times::from_now(LOOK).until;
        Aws { signed: &self.signed, pool, region, name: &self.name, until }.snapshot(true).await
    }

    /// What attaching would do. Nothing is written.
    pub async fn plan_attach(&self, order: &Order, rules: Option<&Rules>, times: Times) -> Result<Report, Error> {
        self.look(order, rules, times, Way::In).await
    }

    /// What detaching would do. Nothing is written.
    pub async fn plan_detach(&self, order: &Order, times: Times) -> Result<Report, Error> {
        self.look(order, None, times, Way::Out).await
    }

    async fn look(&self, order: &Order, rules: Option<&Rules>, times: Times, way: Way) -> Result<Report, Error> {
        let aws = self.aws(order, times)?;
        let (snapshot, memory) = (found(aws.snapshot(way == Way::In).await?)?, aws.memory().await?);
        let plan = plan(&snapshot, order, &memory, way)?;
        let owner = if way == Way::In { aws.owner().await } else { Owner::Nobody };
        Ok(reported(&snapshot, order, rules, &owner, &plan, way))
    }

    fn aws<'a>(&'a self, order: &'a Order, times: Times) -> Result<Aws<'a>, Error> {
        let region = region(&order.pool).ok_or(Error::PoolIdRefused)?;
        Ok(Aws { signed: &self.signed, pool: &order.pool, region, name: &self.name, until: times.until })
    }

    /// Reads, plans and writes until the pool is as wanted. The pool is read
    /// right before it is written, and again when another update came between:
    /// what that one wrote is not to be undone.
    async fn carry_out(
        &self,
        aws: &Aws<'_>,
        order: &Order,
        rules: Option<&Rules>,
        times: Times,
        way: Way,
    ) -> Result<(Report, Plan), Error> {
        let former = aws.memory().await?;
        let mut memory = former.clone();
        let clients = found(aws.snapshot(way == Way::In).await?)?.clients;
        let owner = if way == Way::In { aws.owner().await } else { Owner::Nobody };
        let mut wait = Duration::from_millis(100);
        let mut permitted = false;
        loop {
            let mut before = found(aws.snapshot(false).await?)?;
            before.clients.clone_from(&clients);
            let plan = plan(&before, order, &memory, way)?;
            if plan.update.is_none() {
                unmoved_since(&memory, &before, aws, &plan).await?;
            }
            if memory != plan.during && (plan.update.is_some() || way == Way::In) {
                aws.remember(&plan.during).await?;
                memory = plan.during.clone();
                continue;
            }
            if way == Way::In && !permitted {
                self.permit(aws, order, &before).await?;
                permitted = true;
                continue;
            }
            match write(aws, &before, &plan).await {
                Ok(()) => return Ok((reported(&before, order, rules, &owner, &plan, way), plan)),
                Err(error) if is_busy(&error) && Instant::now() + wait < times.write_until => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(3));
                }
                Err(error) => {
                    if let Error::Moved { .. } = &error {
                        undo(aws, order, &former, way).await;
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn permit(&self, aws: &Aws<'_>, order: &Order, before: &Snapshot) -> Result<(), Error> {
        let arn = before.pool.get("Arn").and_then(serde_json::Value::as_str);
        let arn = arn.ok_or(Error::Unreadable("DescribeUserPool"))?;
        for function in order.wanted.functions().values().collect::<BTreeSet<_>>() {
            aws.permit(function, arn).await?;
        }
        Ok(())
    }
}

fn plan(snapshot: &Snapshot, order: &Order, memory: &Memory, way: Way) -> Result<Plan, Error> {
    let plan = match way {
        Way::In => attach(snapshot, &order.wanted, memory, order.foreign),
        Way::Out => detach(snapshot, &order.wanted, memory),
    };
    plan.map_err(Error::from)
}

fn found(snapshot: Option<Snapshot>) -> Result<Snapshot, Error> {
    let missing = || Error::Service {
        operation: "DescribeUserPool",
        status: 400,
        code: "ResourceNotFoundException".to_owned(),
        message: "there is no such user pool".to_owned(),
    };
    snapshot.ok_or_else(missing)
}

fn reported(snapshot: &Snapshot, order: &Order, rules: Option<&Rules>, owner: &Owner, plan: &Plan, way: Way) -> Report {
    let wanted = (way == Way::In).then_some(&order.wanted);
    Report { changes: plan.changes.clone(), warnings: warnings(snapshot, owner, wanted, rules, plan) }
}

/// A run that was killed after its write never looked at what it did, so this
/// one does. It is said once: the operator has to know, and nothing here knows
/// the values that were lost.
async fn unmoved_since(memory: &Memory, now: &Snapshot, aws: &Aws<'_>, plan: &Plan) -> Result<(), Error> {
    let Some(pending) = &memory.pending else { return Ok(()) };
    let moved = moved_since(pending, now);
    if moved.is_empty() {
        return Ok(());
    }
    aws.remember(&plan.during).await?;
    Err(Error::MovedEarlier(moved.join(", ")))
}

/// After everything was put back: what was remembered, and the permissions of
/// functions that were not ours before. Best effort, for the error is what counts.
async fn undo(aws: &Aws<'_>, order: &Order, former: &Memory, way: Way) {
    if way == Way::In {
        let known = former.functions();
        for function in order.wanted.functions().values().filter(|arn| !known.contains(arn.as_str())) {
            drop(aws.forbid(function).await);
        }
    }
    drop(if former == &Memory::default() { aws.forget().await } else { aws.remember(former).await });
}

/// The region of a user pool, with which its id begins.
fn region(pool: &str) -> Option<&str> {
    let (region, own) = pool.split_once('_')?;
    let is_region = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_own = !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_alphanumeric()) && pool.len() <= 55;
    (is_region && region.contains('-') && is_own).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn the_id_of_a_pool_begins_with_its_region() {
        let table = [
            ("eu-west-1_Ab12Cd34E", Some("eu-west-1")),
            ("us-gov-west-1_x", Some("us-gov-west-1")),
            ("eu-west-1_", None),
            ("eu-west-1_a/../b", None),
            ("evil.example/_x", None),
            ("_x", None),
            ("", None),
        ];
        for (pool, expected) in table {
            assert_eq!(region(pool), expected, "{pool}");
        }
    }
}
