//! People, rules and items for the tests.

use std::collections::BTreeSet;

use directory::testing::Database;
use directory::{Directory, NewInvitation, Newcomer, Provisioned, Subject, provision};
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

pub(crate) async fn provision_verified(
    directory: &Directory,
    sub: &str,
    email: &str,
) -> Result<Provisioned, directory::Error> {
    let attributes = Attributes::from([("sub", sub), ("email", email), ("email_verified", "true")]);
    let request = Request { attributes: &attributes, user_name: Some(sub) };
    let subject = subject(sub);
    provision(directory, &rules(), Newcomer { subject: &subject, request, now: NOW }).await
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
