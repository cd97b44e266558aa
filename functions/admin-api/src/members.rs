//! The members of the tenant.

use back_end::{Page, Precondition, Problem, Refusal, Request, Response};
use directory::RoleChange;
use serde::{Deserialize, Serialize};
use shared::administration::Change;
use shared::names::{RoleName, Subject};
use shared::tenants::Status;

use crate::MOST_BYTES;
use crate::desk::{Desk, Roles, no_answer};

/// `version` goes into the `If-Match` of a change.
#[derive(Serialize)]
struct Member<'a> {
    subject: &'a str,
    roles: Vec<&'a RoleName>,
    status: &'static str,
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
struct Changed<'a> {
    subject: &'a str,
    roles: Vec<&'a RoleName>,
    version: u64,
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
            Status::Active => "active",
            Status::Suspended => "suspended",
        },
        email: member.email.as_ref().map(AsRef::as_ref),
        created_at: member.created_at,
        version: member.version,
    }
}

/// `PUT /admin/members/{sub}/roles`: in force from the member's next token.
pub(crate) async fn set_roles(desk: &Desk<'_>, request: &Request) -> Result<Response, Problem> {
    let subject = request.path("sub", Subject::parse)?;
    let version = match request.precondition()? {
        Some(Precondition::Version(version)) => version,
        Some(Precondition::Absent) => return Err(Refusal::RequestUnreadable.into()),
        None => return Err(Refusal::PreconditionMissing.into()),
    };
    let NewRoles { roles: Roles(roles) } = request.json(MOST_BYTES)?;
    desk.permit(Change::RolesOf(&subject)).await?;
    match desk.directory.set_roles(desk.tenant, &subject, &roles, version).await.map_err(no_answer)? {
        RoleChange::Done(version) => {
            let changed = Changed { subject: subject.as_str(), roles: roles.iter().collect(), version };
            Ok(Response::ok("RolesChanged", &changed)?.version(version))
        }
        RoleChange::NotAMember => Err(Refusal::NotFound.into()),
        RoleChange::Outdated => Err(Refusal::VersionChanged.into()),
    }
}
