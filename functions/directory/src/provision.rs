//! Fetch, decide and write for a user who has no profile yet.

use shared::provisioning::{self, Facts, FactsNeeded, Invitation, Request};
use shared::rules::Rules;
use shared::tenants::Membership;

use crate::transaction::{Write, Written};
use crate::{Directory, Error, Subject};

/// Who is to be provisioned.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The user's `sub`.
    pub subject: &'a Subject,
    /// The user as the pool's event has him.
    pub request: Request<'a>,
    /// In seconds since 1970.
    pub now: u64,
}

/// How provisioning ended; either way the user has a profile now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// This call wrote it, together with these memberships.
    Now(Vec<Membership>),
    /// An earlier or a parallel call did.
    Before,
}

/// Gives a user a profile and the memberships that the rules and invitations
/// promise, once however often it is called.
///
/// An invitation that another takes in the meantime is not given a second
/// time: the plan is made again without it.
pub async fn provision(directory: &Directory, rules: &Rules, newcomer: Newcomer<'_>) -> Result<Provisioned, Error> {
    let Newcomer { subject, request, now } = newcomer;
    let needed = provisioning::facts_needed(rules, request);
    let mut gone: Vec<Invitation> = Vec::new();
    for _ in 0..2 {
        let mut invitations = fetch(directory, &needed, now).await?;
        // The index may still show what the table no longer has.
        invitations.retain(|invitation| !gone.contains(invitation));
        let plan = provisioning::plan(rules, request, Facts { invitations: &invitations, now });
        match directory.write(&Write { subject, plan: &plan, invitations: &invitations, now }).await? {
            Written::Done(memberships) => return Ok(Provisioned::Now(memberships)),
            Written::AlreadyThere => return Ok(Provisioned::Before),
            Written::InvitationsGone(taken) => gone.extend(taken),
        }
    }
    Err(Error::Contended)
}

async fn fetch(directory: &Directory, needed: &FactsNeeded, now: u64) -> Result<Vec<Invitation>, Error> {
    match needed {
        FactsNeeded::Nothing => Ok(Vec::new()),
        FactsNeeded::Invitations(address) => directory.invitations(address, now).await,
    }
}
