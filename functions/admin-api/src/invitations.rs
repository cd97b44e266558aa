//! Invitations into the tenant.

use back_end::{Problem, Refusal, Request, Response};
use directory::NewInvitation;
use serde::{Deserialize, Serialize};
use shared::address::EmailAddress;
use shared::administration::Change;
use shared::names::{RoleName, TenantId};

use crate::MOST_BYTES;
use crate::desk::{Desk, Roles, no_answer};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    roles: Roles,
    #[serde(default)]
    expires_in_days: Days,
}

/// How long an invitation holds: 1 to 30 days, 7 when nothing is said.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Days(u64);

impl Default for Days {
    fn default() -> Self {
        Self(7)
    }
}

impl TryFrom<u64> for Days {
    type Error = &'static str;

    fn try_from(days: u64) -> Result<Self, Self::Error> {
        (1..=30).contains(&days).then_some(Self(days)).ok_or("1 to 30 days")
    }
}

#[derive(Serialize)]
struct Invited<'a> {
    email: &'a str,
    tenant: &'a TenantId,
    roles: Vec<&'a RoleName>,
    /// In seconds since 1970.
    expires_at: u64,
}

/// `POST /admin/invitations`: counts for whoever proves to have the address.
/// Sent twice it is one invitation; the later one replaces the earlier.
pub(crate) async fn invite(desk: &Desk<'_>, request: &Request, now: u64) -> Result<Response, Problem> {
    let Invitation { email, roles: Roles(roles), expires_in_days: Days(days) } = request.json(MOST_BYTES)?;
    let email = EmailAddress::parse(&email).ok_or(Refusal::AddressUnusable)?;
    desk.permit(Change::Invitation).await?;
    let expires_at = now + days * SECONDS_PER_DAY;
    let invitation = NewInvitation {
        tenant: desk.tenant,
        email: &email,
        roles: &roles,
        invited_by: desk.caller.subject(),
        created_at: now,
        expires_at,
    };
    desk.directory.invite(&invitation).await.map_err(no_answer)?;
    let invited = Invited { email: email.as_str(), tenant: desk.tenant, roles: roles.iter().collect(), expires_at };
    Response::created("Invited", &invited)
}
