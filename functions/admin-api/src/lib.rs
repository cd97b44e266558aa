//! Sample back end: what the administrators of a tenant do in it.
//!
//! | route | answers | AWS calls when warm |
//! | --- | --- | --- |
//! | `GET /admin/members` | the tenant's members, in pages | 1 |
//! | `PUT /admin/members/{sub}/roles` | the member's roles, replaced | 2 |
//! | `PUT /admin/members/{sub}/status` | the member kept out of the tenant, or let in again | 2 |
//! | `POST /admin/members/{sub}/sign-out` | the member's sessions in the tenant, ended; where revocation is on | 3 |
//! | `POST /admin/invitations` | an invitation; replaces one to the same address | 2 |
//! | `GET /admin/items` | all items of the tenant, in pages | 1 |
//!
//! Everything is reached with credentials of the caller's tenant; the function's
//! own role can only take them. Who is an administrator is the rule file's word
//! and the authorizer's check: no role has a name here. A write also looks at
//! what the directory says of the caller now ([`shared::administration`]).
//!
//! Where revocation is on, a change of a membership takes the rights back that the
//! member's tokens carry for this tenant. What he does elsewhere is no business of
//! its administrators, so nothing here reaches his other tenants or the pool.

mod desk;
mod invitations;
mod members;
mod settings;
#[cfg(test)]
mod tests;

use back_end::aws::TenantRole;
use back_end::items::place;
use back_end::{Caller, Issuer, Problem, Refusal, Request, Response, SESSIONS_KEPT, TenantSessions, answer};
use shell::aws::Client;
use shell::{Answer, Failure, Handler, Invocation};

use desk::Desk;
pub use settings::Settings;

/// What the function's own role must allow.
pub const ACTIONS: &[&str] = back_end::aws::ACTIONS;

/// What the tenant role must allow on the directory table; of these, `Query`
/// also on the items table.
pub const TENANT_ACTIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"];

/// More bytes than any body of these routes needs.
const MOST_BYTES: usize = 4 * 1024;

/// The administrators' back end. `I` gets access to a tenant's data.
#[derive(Debug)]
pub struct AdminApi<I: Issuer<Access = Client>> {
    settings: Settings,
    sessions: TenantSessions<I>,
}

impl AdminApi<TenantRole> {
    /// A back end on AWS. Makes no call.
    pub fn connect(client: Client, settings: Settings) -> Self {
        let role = TenantRole::new(client, settings.back_end.tenant_role_arn.clone());
        Self::new(settings, role)
    }
}

impl<I: Issuer<Access = Client>> AdminApi<I> {
    /// A back end that reaches a tenant's data through what `issuer` gives.
    pub fn new(settings: Settings, issuer: I) -> Self {
        Self { settings, sessions: TenantSessions::new(issuer, SESSIONS_KEPT) }
    }

    async fn serve(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        match request.route() {
            "GET /admin/members" => members::list(&self.desk(caller, now).await?, request).await,
            "PUT /admin/members/{sub}/roles" => members::set_roles(&self.desk(caller, now).await?, request, now).await,
            "PUT /admin/members/{sub}/status" => {
                members::set_status(&self.desk(caller, now).await?, request, now).await
            }
            "POST /admin/members/{sub}/sign-out" if self.settings.back_end.revocations.is_some() => {
                members::sign_out(&self.desk(caller, now).await?, request, now).await
            }
            "POST /admin/invitations" => invitations::invite(&self.desk(caller, now).await?, request, now).await,
            "GET /admin/items" => items(&self.desk(caller, now).await?, request).await,
            _ => Err(Refusal::NoSuchRoute.into()),
        }
    }

    /// Where this caller works: his tenant, with its credentials.
    async fn desk<'a>(&'a self, caller: &'a Caller, now: u64) -> Result<Desk<'a>, Problem> {
        let tenant = caller.tenant()?;
        let client = self.sessions.access(tenant, now).await?;
        Ok(Desk::new(&self.settings, caller, tenant, client))
    }
}

/// `GET /admin/items`.
async fn items(desk: &Desk<'_>, request: &Request) -> Result<Response, Problem> {
    let page = request.page(|text| place(text).is_some())?;
    Response::ok("ItemsListed", &desk.items().all(&page).await?)
}

impl<I: Issuer<Access = Client>> Handler for AdminApi<I> {
    const NAME: &'static str = "admin-api";
    // API Gateway waits 30 s, the function's own time-out is 10 s.
    const LIMIT_MS: u64 = 9_500;

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        answer(event, invocation, async |request, caller| self.serve(request, caller, invocation.now).await).await
    }
}
