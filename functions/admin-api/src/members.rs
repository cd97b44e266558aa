//! The members of the tenant.

use back_end::{Page, Precondition, Problem, Refusal, Request, Response};
use directory::{Changed, MemberChange};
use serde::{Deserialize, Serialize};
use shared::administration::Change;
use shared::names::{RoleName, Subject};
use shared::revocation::Key;
use shared::tenants::Status;

use crate::MOST_BYTES;
use crate::desk::{Desk, Roles, no_answer};

/// `version` goes into the `If-Match` of a change.
#[derive(Serialize)]
struct Member<'a> {
    subject: &'a str,
    roles: Vec<&'a RoleName>,
    status: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    created_at: u64,
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoles {
    roles: Roles,
}

#[derive(Serialize)]
struct RolesNow<'a> {
    subject: &'a str,
    roles: Vec<&'a RoleName>,
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: Word,
}

/// A status as it is written.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Active,
    Suspended,
}

#[derive(Serialize)]
struct StatusNow<'a> {
    subject: &'a str,
    status: Word,
    version: u64,
}

#[derive(Serialize)]
struct Ended<'a> {
    subject: &'a str,
    /// Sessions that began until then are ended, in seconds since 1970.
    at: u64,
}

/// `GET /admin/members`.
pub(crate) async fn list(desk: &Desk<'_>, request: &Request) -> Result<Response, Problem> {
    let page = request.page(|place| Subject::parse(place).is_some())?;
    let after = page.after.as_deref().and_then(Subject::parse);
    let found = desk.directory.members(desk.tenant, after.as_ref(), page.limit.into()).await.map_err(no_answer)?;
    let members = found.members.iter().map(member).collect();
    Response::ok("MembersListed", &Page::new(members, found.next.as_ref().map(Subject::as_str)))
}

fn member(member: &directory::Member) -> Member<'_> {
    Member {
        subject: member.subject.as_str(),
        roles: member.membership.roles.iter().collect(),
        status: match member.membership.status {
            Status::Active => Word::Active,
            Status::Suspended => Word::Suspended,
        },
        email: member.email.as_ref().map(AsRef::as_ref),
        created_at: member.created_at,
        version: member.version,
    }
}

/// `PUT /admin/members/{sub}/roles`: in force from the member's next token. Where
/// revocation is on, those that he has lose their rights in the tenant at once.
pub(crate) async fn set_roles(desk: &Desk<'_>, request: &Request, now: u64) -> Result<Response, Problem> {
    let subject = request.path("sub", Subject::parse)?;
    let version = version(request)?;
    let NewRoles { roles: Roles(roles) } = request.json(MOST_BYTES)?;
    desk.permit(Change::RolesOf(&subject)).await?;
    let version = change(desk, &subject, MemberChange::Roles(&roles), version, now).await?;
    let changed = RolesNow { subject: subject.as_str(), roles: roles.iter().collect(), version };
    Ok(Response::ok("RolesChanged", &changed)?.version(version))
}

/// `PUT /admin/members/{sub}/status`: keeps a member out of the tenant, or lets him
/// in again. In force as a change of roles is.
pub(crate) async fn set_status(desk: &Desk<'_>, request: &Request, now: u64) -> Result<Response, Problem> {
    let subject = request.path("sub", Subject::parse)?;
    let version = version(request)?;
    let NewStatus { status: word } = request.json(MOST_BYTES)?;
    desk.permit(Change::StatusOf(&subject)).await?;
    let status = match word {
        Word::Active => Status::Active,
        Word::Suspended => Status::Suspended,
    };
    let version = change(desk, &subject, MemberChange::Status(status), version, now).await?;
    let changed = StatusNow { subject: subject.as_str(), status: word, version };
    Ok(Response::ok("StatusChanged", &changed)?.version(version))
}

/// `POST /admin/members/{sub}/sign-out`: whoever has a session of the member has to
/// sign in again before he gets into this tenant; a refresh does not help. His
/// sessions in other tenants are not this one's to end.
pub(crate) async fn sign_out(desk: &Desk<'_>, request: &Request, now: u64) -> Result<Response, Problem> {
    let subject = request.path("sub", Subject::parse)?;
    desk.permit(Change::SessionsOf(&subject)).await?;
    desk.directory.member(desk.tenant, &subject).await.map_err(no_answer)?.ok_or(Refusal::NotFound)?;
    let whose = Key::Member(desk.tenant.clone(), subject.clone());
    desk.directory.end_sessions(&whose, now).await.map_err(no_answer)?;
    Response::ok("SessionsEnded", &Ended { subject: subject.as_str(), at: now })
}

/// The version that a change is based on.
fn version(request: &Request) -> Result<u64, Problem> {
    match request.precondition()? {
        Some(Precondition::Version(version)) => Ok(version),
        Some(Precondition::Absent) => Err(Refusal::RequestUnreadable.into()),
        None => Err(Refusal::PreconditionMissing.into()),
    }
}

/// Changes a membership; the version that it has then.
async fn change(
    desk: &Desk<'_>,
    subject: &Subject,
    change: MemberChange<'_>,
    version: u64,
    now: u64,
) -> Result<u64, Problem> {
    match desk.directory.change_member(desk.tenant, subject, change, version, now).await.map_err(no_answer)? {
        Changed::Done(version) => Ok(version),
        Changed::NotAMember => Err(Refusal::NotFound.into()),
        Changed::Outdated => Err(Refusal::VersionChanged.into()),
    }
}
