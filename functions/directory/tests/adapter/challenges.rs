//! Challenges of sign-up that were used.

use directory::testing::{Calls, Database, TABLE};
use directory::{Directory, Error};
use futures_util::future::join_all;

use crate::support::{NOW, keys, set};

#[tokio::test]
async fn a_challenge_is_used_once_and_each_one_for_itself() {
    let database = Database::start().await.unwrap();
    let calls = Calls::default();
    let directory = Directory::new(database.recorded(&calls), TABLE);
    let table = [([0xab; 32], true), ([0xab; 32], false), ([0; 32], true), ([0xab; 32], false), ([0; 32], false)];
    for (digest, first) in table {
        assert_eq!(directory.use_challenge(&digest, NOW).await.unwrap(), first, "{digest:?}");
        assert_eq!(calls.take(), ["PutItem"]);
    }
    let expected = [format!("CHALLENGE#{} USED", "ab".repeat(32)), format!("CHALLENGE#{} USED", "00".repeat(32))];
    assert_eq!(keys(&database).await, set(&expected.each_ref().map(String::as_str)));
}

#[tokio::test]
async fn a_mark_goes_after_a_day() {
    let database = Database::start().await.unwrap();
    database.directory().use_challenge(&[1; 32], NOW).await.unwrap();
    let found = database.sdk().scan().table_name(TABLE).send().await.unwrap();
    let expires_at = found.items().first().and_then(|item| item.get("expires_at")).and_then(|at| at.as_n().ok());
    assert_eq!(expires_at, Some(&(NOW + 86_400).to_string()));
}

#[tokio::test]
async fn of_fifty_at_once_one_is_the_first() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    let all = join_all((0..50).map(|_| directory.use_challenge(&[7; 32], NOW))).await;
    let first = all.into_iter().filter(|one| *one.as_ref().unwrap()).count();
    assert_eq!(first, 1);
}

#[tokio::test]
async fn without_the_table_nobody_is_the_first() {
    let database = Database::empty().await.unwrap();
    let error = database.directory().use_challenge(&[7; 32], NOW).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}
