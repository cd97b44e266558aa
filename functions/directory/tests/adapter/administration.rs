//! What administrators and users change.

use directory::testing::Database;
use directory::{Changed, Choice, MemberChange, Subject};
use shared::names::TenantId;

use crate::support::{NOW, active, address, invite, keys, provision_verified, roles, subject, tenant};

async fn two_tenants() -> Database {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    invite(&directory, "beta", "ann@acme.example", &["admin"], NOW + 60).await;
    provision_verified(&directory, "ann", "ann@acme.example").await.unwrap();
    database
}

async fn chosen(database: &Database, subject: &Subject) -> Option<TenantId> {
    database.directory().person(subject).await.unwrap().profile.and_then(|profile| profile.active_tenant)
}

#[tokio::test]
async fn a_choice_is_kept_only_among_active_memberships() {
    let database = two_tenants().await;
    let directory = database.directory();
    let ann = subject("ann");
    let table = [
        ("ann", "beta", Choice::Kept, Some("beta")),
        ("ann", "acme", Choice::Kept, Some("acme")),
        ("ann", "gamma", Choice::NotAMember, Some("acme")),
        ("nobody", "acme", Choice::NotAMember, Some("acme")),
    ];
    for (who, to, expected, after) in table {
        let choice = directory.choose_tenant(&subject(who), &tenant(to)).await.unwrap();
        assert_eq!(choice, expected, "{who} {to}");
        assert_eq!(chosen(&database, &ann).await.as_ref().map(TenantId::as_str), after, "{who} {to}");
    }
    let profile = directory.person(&ann).await.unwrap().profile.unwrap();
    assert_eq!(profile.version, 3, "each choice that was kept counts");

    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let mut items = database.items().await.unwrap().into_iter();
    let mut beta = items.find(|item| item["pk"] == text("beta#members")).unwrap();
    beta.insert("status".to_owned(), text("suspended"));
    database.put(beta).await.unwrap();
    assert_eq!(directory.choose_tenant(&ann, &tenant("beta")).await.unwrap(), Choice::NotAMember);
    assert_eq!(chosen(&database, &ann).await, Some(tenant("acme")));
}

#[tokio::test]
async fn members_come_page_by_page_and_of_one_tenant_only() {
    let database = two_tenants().await;
    let directory = database.directory();
    for name in ["bob", "cid", "dan"] {
        provision_verified(&directory, name, &format!("{name}@acme.example")).await.unwrap();
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = directory.members(&tenant("acme"), after.as_ref(), 3).await.unwrap();
        assert!(page.members.len() <= 3);
        found.extend(page.members);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let names: Vec<&str> = found.iter().map(|member| member.subject.as_str()).collect();
    assert_eq!(names, ["ann", "bob", "cid", "dan"]);
    assert_eq!(found[1].membership, active("acme", &["member"]));
    assert_eq!(found[1].email, Some(address("bob@acme.example")));
    assert_eq!((found[1].version, found[1].created_at), (1, NOW));

    let other = directory.members(&tenant("acm"), None, 10).await.unwrap();
    assert_eq!((other.members, other.next), (Vec::new(), None), "a name that another begins with is not that other");
}

#[tokio::test]
async fn roles_change_only_from_the_version_that_was_read() {
    let database = two_tenants().await;
    let directory = database.directory();
    let acme = tenant("acme");
    let table = [
        ("ann", &["admin", "member"][..], 1, Changed::Done(2), &["admin", "member"][..]),
        // What the SDK's repetition of a call looks like.
        ("ann", &["admin", "member"], 1, Changed::Done(2), &["admin", "member"]),
        ("ann", &["owner"], 1, Changed::Outdated, &["admin", "member"]),
        ("ann", &[], 2, Changed::Done(3), &[]),
        ("ann", &["member"], 3, Changed::Done(4), &["member"]),
        ("bob", &["admin"], 0, Changed::NotAMember, &["member"]),
    ];
    for (who, names, version, expected, after) in table {
        let roles = roles(names);
        let change = MemberChange::Roles(&roles);
        let change = directory.change_member(&acme, &subject(who), change, version, 1_000).await.unwrap();
        assert_eq!(change, expected, "{who} {names:?} {version}");
        let ann = directory.member(&acme, &subject("ann")).await.unwrap().unwrap();
        assert_eq!(ann.membership, active("acme", after), "{who} {names:?} {version}");
    }
    assert_eq!(directory.member(&acme, &subject("bob")).await.unwrap(), None);
    let beta = directory.member(&tenant("beta"), &subject("ann")).await.unwrap().unwrap();
    assert_eq!(beta.membership, active("beta", &["admin"]), "the other tenant knows nothing of it");
}

#[tokio::test]
async fn an_invitation_holds_until_its_time_and_is_replaced_by_the_next() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    let ann = address("Ann@Beta.Example");
    assert!(!directory.is_invited(&ann, NOW).await.unwrap());
    invite(&directory, "beta", "ann@beta.example", &["admin"], NOW + 10).await;
    let table = [(NOW, true), (NOW + 9, true), (NOW + 10, false), (NOW + 11, false)];
    for (now, expected) in table {
        assert_eq!(directory.is_invited(&ann, now).await.unwrap(), expected, "{now}");
    }
    assert!(!directory.is_invited(&address("ann@beta.example.evil.test"), NOW).await.unwrap());

    invite(&directory, "beta", "ann@beta.example", &["member"], NOW + 20).await;
    assert!(directory.is_invited(&ann, NOW + 15).await.unwrap());
    assert_eq!(keys(&database).await.len(), 1);
}
