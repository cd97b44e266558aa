//! What users who were moved in brought along.

use std::sync::Mutex;

use directory::testing::{Calls, Database, TABLE};
use directory::{AddError, AddFailure, Directory, Error, Groups, Newcomer, Outcome, PoolUser, Provisioned, provision};
use shared::attributes::Attributes;
use shared::names::LegacyId;
use shared::provisioning::{Arrival, Request};
use shared::tenants::Status;
use tokio::sync::Notify;

use crate::support::{NOW, Pool, active, invite, keys, provision_as, roles, rules, set, subject, tenant};

const ID: &str = "auth0|7";
const KEY: &str = "LEGACY#auth0|7 ARRIVAL";

fn arrival(address: &str, memberships: &[(&str, &[&str])], groups: &[&str]) -> Arrival {
    let memberships = memberships.iter().map(|(name, names)| (tenant(name), roles(names))).collect();
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Arrival::new(LegacyId::parse(ID).unwrap(), address, memberships, groups).unwrap()
}

fn moved_in<'a>(sub: &'a str, email: &'a str) -> [(&'a str, &'a str); 4] {
    [("sub", sub), ("email", email), ("email_verified", "true"), ("custom:legacy_id", ID)]
}

async fn come(directory: &Directory, pool: &Pool, sub: &str, email: &str) -> Outcome {
    provision_as(directory, pool, sub, moved_in(sub, email)).await
}

#[tokio::test]
async fn what_was_brought_along_is_given_once_together_with_the_profile() {
    let database = Database::start().await.unwrap();
    let (calls, pool) = (Calls::default(), Pool::default());
    let directory = Directory::new(database.recorded(&calls), TABLE);
    let brought = arrival("Ann@acme.example", &[("acme", &["owner"]), ("beta", &[])], &["staff", "beta:admin"]);
    directory.put_arrival(&brought, NOW).await.unwrap();
    assert_eq!(calls.take(), ["PutItem"]);

    let outcome = come(&directory, &pool, "ann", "ann@acme.example").await;
    let given = [active("acme", &["member", "owner"]), active("beta", &[])];
    assert_eq!(outcome.profile.unwrap(), Provisioned::Now(given.to_vec()));
    assert_eq!(outcome.joined, ["beta:admin", "staff"]);
    let mut made = calls.take();
    made[..2].sort_unstable();
    assert_eq!(made, ["GetItem", "Query", "TransactWriteItems"]);
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "acme#members ann", "beta#members ann"]));
    assert_eq!(pool.members(), set(&["ann beta:admin", "ann staff"]));

    let again = come(&directory, &pool, "ann", "ann@acme.example").await;
    assert_eq!((again.profile.unwrap(), again.joined), (Provisioned::Before, Vec::new()));
    assert_eq!(directory.person(&subject("ann")).await.unwrap().memberships, given);
}

#[tokio::test]
async fn everybody_else_costs_no_further_call() {
    let database = Database::start().await.unwrap();
    let calls = Calls::default();
    let directory = Directory::new(database.recorded(&calls), TABLE);
    let attributes = [("sub", "ann"), ("email", "ann@acme.example"), ("email_verified", "true")];
    provision_as(&directory, &Pool::default(), "ann", attributes).await.profile.unwrap();
    assert_eq!(calls.take(), ["Query", "TransactWriteItems"]);
}

#[tokio::test]
async fn an_identifier_without_its_address_gives_nothing() {
    let table = [
        ("another's address", Some(arrival("bob@old.example", &[("beta", &["admin"])], &["staff"])), false),
        ("nothing was brought", None, false),
        ("the own address", Some(arrival("ANN@old.example", &[("beta", &["admin"])], &["staff"])), true),
        ("the own user name", Some(arrival("Ann", &[("beta", &["admin"])], &["staff"])), true),
    ];
    for (name, brought, counts) in table {
        let database = Database::start().await.unwrap();
        let (directory, pool) = (database.directory(), Pool::default());
        if let Some(brought) = &brought {
            directory.put_arrival(brought, NOW).await.unwrap();
        }
        // As a client might write it who is let write what it must not.
        let outcome = come(&directory, &pool, "ann", "ann@old.example").await;
        let given = if counts { vec![active("beta", &["admin"])] } else { Vec::new() };
        assert_eq!(outcome.profile.unwrap(), Provisioned::Now(given), "{name}");
        assert_eq!(pool.calls.lock().unwrap().len(), usize::from(counts), "{name}");
        let stays = brought.is_some() && !counts;
        assert_eq!(keys(&database).await.contains(KEY), stays, "{name}: it waits for its owner");
    }
}

#[tokio::test]
async fn a_membership_that_stands_is_neither_revived_nor_widened() {
    let database = Database::start().await.unwrap();
    let (directory, pool) = (database.directory(), Pool::default());
    for (name, status) in [("beta", "suspended"), ("gamma", "active")] {
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let number = |digits: &str| aws_sdk_dynamodb::types::AttributeValue::N(digits.to_owned());
        let entries = [
            ("pk", text(&format!("{name}#members"))),
            ("sk", text("ann")),
            ("subject", text("USER#ann")),
            ("tenant", text(name)),
            ("status", text(status)),
            ("created_at", number("1")),
            ("version", number("7")),
        ];
        database.put(entries.map(|(name, value)| (name.to_owned(), value)).into()).await.unwrap();
    }
    let brought = arrival("ann@x.test", &[("beta", &["admin"]), ("delta", &["admin"]), ("gamma", &["admin"])], &[]);
    directory.put_arrival(&brought, NOW).await.unwrap();
    let outcome = come(&directory, &pool, "ann", "ann@x.test").await;
    assert_eq!(outcome.profile.unwrap(), Provisioned::Now(vec![active("delta", &["admin"])]), "only what is new");
    let person = directory.person(&subject("ann")).await.unwrap();
    let mut suspended = active("beta", &[]);
    suspended.status = Status::Suspended;
    assert_eq!(person.memberships, [suspended, active("delta", &["admin"]), active("gamma", &[])]);
    assert!(!keys(&database).await.contains(KEY));
}

#[tokio::test]
async fn a_group_that_may_come_later_holds_the_profile_back_and_one_that_is_missing_does_not() {
    let table = [
        (AddFailure::Unreachable, Err("GroupsFirst"), "PoolUnreachable"),
        (AddFailure::UserMissing, Err("GroupsFirst"), "UserMissing"),
        (AddFailure::GroupMissing, Ok(()), "GroupMissing"),
    ];
    for (failure, expected, code) in table {
        let database = Database::start().await.unwrap();
        let (directory, pool) = (database.directory(), Pool::default());
        let brought = arrival("ann@x.test", &[("beta", &["admin"])], &["staff", "users"]);
        directory.put_arrival(&brought, NOW).await.unwrap();
        pool.failing.lock().unwrap().push(("staff", failure));
        let outcome = come(&directory, &pool, "ann", "ann@x.test").await;
        assert_eq!(outcome.profile.as_ref().map(|_| ()).map_err(Error::code), expected, "{failure:?}");
        assert_eq!(outcome.failed.iter().map(AddError::code).collect::<Vec<_>>(), [code], "{failure:?}");
        assert_eq!(outcome.joined, ["users"], "{failure:?}: one failure costs no other group");
        let written = set(&["USER#ann PROFILE", "beta#members ann"]);
        assert_eq!(keys(&database).await, if expected.is_ok() { written.clone() } else { set(&[KEY]) }, "{failure:?}");

        pool.failing.lock().unwrap().clear();
        let again = come(&directory, &pool, "ann", "ann@x.test").await;
        assert!(again.profile.is_ok(), "{failure:?}");
        assert_eq!(keys(&database).await, written, "{failure:?}");
        // What the pool did not have is lost with the arrival; the code told the operator.
        assert_eq!(pool.members().contains("ann staff"), expected.is_err(), "{failure:?}");
    }
}

/// A pool whose answer never comes: the user is in the group, and the call that
/// asked for it ends there.
struct Unheard<'a> {
    pool: &'a Pool,
    done: Notify,
}

impl Groups for Unheard<'_> {
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        self.pool.add(user, group).await?;
        self.done.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn killed_between_the_groups_and_the_transaction_the_next_call_ends_the_same() {
    let database = Database::start().await.unwrap();
    let (directory, pool) = (database.directory(), Pool::default());
    let brought = arrival("ann@acme.example", &[("beta", &["admin"])], &["staff"]);
    directory.put_arrival(&brought, NOW).await.unwrap();
    for _ in 0..3 {
        let unheard = Unheard { pool: &pool, done: Notify::new() };
        tokio::select! {
            outcome = provision_as(&directory, &unheard, "ann", moved_in("ann", "ann@acme.example")) => {
                panic!("it went on without the group: {outcome:?}")
            }
            () = unheard.done.notified() => {}
        }
        assert_eq!(pool.members(), set(&["ann staff"]));
        assert_eq!(keys(&database).await, set(&[KEY]), "nothing was written, and nothing is lost");
    }
    let outcome = come(&directory, &pool, "ann", "ann@acme.example").await;
    let given = vec![active("acme", &["member"]), active("beta", &["admin"])];
    assert_eq!(outcome.profile.unwrap(), Provisioned::Now(given));
    assert_eq!(outcome.joined, ["staff"], "the first token that goes out says so");
    assert_eq!(pool.members(), set(&["ann staff"]));
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "acme#members ann", "beta#members ann"]));
}

#[tokio::test]
async fn two_first_tokens_at_once_give_everything_once() {
    for round in 0..8 {
        let database = Database::start().await.unwrap();
        let (directory, pool) = (database.directory(), Pool::default());
        let brought = arrival("ann@x.test", &[("beta", &["admin"]), ("gamma", &[])], &["staff"]);
        directory.put_arrival(&brought, NOW).await.unwrap();
        let (one, two) =
            tokio::join!(come(&directory, &pool, "ann", "ann@x.test"), come(&directory, &pool, "ann", "ann@x.test"));
        let ended = [one.profile.unwrap(), two.profile.unwrap()];
        let now = Provisioned::Now(vec![active("beta", &["admin"]), active("gamma", &[])]);
        assert!(ended.contains(&now) && ended.contains(&Provisioned::Before), "round {round}: {ended:?}");
        assert_eq!(keys(&database).await, set(&["USER#ann PROFILE", "beta#members ann", "gamma#members ann"]));
        assert_eq!(pool.members(), set(&["ann staff"]), "round {round}");
    }
}

/// A pool during whose calls the arrival is replaced: they lie between the
/// reading and the transaction.
struct Meanwhile {
    directory: Directory,
    /// What is written at each call, the last first.
    arrivals: Mutex<Vec<Arrival>>,
}

impl Groups for Meanwhile {
    async fn add(&self, _: PoolUser<'_>, _: &str) -> Result<(), AddError> {
        let next = self.arrivals.lock().unwrap().pop();
        if let Some(next) = next {
            self.directory.put_arrival(&next, NOW).await.unwrap();
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_changes_under_the_plan_is_planned_again() {
    let first = || arrival("ann@x.test", &[("beta", &["admin"])], &["g1"]);
    let table = [
        ("the same again", vec![first()], Ok("beta")),
        ("other roles", vec![arrival("ann@x.test", &[("beta", &["member"])], &["g1"])], Ok("beta")),
        ("another tenant", vec![arrival("ann@x.test", &[("gamma", &["admin"])], &["g1"])], Ok("gamma")),
        ("other groups", vec![arrival("ann@x.test", &[("beta", &["admin"])], &["g2"])], Ok("beta")),
        ("no groups", vec![arrival("ann@x.test", &[("beta", &["admin"])], &[])], Ok("beta")),
        ("another's address", vec![arrival("bob@x.test", &[("beta", &["admin"])], &["g1"])], Ok("")),
        (
            "again and again",
            vec![arrival("ann@x.test", &[("gamma", &[])], &["g3"]), arrival("ann@x.test", &[("beta", &[])], &["g2"])],
            Err("DirectoryContended"),
        ),
    ];
    for (name, arrivals, expected) in table {
        let database = Database::start().await.unwrap();
        let directory = database.directory();
        directory.put_arrival(&first(), NOW).await.unwrap();
        let last = arrivals.first().cloned();
        let pool = Meanwhile { directory: directory.clone(), arrivals: Mutex::new(arrivals) };
        let attributes = Attributes::from(moved_in("ann", "ann@x.test"));
        let request = Request { attributes: &attributes, user_name: Some("ann") };
        let user = PoolUser { pool_id: "pool", name: "ann" };
        let newcomer = Newcomer { subject: &subject("ann"), user, request, now: NOW };
        let ended = provision(&directory, &pool, &rules(), newcomer).await.profile;
        match (ended, expected) {
            (Ok(Provisioned::Now(given)), Ok(expected)) => {
                let tenants: Vec<&str> = given.iter().map(|membership| membership.tenant.as_str()).collect();
                assert_eq!(tenants.join(" "), expected, "{name}");
                let last = last.filter(|_| !expected.is_empty()).unwrap_or_else(first);
                assert!(given.iter().all(|one| last.memberships().get(&one.tenant) == Some(&one.roles)), "{name}");
                assert_eq!(keys(&database).await.contains(KEY), expected.is_empty(), "{name}");
            }
            (Err(error), Err(code)) => {
                assert_eq!(error.code(), code, "{name}");
                assert_eq!(keys(&database).await, set(&[KEY]), "{name}: nothing was written");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_largest_arrival_and_the_most_invitations_fit_into_one_transaction() {
    let database = Database::start().await.unwrap();
    let (directory, pool) = (database.directory(), Pool::default());
    let names: Vec<String> = (0..Arrival::MOST_MEMBERSHIPS).map(|number| format!("old-{number:02}")).collect();
    let memberships: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &["member"][..])).collect();
    directory.put_arrival(&arrival("ann@x.test", &memberships, &[]), NOW).await.unwrap();
    for number in 0..40 {
        invite(&directory, &format!("new-{number:02}"), "ann@x.test", &["member"], NOW + 60).await;
    }
    match come(&directory, &pool, "ann", "ann@x.test").await.profile.unwrap() {
        Provisioned::Now(memberships) => assert_eq!(memberships.len(), 50 + 24),
        Provisioned::Before => panic!("there was no profile"),
    }
    let left = keys(&database).await;
    assert_eq!(left.iter().filter(|key| key.contains("#invitations")).count(), 16, "the others wait");
    assert!(!left.contains(KEY));
}

#[tokio::test]
async fn a_later_arrival_of_the_same_user_replaces_the_earlier() {
    let database = Database::start().await.unwrap();
    let (directory, pool) = (database.directory(), Pool::default());
    let earlier = arrival("ann@x.test", &[("beta", &["admin"])], &["staff"]);
    let later = arrival("ann@x.test", &[], &[]);
    directory.put_arrival(&earlier, NOW).await.unwrap();
    directory.put_arrival(&later, NOW + 1).await.unwrap();
    let outcome = come(&directory, &pool, "ann", "ann@x.test").await;
    assert_eq!(outcome.profile.unwrap(), Provisioned::Now(Vec::new()), "what was taken away stays away");
    assert!(pool.members().is_empty());
    assert_eq!(keys(&database).await, set(&["USER#ann PROFILE"]));
}
