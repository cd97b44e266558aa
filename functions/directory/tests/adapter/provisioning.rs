//! Provisioning: once, however often and however badly it is called.

use std::time::Duration;

use directory::testing::{Calls, Database, TABLE};
use directory::{Directory, Provisioned};
use futures_util::future::join_all;

use crate::support::{NOW, active, invite, keys, provision_verified, set, subject};

#[tokio::test]
async fn a_user_gets_profile_and_membership_once_however_often() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    let first = provision_verified(&directory, "ann", "ann@acme.example").await.unwrap();
    assert_eq!(first, Provisioned::Now(vec![active("acme", &["member"])]));
    let before = database.items().await.unwrap();
    for _ in 0..3 {
        assert_eq!(provision_verified(&directory, "ann", "ann@acme.example").await.unwrap(), Provisioned::Before);
    }
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "acme#members ann"]));
    let mut after = database.items().await.unwrap();
    after.sort_by_key(|item| before.iter().position(|other| other == item));
    assert_eq!(after, before, "a repetition changes nothing");

    let person = directory.person(&subject("ann")).await.unwrap();
    assert_eq!(person.memberships, [active("acme", &["member"])]);
    let profile = person.profile.unwrap();
    assert_eq!((profile.created_at, profile.version, profile.active_tenant), (NOW, 1, None));
    assert_eq!(profile.email.unwrap().as_str(), "ann@acme.example");
}

#[tokio::test]
async fn ten_at_once_leave_one_of_each() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    invite(&directory, "beta", "ann@acme.example", &["admin"], NOW + 60).await;
    let calls = (0..10).map(|_| provision_verified(&directory, "ann", "ann@acme.example"));
    let ended: Vec<Provisioned> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let both = Provisioned::Now(vec![active("acme", &["member"]), active("beta", &["admin"])]);
    assert_eq!(ended.iter().filter(|ended| **ended == both).count(), 1, "{ended:?}");
    assert_eq!(ended.iter().filter(|ended| **ended == Provisioned::Before).count(), 9, "{ended:?}");
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "acme#members ann", "beta#members ann"]));
}

#[tokio::test]
async fn killed_at_any_moment_and_called_again_nothing_is_missing_or_doubled() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    let mut killed = 0;
    for round in 0..24_u64 {
        let (sub, email) = (format!("user{round}"), format!("user{round}@acme.example"));
        invite(&directory, "beta", &email, &["admin"], NOW + 60).await;
        let limit = Duration::from_micros(round * 250);
        // The timeout drops the future between its steps, as the end of a process would.
        killed += u8::from(tokio::time::timeout(limit, provision_verified(&directory, &sub, &email)).await.is_err());
        provision_verified(&directory, &sub, &email).await.unwrap();
        let person = directory.person(&subject(&sub)).await.unwrap();
        assert!(person.profile.is_some(), "{sub}");
        assert_eq!(person.memberships, [active("acme", &["member"]), active("beta", &["admin"])], "{sub}");
    }
    assert!(killed > 0, "no round was cut short");
    assert_eq!(keys(&database).await.len(), 24 * 3, "profile and two memberships each, no invitation left");
}

#[tokio::test]
async fn one_invitation_serves_one_of_two_who_come_together() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    for round in 0..8 {
        let email = format!("shared{round}@beta.example");
        invite(&directory, "beta", &email, &["admin"], NOW + 60).await;
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        let (first, second) =
            tokio::join!(provision_verified(&directory, &one, &email), provision_verified(&directory, &two, &email));
        let mut ended = [first.unwrap(), second.unwrap()];
        ended.sort_by_key(|ended| *ended == Provisioned::Now(Vec::new()));
        let expected = [Provisioned::Now(vec![active("beta", &["admin"])]), Provisioned::Now(Vec::new())];
        assert_eq!(ended, expected, "round {round}");
    }
    let memberships = keys(&database).await.into_iter().filter(|key| key.starts_with("beta#members")).count();
    assert_eq!(memberships, 8);
}

#[tokio::test]
async fn an_expired_invitation_gives_nothing_and_stays_for_its_deletion() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    let table = [("late", NOW - 1, false), ("now", NOW, false), ("early", NOW + 1, true)];
    for (sub, expires_at, counts) in table {
        let email = format!("{sub}@beta.example");
        invite(&directory, "beta", &email, &["member"], expires_at).await;
        let memberships = if counts { vec![active("beta", &["member"])] } else { Vec::new() };
        let ended = provision_verified(&directory, sub, &email).await.unwrap();
        assert_eq!(ended, Provisioned::Now(memberships), "{sub}");
        let left = keys(&database).await.contains(&format!("beta#invitations {email}"));
        assert_eq!(left, !counts, "{sub}");
    }
}

#[tokio::test]
async fn a_membership_that_stands_is_left_as_it_is() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    provision_verified(&directory, "ann", "ann@acme.example").await.unwrap();
    // Suspended, and the profile lost: the next call must not bring the rights back.
    let client = database.sdk();
    let suspended = database.items().await.unwrap().into_iter().find(|item| item.contains_key("status")).map(|item| {
        let mut item = item;
        item.insert("status".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S("suspended".to_owned()));
        item
    });
    database.put(suspended.unwrap()).await.unwrap();
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let delete = client.delete_item().table_name(TABLE).key("pk", key("USER#ann")).key("sk", key("PROFILE"));
    delete.send().await.unwrap();

    invite(&directory, "beta", "ann@acme.example", &["member"], NOW + 60).await;
    let ended = provision_verified(&directory, "ann", "ann@acme.example").await.unwrap();
    assert_eq!(ended, Provisioned::Now(vec![active("beta", &["member"])]), "only what is new is said to be new");
    let person = directory.person(&subject("ann")).await.unwrap();
    assert_eq!(person.memberships[0].status, shared::tenants::Status::Suspended);
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "acme#members ann", "beta#members ann"]));
}

#[tokio::test]
async fn the_normal_case_is_one_read_and_one_transaction() {
    let database = Database::start().await.unwrap();
    let calls = Calls::default();
    let directory = Directory::new(database.recorded(&calls), TABLE);
    provision_verified(&directory, "ann", "ann@acme.example").await.unwrap();
    assert_eq!(calls.take(), ["Query", "TransactWriteItems"]);
    directory.person(&subject("ann")).await.unwrap();
    assert_eq!(calls.take(), ["Query"]);
}

#[tokio::test]
async fn as_many_invitations_as_fit_are_taken_and_the_others_wait() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    for number in 0..60 {
        invite(&directory, &format!("tenant-{number:02}"), "ann@beta.example", &["member"], NOW + 60).await;
    }
    match provision_verified(&directory, "ann", "ann@beta.example").await.unwrap() {
        Provisioned::Now(memberships) => assert_eq!(memberships.len(), 40),
        Provisioned::Before => panic!("there was no profile"),
    }
    assert_eq!(keys(&database).await.iter().filter(|key| key.contains("#invitations")).count(), 20);
}

#[tokio::test]
async fn a_database_that_is_gone_is_an_error_and_not_an_empty_answer() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    drop(database);
    tokio::task::yield_now().await;
    let error = directory.person(&subject("ann")).await.unwrap_err();
    assert_eq!(error.code(), "DirectoryUnreachable");
    let error = provision_verified(&directory, "ann", "ann@acme.example").await.unwrap_err();
    assert_eq!(error.code(), "DirectoryUnreachable");
}
