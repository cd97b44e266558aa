//! People, rules and items for the tests.

use std::collections::BTreeSet;
use std::sync::Mutex;

use directory::testing::Database;
use directory::{
    AddError, AddFailure, Directory, Groups, NewInvitation, Newcomer, Outcome, PoolUser, Provisioned, Subject,
    provision,
};
use shared::address::EmailAddress;
use shared::attributes::Attributes;
use shared::names::{RoleName, TenantId};
use shared::provisioning::Request;
use shared::rules::Rules;
use shared::tenants::{Membership, Status};

pub(crate) const NOW: u64 = 1_800_000_000;

/// Everyone at `acme.example` is a member of acme.
pub(crate) fn rules() -> Rules {
    let text = r#"
        version = 1
        [sign_up]
        mode = "open"
        [tenants]
        source = "directory"
        [[tenants.placements]]
        tenant = "acme"
        roles = ["member"]
        email_domains = ["acme.example"]
        [claims]
        token_version = "v2"
    "#;
    Rules::read(text).unwrap()
}

pub(crate) fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

pub(crate) fn tenant(text: &str) -> TenantId {
    TenantId::parse(text).unwrap()
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub(crate) fn roles(names: &[&str]) -> BTreeSet<RoleName> {
    names.iter().map(|name| RoleName::parse(name).unwrap()).collect()
}

pub(crate) fn active(name: &str, names: &[&str]) -> Membership {
    Membership { tenant: tenant(name), roles: roles(names), status: Status::Active }
}

pub(crate) async fn invite(directory: &Directory, to: &str, email: &str, names: &[&str], expires_at: u64) {
    let invitation = NewInvitation {
        tenant: &tenant(to),
        email: &address(email),
        roles: &roles(names),
        invited_by: &subject("admin"),
        created_at: NOW - 60,
        expires_at,
    };
    directory.invite(&invitation).await.unwrap();
}

/// The groups of a pool, by hand.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// What is said of a group instead of adding the user.
    pub(crate) failing: Mutex<Vec<(&'static str, AddFailure)>>,
    /// Every user's groups, as `user group`.
    pub(crate) members: Mutex<BTreeSet<String>>,
    /// Every call, in order.
    pub(crate) calls: Mutex<Vec<String>>,
}

impl Groups for Pool {
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        assert_eq!(user.pool_id, "pool");
        let member = format!("{} {group}", user.name);
        self.calls.lock().unwrap().push(member.clone());
        // A call takes a while, so that others may come in between.
        tokio::task::yield_now().await;
        if let Some((_, failure)) = self.failing.lock().unwrap().iter().find(|(name, _)| *name == group) {
            return Err(AddError::new(group, *failure, "by hand"));
        }
        self.members.lock().unwrap().insert(member);
        Ok(())
    }
}

impl Pool {
    pub(crate) fn members(&self) -> BTreeSet<String> {
        self.members.lock().unwrap().clone()
    }
}

/// Provisions a user with these attributes; the user's name is the `sub`.
pub(crate) async fn provision_as<G: Groups, const N: usize>(
    directory: &Directory,
    pool: &G,
    sub: &str,
    attributes: [(&str, &str); N],
) -> Outcome {
    let attributes = Attributes::from(attributes);
    let request = Request { attributes: &attributes, user_name: Some(sub) };
    let newcomer =
        Newcomer { subject: &subject(sub), user: PoolUser { pool_id: "pool", name: sub }, request, now: NOW };
    provision(directory, pool, &rules(), newcomer).await
}

pub(crate) async fn provision_verified(
    directory: &Directory,
    sub: &str,
    email: &str,
) -> Result<Provisioned, directory::Error> {
    let attributes = [("sub", sub), ("email", email), ("email_verified", "true")];
    provision_as(directory, &Pool::default(), sub, attributes).await.profile
}

/// The keys of everything in the table, each as `pk sk`.
pub(crate) async fn keys(database: &Database) -> BTreeSet<String> {
    let items = database.items().await.unwrap();
    let count = items.len();
    let keys: BTreeSet<String> =
        items.iter().map(|item| format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap())).collect();
    assert_eq!(keys.len(), count);
    keys
}

pub(crate) fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}
