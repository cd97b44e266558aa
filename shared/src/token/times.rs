//! When a token is good.

use serde_json::{Map, Value};

use super::Refusal;

/// How far `iat` and `nbf` may lie ahead of our clock, in seconds.
const MAX_SKEW_SECONDS: u64 = 60;

/// The longest life that a pool of either kind can give a token: a day, in seconds.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html>
const MAX_LIFETIME_SECONDS: u64 = 86_400;

/// The times of a token that is good now, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// `iat`.
    pub(crate) issued_at: u64,
    /// `exp`.
    pub(crate) expires_at: u64,
}

/// Checks the times. `leeway` is how many seconds past its end a token is taken.
///
/// Whole numbers only: pools write nothing else, and what a fraction rounds to
/// is a matter of taste. A token is good while `now < exp + leeway`.
/// <https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4>
pub(crate) fn check(claims: &Map<String, Value>, now: u64, leeway: u64) -> Result<Times, Refusal> {
    let seconds = |name: &str| claims.get(name).map(|value| value.as_u64().ok_or(Refusal::TimesRefused)).transpose();
    let expires_at = seconds("exp")?.ok_or(Refusal::TimesRefused)?;
    let issued_at = seconds("iat")?.ok_or(Refusal::TimesRefused)?;
    if expires_at.checked_sub(issued_at).is_none_or(|life| life == 0 || life > MAX_LIFETIME_SECONDS) {
        return Err(Refusal::TimesRefused);
    }
    if now >= expires_at.saturating_add(leeway) {
        return Err(Refusal::Expired);
    }
    let latest = now.saturating_add(MAX_SKEW_SECONDS);
    let begins = seconds("nbf")?.unwrap_or(issued_at);
    if issued_at > latest || begins > latest {
        return Err(Refusal::NotYetValid);
    }
    Ok(Times { issued_at, expires_at })
}
