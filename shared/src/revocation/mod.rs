//! Whether a genuine token still counts, though its session was ended or the
//! rights in it have changed since.
//!
//! What was ended is written down as marks, each under a [`Key`]:
//!
//! | key | written when | refuses |
//! | --- | --- | --- |
//! | `SESSION#<origin_jti>` | somebody signs out | every token of that session |
//! | `USER#<sub>` | he signs out everywhere, or an operator disables him | his tokens |
//! | `<tenant>#<sub>` | an administrator changes or ends his membership | his tokens for that tenant |
//!
//! The last two hold up to two times. `authenticated_before` ends sessions: it is
//! compared with `auth_time`, which a refresh keeps, so only a new sign-in helps.
//! `issued_before` takes rights back: it is compared with `iat`, so a refresh,
//! which asks the directory again, helps as well.
//!
//! Both are whole seconds, and a token of the very second is refused: it cannot
//! be told from one that was made just before.

mod rules;

use std::fmt;

pub use rules::{Mode, RevocationRules, Unavailable};

use crate::names::{SessionId, Subject, TenantId};
use crate::token::{Session, Verified};

/// How many seconds a change of rights takes to be everywhere: the change is
/// committed after its time was taken, and the index that tokens are made from
/// follows the table. Tokens made in between may still carry the old rights.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes>
const SETTLING_SECONDS: u64 = 5;

/// The longest that a token lives, in seconds, and a day in which nobody hurries.
const TOKEN_SECONDS: u64 = 2 * 24 * 60 * 60;

/// What a mark stands under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// One session.
    Session(SessionId),
    /// Everything of one user.
    User(Subject),
    /// What one user does in one tenant. A tenant's name holds no `#` and no
    /// capitals, so it is never one of the other two.
    Member(TenantId, Subject),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "SESSION#{id}"),
            Self::User(subject) => write!(f, "USER#{subject}"),
            Self::Member(tenant, subject) => write!(f, "{tenant}#{subject}"),
        }
    }
}

/// What is to be known of one token's standing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The marks to look for: two, or three for somebody who acts in a tenant,
    /// and one less for a machine.
    pub keys: Vec<Key>,
}

/// What was found under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The session was ended, or what stands there cannot be read: somebody
    /// wrote it for a reason.
    Ended,
    /// These times, in seconds since 1970; `None` where nothing is said.
    Before {
        /// Sessions that began until then are refused.
        authenticated: Option<u64>,
        /// Tokens that were made until then are refused.
        issued: Option<u64>,
    },
}

/// Whether the token still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does.
    InForce,
    /// It does not.
    Refuse(Refusal),
}

/// Why a token does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its session was ended.
    SessionEnded,
    /// All sessions that began until then were ended.
    SessionsEnded,
    /// The user's rights have changed since it was made.
    RightsChanged,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::SessionEnded => "SessionEnded",
            Self::SessionsEnded => "SessionsEnded",
            Self::RightsChanged => "RightsChanged",
        }
    }
}

impl Question {
    /// Says which facts [`decide`] needs about a token; `None` when it says
    /// nothing of its session, because nobody asked.
    pub fn about(verified: &Verified) -> Option<Self> {
        let session = verified.session()?;
        let caller = verified.caller();
        let subject = Subject::parse(&caller.subject)?;
        let own = session.id.clone().map(Key::Session);
        let member = caller.tenant.clone().map(|tenant| Key::Member(tenant, subject.clone()));
        Some(Self { keys: own.into_iter().chain([Key::User(subject.clone())]).chain(member).collect() })
    }
}

/// Decides whether a token of this session still counts, by the marks that stand
/// under the keys of its [`Question`].
pub fn decide(session: &Session, marks: &[Mark]) -> Decision {
    let is_until = |time: u64, end: Option<u64>| end.is_some_and(|end| time <= end);
    for mark in marks {
        match *mark {
            Mark::Ended => return Decision::Refuse(Refusal::SessionEnded),
            Mark::Before { authenticated, .. } if is_until(session.authenticated_at, authenticated) => {
                return Decision::Refuse(Refusal::SessionsEnded);
            }
            Mark::Before { issued, .. } if is_until(session.issued_at, issued) => {
                return Decision::Refuse(Refusal::RightsChanged);
            }
            Mark::Before { .. } => {}
        }
    }
    Decision::InForce
}

/// What stands in `issued_before` when rights change at `now`, in seconds since
/// 1970. A token made until then is refused.
pub fn rights_settle_at(now: u64) -> u64 {
    now.saturating_add(SETTLING_SECONDS)
}

/// When a mark written at `now` may go: no token that it refuses lives any more,
/// and none can be had by a refresh. `refresh_days` is how long refresh tokens live.
pub fn mark_expires_at(now: u64, refresh_days: u64) -> u64 {
    now.saturating_add(refresh_days.saturating_mul(24 * 60 * 60)).saturating_add(TOKEN_SECONDS)
}

#[cfg(test)]
mod tests;
