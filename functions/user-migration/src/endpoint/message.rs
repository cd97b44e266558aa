//! The JSON that an endpoint is asked with, and that it answers with.

use serde::{Deserialize, Serialize};
use shared::migration::{Found, LegacyUser, Proof};
use zeroize::Zeroizing;

use crate::{OldAnswer, Question};

/// What is asked.
#[derive(Serialize)]
struct Asked<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    user_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

/// What is answered. That the request has other members keeps it from being
/// taken for its own answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    result: Outcome,
    user: Option<LegacyUser>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Found,
    WrongPassword,
    Unknown,
    Ambiguous,
}

/// The question as JSON, wiped when it goes. `None` when it cannot be written.
pub(super) fn write(question: &Question<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let password = question.password.map(|password| password.as_str());
    let kind = if password.is_some() { "sign-in" } else { "forgot-password" };
    // Large enough from the start: a vector that grows leaves copies behind.
    let longest = 128 + 6 * (question.user_name.len() + password.map_or(0, str::len));
    let mut body = Zeroizing::new(Vec::with_capacity(longest));
    serde_json::to_writer(&mut *body, &Asked { kind, user_name: question.user_name, password }).ok()?;
    Some(body)
}

/// What a genuine answer means. One that cannot be read is about a user all the
/// same, for all that is known.
pub(super) fn read(body: &[u8], password_offered: bool) -> OldAnswer {
    let Ok(Answered { result, user }) = serde_json::from_slice(body) else { return OldAnswer::unreadable() };
    match (result, user, password_offered) {
        // Only a right password finds anybody at a sign-in.
        (Outcome::Found, Some(user), true) => OldAnswer { found: Found::One(user), proof: Proof::Right },
        (Outcome::Found, Some(user), false) => OldAnswer { found: Found::One(user), proof: Proof::Unchecked },
        (Outcome::WrongPassword, None, true) => OldAnswer { found: Found::Nobody, proof: Proof::Wrong },
        (Outcome::Unknown, None, _) => OldAnswer { found: Found::Nobody, proof: Proof::Unchecked },
        (Outcome::Ambiguous, None, _) => OldAnswer { found: Found::Several, proof: Proof::Unchecked },
        (_, _, _) => OldAnswer::unreadable(),
    }
}
