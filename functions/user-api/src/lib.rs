//! Sample back end: what a user does with his own account and his own items.
//!
//! | route | answers | AWS calls when warm |
//! | --- | --- | --- |
//! | `GET /me` | subject, tenant and roles in force, memberships | 1 |
//! | `PUT /me/tenant` | the tenant chosen, in force from the next token | 1 |
//! | `POST /sign-out` | the end of this session, or of all; where revocation is on | 1, and for all of them the pool's |
//! | `GET /items` | own items, in pages | 1 |
//! | `GET`, `PUT`, `DELETE /items/{id}` | one own item | 1 |
//! | `GET /tenants/{tenant}` | the caller's roles there | 0 |
//!
//! Items are reached with credentials of the caller's tenant. A person's own
//! profile belongs to no tenant, so `/me` uses the function's own role, and only
//! keys made from the caller's own `sub`.

mod me;
mod pool;
mod settings;
mod sign_out;
#[cfg(test)]
mod tests;

use back_end::aws::TenantRole;
use back_end::items::{Content, ItemId, Items, MOST_BYTES, Put};
use back_end::{
    Caller, Issuer, Precondition, Problem, Refusal, Request, Response, Revocations, SESSIONS_KEPT, TenantSessions,
    answer,
};
use directory::{Directory, RevocationTable};
use serde::Serialize;
use shared::names::TenantId;
use shell::aws::Client;
use shell::{Answer, Failure, Handler, Invocation};

pub use pool::Pool;
pub use settings::Settings;

/// What the function's own role must allow. `PutItem` is for ended sessions, and
/// so is `UpdateItem` on their table.
pub const ACTIONS: &[&str] = &[
    "dynamodb:ConditionCheckItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "sts:AssumeRole",
    "sts:TagSession",
];

/// What the tenant role must allow on the items table.
pub const TENANT_ACTIONS: &[&str] = &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];

/// The user's back end. `I` gets access to a tenant's data.
#[derive(Debug)]
pub struct UserApi<I: Issuer<Access = Client>> {
    directory: Directory,
    items_table: String,
    sessions: TenantSessions<I>,
    /// Whether ended sessions are written down, because somebody reads it.
    revokes: bool,
    pool: Option<Pool>,
}

impl UserApi<TenantRole> {
    /// A back end on AWS. Makes no call.
    pub fn connect(client: Client, Settings(settings): Settings) -> Self {
        let directory = Directory::new(client.clone(), settings.directory_table);
        let pool = Pool::connect(&client);
        let role = TenantRole::new(client, settings.tenant_role_arn);
        Self { pool: Some(pool), ..Self::new(directory, settings.items_table, role).revoking(settings.revocations) }
    }
}

impl<I: Issuer<Access = Client>> UserApi<I> {
    /// A back end that reaches a tenant's items through what `issuer` gives.
    pub fn new(directory: Directory, items_table: String, issuer: I) -> Self {
        let sessions = TenantSessions::new(issuer, SESSIONS_KEPT);
        Self { directory, items_table, sessions, revokes: false, pool: None }
    }

    /// The same, ending sessions; `None` where revocation is off.
    pub fn revoking(self, revocations: Option<Revocations>) -> Self {
        let table = revocations.map(|Revocations { table: name, refresh_days }| RevocationTable { name, refresh_days });
        Self { revokes: table.is_some(), directory: self.directory.revoking(table), ..self }
    }

    async fn serve(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        match request.route() {
            "GET /me" => me::read(&self.directory, caller).await,
            "PUT /me/tenant" => me::choose_tenant(&self.directory, request, caller).await,
            "POST /sign-out" if self.revokes => {
                sign_out::sign_out(&self.directory, self.pool.as_ref(), request, caller, now).await
            }
            "GET /items" => self.list(request, caller, now).await,
            "GET /items/{id}" => self.get(request, caller, now).await,
            "PUT /items/{id}" => self.put(request, caller, now).await,
            "DELETE /items/{id}" => self.delete(request, caller, now).await,
            "GET /tenants/{tenant}" => tenant(request, caller),
            _ => Err(Refusal::NoSuchRoute.into()),
        }
    }

    async fn list(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        let page = request.page(|place| ItemId::parse(place).is_some())?;
        let items = self.items(caller, now).await?.of(caller.subject(), &page).await?;
        Response::ok("ItemsListed", &items)
    }

    async fn get(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        let id = request.path("id", ItemId::parse)?;
        let item = self.items(caller, now).await?.get(caller.subject(), &id).await?;
        let item = item.ok_or(Refusal::NotFound)?;
        Ok(Response::ok("ItemRead", &item)?.version(item.version))
    }

    async fn put(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        let id = request.path("id", ItemId::parse)?;
        let precondition = request.precondition()?.ok_or(Refusal::PreconditionMissing)?;
        let content: Content = request.json(MOST_BYTES)?;
        let items = self.items(caller, now).await?;
        match items.put(caller.subject(), id, content, precondition, now).await? {
            Put::Created(item) => Ok(Response::created("ItemCreated", &item)?.version(item.version)),
            Put::Replaced(item) => Ok(Response::ok("ItemReplaced", &item)?.version(item.version)),
        }
    }

    async fn delete(&self, request: &Request, caller: &Caller, now: u64) -> Result<Response, Problem> {
        let id = request.path("id", ItemId::parse)?;
        let version = match request.precondition()? {
            None => None,
            Some(Precondition::Version(version)) => Some(version),
            Some(Precondition::Absent) => return Err(Refusal::RequestUnreadable.into()),
        };
        self.items(caller, now).await?.delete(caller.subject(), &id, version).await?;
        Ok(Response::empty("ItemDeleted"))
    }

    /// The items of the caller's tenant, with that tenant's credentials.
    async fn items<'a>(&'a self, caller: &'a Caller, now: u64) -> Result<Items<'a>, Problem> {
        let tenant = caller.tenant()?;
        let client = self.sessions.access(tenant, now).await?;
        Ok(Items { client, table: &self.items_table, tenant })
    }
}

/// The authorizer compares the tenant of the path already; here it is the thing
/// that is shown, so it must be the caller's.
fn tenant(request: &Request, caller: &Caller) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Tenant<'a> {
        tenant: &'a TenantId,
        roles: Vec<&'a str>,
    }
    let tenant = caller.tenant()?;
    if request.path("tenant", TenantId::parse)? != *tenant {
        return Err(Refusal::OtherTenant.into());
    }
    let roles = caller.roles().iter().map(AsRef::as_ref).collect();
    Response::ok("TenantRead", &Tenant { tenant, roles })
}

impl<I: Issuer<Access = Client>> Handler for UserApi<I> {
    const NAME: &'static str = "user-api";
    // API Gateway waits 30 s, the function's own time-out is 10 s.
    const LIMIT_MS: u64 = 9_500;

    async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, Failure> {
        answer(event, invocation, async |request, caller| self.serve(request, caller, invocation.now).await).await
    }
}
