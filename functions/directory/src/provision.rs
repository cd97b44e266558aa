//! Fetch, decide and write for a user who has no profile yet.

use shared::address::EmailAddress;
use shared::names::LegacyId;
use shared::provisioning::{self, Facts, FactsNeeded, Invitation, Request};
use shared::rules::Rules;
use shared::tenants::Membership;

use crate::arrivals::Brought;
use crate::groups::{AddError, Groups, Joining, PoolUser};
use crate::transaction::{Write, Written};
use crate::{Directory, Error, Subject};

/// Who is to be provisioned.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The user's `sub`.
    pub subject: &'a Subject,
    /// The user as the pool names him.
    pub user: PoolUser<'a>,
    /// The user as the pool's event has him.
    pub request: Request<'a>,
    /// In seconds since 1970.
    pub now: u64,
}

/// What came of provisioning.
#[derive(Debug)]
pub struct Outcome {
    /// The profile and what is written together with it.
    pub profile: Result<Provisioned, Error>,
    /// The groups that the user is in now, by this call.
    pub joined: Vec<String>,
    /// The groups that the user could not be added to. Where trying again may
    /// help, the profile waits ([`Error::HeldBack`]), so that it is tried again.
    pub failed: Vec<AddError>,
}

/// How a profile came about; either way the user has one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// This call wrote it, together with these memberships.
    Now(Vec<Membership>),
    /// An earlier or a parallel call did.
    Before,
}

/// Gives a user the groups, the profile and the memberships that the rules,
/// invitations and the old system promise, once however often it is called.
///
/// The groups come first: the profile, once it stands, says that all is done,
/// and what was brought along is deleted with its writing. A call that ends
/// between the two is made up for by the next, which does both again.
///
/// What another takes or changes in the meantime is not given a second time: the
/// plan is made again without it.
pub async fn provision<G: Groups>(directory: &Directory, groups: &G, rules: &Rules, newcomer: Newcomer<'_>) -> Outcome {
    let mut joining = Joining::new(groups, newcomer.user);
    let profile = profile(directory, &mut joining, rules, newcomer).await;
    Outcome { profile, joined: joining.joined, failed: joining.failed }
}

async fn profile<G: Groups>(
    directory: &Directory,
    joining: &mut Joining<'_, G>,
    rules: &Rules,
    newcomer: Newcomer<'_>,
) -> Result<Provisioned, Error> {
    let Newcomer { subject, request, now, .. } = newcomer;
    let needed = provisioning::facts_needed(rules, request);
    let mut gone: Vec<Invitation> = Vec::new();
    // What depends on no fact need not wait for one.
    let mut groups = provisioning::plan(rules, request, Facts { now, ..Facts::default() }).groups;
    for _ in 0..2 {
        let (fetched, ()) = tokio::join!(fetch(directory, &needed, now), joining.join(&groups));
        let (mut invitations, brought) = fetched?;
        // The index may still show what the table no longer has.
        invitations.retain(|invitation| !gone.contains(invitation));
        let arrival = brought.as_ref().map(|brought| &brought.arrival);
        let plan = provisioning::plan(rules, request, Facts { invitations: &invitations, arrival, now });
        joining.join(&plan.groups).await;
        if joining.is_unfinished() {
            return Err(Error::HeldBack);
        }
        let write = Write { subject, plan: &plan, invitations: &invitations, brought: brought.as_ref(), now };
        match directory.write(&write).await? {
            Written::Done(memberships) => return Ok(Provisioned::Now(memberships)),
            Written::AlreadyThere => return Ok(Provisioned::Before),
            Written::Outdated(taken) => gone.extend(taken),
        }
        groups = Vec::new();
    }
    Err(Error::Contended)
}

/// Side by side: a newcomer waits for a token.
async fn fetch(
    directory: &Directory,
    needed: &FactsNeeded,
    now: u64,
) -> Result<(Vec<Invitation>, Option<Brought>), Error> {
    let (invitations, brought) = tokio::join!(
        invitations(directory, needed.invitations.as_ref(), now),
        brought(directory, needed.arrival.as_ref()),
    );
    Ok((invitations?, brought?))
}

async fn invitations(
    directory: &Directory,
    address: Option<&EmailAddress>,
    now: u64,
) -> Result<Vec<Invitation>, Error> {
    match address {
        None => Ok(Vec::new()),
        Some(address) => directory.invitations(address, now).await,
    }
}

async fn brought(directory: &Directory, id: Option<&LegacyId>) -> Result<Option<Brought>, Error> {
    match id {
        None => Ok(None),
        Some(id) => directory.brought(id).await,
    }
}
