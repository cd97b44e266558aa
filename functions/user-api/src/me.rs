//! The caller's own account.

use directory::{Choice, Directory};
use serde::{Deserialize, Serialize};
use shared::names::{RoleName, TenantId};
use shared::tenants::{Membership, Status};

use back_end::{Caller, Problem, Refusal, Request, Response};

/// More than any body of this file's routes needs.
const MOST_BYTES: usize = 1024;

#[derive(Serialize)]
struct Me<'a> {
    subject: &'a str,
    /// In force with this token.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a TenantId>,
    /// In force with this token.
    roles: Vec<&'a RoleName>,
    /// What the user last chose; in force from the next token.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_tenant: Option<&'a TenantId>,
    /// What the directory says now, suspended ones too.
    memberships: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    tenant: &'a TenantId,
    roles: Vec<&'a RoleName>,
    status: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    tenant: TenantId,
}

#[derive(Serialize)]
struct Chosen<'a> {
    tenant: &'a TenantId,
    in_force: &'static str,
}

/// `GET /me`.
pub(crate) async fn read(directory: &Directory, caller: &Caller) -> Result<Response, Problem> {
    let person = directory.person(caller.subject()).await.map_err(no_answer)?;
    let me = Me {
        subject: caller.subject().as_str(),
        tenant: caller.tenant_if_any(),
        roles: caller.roles().iter().collect(),
        chosen_tenant: person.profile.as_ref().and_then(|profile| profile.active_tenant.as_ref()),
        memberships: person.memberships.iter().map(place).collect(),
    };
    Response::ok("MeRead", &me)
}

/// `PUT /me/tenant`: kept on the server. The token at hand stays as it is; the
/// next one, also by refresh, is made for the chosen tenant.
pub(crate) async fn choose_tenant(
    directory: &Directory,
    request: &Request,
    caller: &Caller,
) -> Result<Response, Problem> {
    let Wish { tenant } = request.json(MOST_BYTES)?;
    match directory.choose_tenant(caller.subject(), &tenant).await.map_err(no_answer)? {
        Choice::Kept => Response::ok("TenantChosen", &Chosen { tenant: &tenant, in_force: "from the next token" }),
        Choice::NotAMember => Err(Refusal::NotAMember.into()),
    }
}

fn place(membership: &Membership) -> Place<'_> {
    Place {
        tenant: &membership.tenant,
        roles: membership.roles.iter().collect(),
        status: match membership.status {
            Status::Active => "active",
            Status::Suspended => "suspended",
        },
    }
}

pub(crate) fn no_answer(error: directory::Error) -> Problem {
    Problem::unavailable(error.code(), error)
}
