//! The steps of a link, and an end between any two of them.

use std::sync::{Mutex, PoisonError};

use serde_json::json;
use shared::address::EmailAddress;
use shared::attributes::Attributes;
use shared::linking::{Candidate, Link, NewUser, Status};
use shared::rules::Rules;
use shell::{Answer, Handler as _, Invocation};

use crate::{AccountsError, ChallengeCheck};

use super::*;

const NAME: &str = "5f0c4f9e-1111-4222-8333-944445555666";

/// No invitations are asked for.
#[derive(Debug)]
struct Unasked;

impl Invitations for Unasked {
    async fn is_invited(&self, _: &EmailAddress, _: u64) -> Result<bool, directory::Error> {
        unreachable!("an invitation is asked for")
    }
}

/// A pool of at most one user, which may end the function at any step.
#[derive(Debug, Default)]
struct Pool {
    user: Mutex<Option<Candidate>>,
    calls: Mutex<Vec<&'static str>>,
    /// The step that does not come back, after it has done its work or before.
    dies: Option<(&'static str, When)>,
    /// Whether the pool refuses links, and what it does all the same.
    refuses: Option<Refuses>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
}

#[derive(Clone, Copy, Debug)]
enum Refuses {
    AndLinks,
    Plainly,
}

impl Pool {
    fn step(&self, name: &'static str, work: impl FnOnce(&mut Option<Candidate>)) -> Result<(), AccountsError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        if self.dies != Some((name, When::Before)) {
            work(&mut self.user.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match self.dies {
            Some((step, _)) if step == name => Err(AccountsError::Unreachable("time is up".into())),
            _ => Ok(()),
        }
    }

    fn now(&self) -> Option<Candidate> {
        self.user.lock().unwrap().clone()
    }
}

impl Accounts for &Pool {
    async fn find(&self, _: PoolId<'_>, _: &EmailAddress) -> Result<Found, AccountsError> {
        self.step("find", |_| {})?;
        Ok(Found { listed: self.now().into_iter().collect(), named: self.now() })
    }

    async fn user(&self, _: PoolId<'_>, name: &str) -> Result<Candidate, AccountsError> {
        assert_eq!(name, NAME);
        self.step("user", |_| {})?;
        Ok(self.now().unwrap())
    }

    async fn link(&self, pool: PoolId<'_>, link: &Link) -> Result<LinkAnswer, AccountsError> {
        assert_eq!((pool.0, link.user_name.as_str()), ("eu-west-1_pool", NAME));
        let links = !matches!(self.refuses, Some(Refuses::Plainly));
        self.step("link", |user| {
            if let Some(user) = user.as_mut().filter(|_| links) {
                let identities = json!([{"providerName": link.provider, "userId": link.subject}]);
                user.attributes = attributes(&[("identities", &identities.to_string())]);
            }
        })?;
        Ok(self.refuses.map_or(LinkAnswer::Made, |_| LinkAnswer::Refused("no".into())))
    }

    async fn create(&self, _: PoolId<'_>, new: &NewUser) -> Result<String, AccountsError> {
        assert_eq!(new.address.as_str(), "ann@acme.example");
        self.step("create", |user| {
            let attributes = attributes(&[(&new.subject_attribute, &new.subject)]);
            *user = Some(Candidate { status: Status::ForceChangePassword, attributes, ..native() });
        })?;
        Ok(NAME.to_owned())
    }

    async fn confirm(&self, _: PoolId<'_>, name: &str) -> Result<(), AccountsError> {
        assert_eq!(name, NAME);
        self.step("confirm", |user| {
            if let Some(user) = user.as_mut() {
                user.status = Status::Confirmed;
            }
        })
    }
}

fn attributes(more: &[(&str, &str)]) -> Attributes {
    let own = [("email", "ann@acme.example"), ("email_verified", "true")];
    own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn native() -> Candidate {
    Candidate { user_name: NAME.to_owned(), status: Status::Confirmed, enabled: true, attributes: attributes(&[]) }
}

fn rules() -> Rules {
    let text = r#"
        version = 1
        [sign_up]
        mode = "open"
        blocked_domains = ["blocked.example"]
        forbidden_attributes = ["custom:provider_subject"]
        [[providers]]
        name = "Google"
        trusts_email = true
        links = "existing"
        [[providers]]
        name = "Corp_OIDC"
        trusts_email = true
        links = "create"
        subject_attribute = "custom:provider_subject"
        [[providers]]
        name = "separate"
        trusts_email = true
        [tenants]
        source = "directory"
        [claims]
        token_version = "v2"
        "#;
    Rules::read(text).unwrap()
}

async fn answer_to(pool: &Pool, user_name: &str, email: &str) -> Result<Answer, Failure> {
    let event = json!({
        "userPoolId": "eu-west-1_pool", "userName": user_name, "triggerSource": "PreSignUp_ExternalProvider",
        "request": {"userAttributes": {
            "email": email, "email_verified": "true", "custom:provider_subject": "Abc",
        }},
    });
    let event = event.to_string();
    let invocation = Invocation { request_id: "r".to_owned(), now: 1_800_000_000 };
    PreSignUp::new(rules(), Unasked, pool, ChallengeCheck::OFF).handle(&event, &invocation).await
}

/// The code, what the person is told, and the calls that were made.
async fn sign_in(pool: &Pool, user_name: &str) -> (&'static str, Option<PublicText>, Vec<&'static str>) {
    pool.calls.lock().unwrap().clear();
    let answer = answer_to(pool, user_name, "ann@acme.example").await;
    let calls = pool.calls.lock().unwrap().clone();
    match answer {
        Ok(answer) => (answer.code, None, calls),
        Err(failure) => (failure.code(), Some(failure.public()), calls),
    }
}

fn with_user() -> Pool {
    Pool { user: Mutex::new(Some(native())), ..Pool::default() }
}

#[tokio::test]
async fn a_linked_newcomer_signs_in_again_and_everyone_else_goes_on() {
    let linked = Some(PublicText::AccountLinked);
    let table = [
        ("Google_123", with_user(), "AccountLinked", linked, vec!["find", "link"]),
        ("Google_123", Pool::default(), "Accepted", None, vec!["find"]),
        ("Corp_OIDC_abc", with_user(), "AccountLinked", linked, vec!["find", "link"]),
        ("Corp_OIDC_abc", Pool::default(), "AccountLinked", linked, vec!["find", "create", "confirm", "link"]),
        ("separate_123", with_user(), "Accepted", None, vec![]),
        ("Corp_OIDC_abd", with_user(), "LinkSubjectInconsistent", Some(PublicText::SignUpRefused), vec![]),
    ];
    for (user_name, pool, code, public, calls) in table {
        assert_eq!(sign_in(&pool, user_name).await, (code, public, calls), "{user_name} {pool:?}");
    }
}

#[tokio::test]
async fn who_may_not_sign_up_is_not_linked() {
    let pool = with_user();
    let answer = answer_to(&pool, "Google_123", "ann@blocked.example").await;
    assert_eq!(answer.unwrap_err().code(), "DomainBlocked");
    assert!(pool.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_end_between_any_two_steps_is_made_up_for_by_the_next_attempt() {
    for step in ["find", "create", "confirm", "link"] {
        for when in [When::Before, When::After] {
            let mut pool = Pool { dies: Some((step, when)), ..Pool::default() };
            let (code, public, _) = sign_in(&pool, "Corp_OIDC_abc").await;
            assert_eq!((code, public), ("PoolUnreachable", Some(PublicText::TryAgain)), "{step} {when:?}");
            pool.dies = None;
            let (code, _, calls) = sign_in(&pool, "Corp_OIDC_abc").await;
            assert_eq!(code, "AccountLinked", "{step} {when:?} {calls:?}");
            let made_before = matches!((step, when), ("create", When::After) | ("confirm" | "link", _));
            assert_eq!(calls.contains(&"create"), !made_before, "{step} {when:?}: {calls:?}");
            let user = pool.now().unwrap();
            assert_eq!(user.status, Status::Confirmed, "{step} {when:?}");
            assert_eq!(user.attributes.identities().unwrap().len(), 1, "{step} {when:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_link_is_looked_at_before_it_is_believed() {
    let table = [
        (Refuses::AndLinks, "AccountLinked", Some(PublicText::AccountLinked)),
        (Refuses::Plainly, "LinkRefused", Some(PublicText::SignUpRefused)),
    ];
    for (refuses, code, public) in table {
        let pool = Pool { refuses: Some(refuses), ..with_user() };
        let expected = (code, public, vec!["find", "link", "user"]);
        assert_eq!(sign_in(&pool, "Google_123").await, expected, "{refuses:?}");
    }
}

#[test]
fn only_what_may_pass_later_asks_to_try_again() {
    let table = [
        (Refusal::LookupsDisagree, PublicText::TryAgain),
        (Refusal::Ambiguous, PublicText::SignUpRefused),
        (Refusal::TargetUnverified, PublicText::SignUpRefused),
        (Refusal::TargetFull, PublicText::SignUpRefused),
    ];
    for (refusal, expected) in table {
        assert_eq!(refused(refusal).public(), expected, "{refusal:?}");
    }
}
