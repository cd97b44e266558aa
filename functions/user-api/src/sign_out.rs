//! The end of a session, or of all.
//!
//! The mark comes first and the pool after it: whatever happens in between, the
//! API is closed already, and doing it again does no harm.

use back_end::{Caller, Problem, Refusal, Request, Response};
use directory::Directory;
use serde::{Deserialize, Serialize};
use shared::revocation::Key;

use crate::me::no_answer;
use crate::pool::Pool;

/// More than any body of this route needs.
const MOST_BYTES: usize = 1024;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    everywhere: bool,
}

#[derive(Serialize)]
struct Ended {
    /// Sessions that began until then are ended, in seconds since 1970: whoever
    /// signs in in the same second has to do so once more.
    at: u64,
    /// "ended" when the pool has said so, "unknown" otherwise. They open nothing
    /// here in either case, but other services may still take them.
    refresh_tokens: &'static str,
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(
    directory: &Directory,
    pool: Option<&Pool>,
    request: &Request,
    caller: &Caller,
    now: u64,
) -> Result<Response, Problem> {
    let Wish { everywhere } = request.json_if_any(MOST_BYTES)?.unwrap_or_default();
    if !everywhere {
        // The caller's refresh token is his and never comes here; he revokes it
        // at the pool himself.
        let session = caller.session().ok_or(Refusal::CallerUnknown)?;
        directory.end_session(session, now).await.map_err(no_answer)?;
        return Ok(Response::empty("SessionEnded"));
    }
    directory.end_sessions(&Key::User(caller.subject().clone()), now).await.map_err(no_answer)?;
    let told = match pool.zip(request.bearer()) {
        Some((pool, token)) => pool.sign_out(token).await,
        None => false,
    };
    let refresh_tokens = if told { "ended" } else { "unknown" };
    Response::ok("SessionsEnded", &Ended { at: now, refresh_tokens })
}
