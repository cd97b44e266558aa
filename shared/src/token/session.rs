//! Which session a token belongs to.

use serde_json::{Map, Value};

use super::Refusal;
use super::times::Times;
use crate::names::SessionId;

/// Whether a token has to say which session it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// Nobody asks.
    #[default]
    Ignored,
    /// A user's token without a session is refused: his sign-out could not be
    /// seen by it. A machine has none.
    Required,
}

/// The session that a token belongs to. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What all tokens of the session have in common; `None` for a machine, which
    /// has no session, and for another issuer than a user pool.
    pub id: Option<SessionId>,
    /// `auth_time`: when the user proved who he is. A refresh leaves it as it is.
    /// <https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse>
    pub authenticated_at: u64,
    /// `iat`: when this token was made.
    pub issued_at: u64,
}

/// The session of a token whose signature and times are good.
///
/// A client whose tokens cannot be revoked writes no `origin_jti`.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>
pub(super) fn check(claims: &Map<String, Value>, machine: bool, times: Times) -> Result<Session, Refusal> {
    let issued_at = times.issued_at;
    if machine {
        return Ok(Session { id: None, authenticated_at: issued_at, issued_at });
    }
    let id = claims.get("origin_jti").and_then(Value::as_str).and_then(SessionId::parse);
    // A session that began after its token would outlive its own end.
    let began = claims.get("auth_time").and_then(Value::as_u64).map(|began| began.min(issued_at));
    match (id, began) {
        (Some(id), Some(authenticated_at)) => Ok(Session { id: Some(id), authenticated_at, issued_at }),
        _ => Err(Refusal::SessionMissing),
    }
}

/// The session of a token of another issuer, which names none that we could end:
/// what was ended for its user as a whole counts.
pub(super) fn of_another_issuer(times: Times) -> Session {
    Session { id: None, authenticated_at: times.issued_at, issued_at: times.issued_at }
}
