//! Whether a user of the old system is moved into the pool, and what he brings.
//!
//! Somebody whom the pool does not know signs in with a password, or says that
//! he forgot it. The old system is asked; what it answers are the facts here.
//! All refusals of a sign-in look alike outside, so a [`Refusal`] is for the
//! log alone.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>

mod carry;
mod legacy;
pub mod lockout;
mod rules;

pub use crate::attributes::LEGACY_ID;
pub use crate::names::LegacyId;
pub use legacy::{LegacyUser, sign_in_key};
pub use rules::{FinalStatus, GroupCarry, MigrationRules, Store};

use std::collections::BTreeMap;

use crate::provisioning::Arrival;

/// What the pool asks.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Why.
    pub source: Source,
    /// The name that was typed in (`userName` of the event).
    pub user_name: &'a str,
    /// The password that was typed in.
    pub password: Offered,
}

/// What is to be said of a password before anybody looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// There is none.
    Nothing,
    /// It is longer than a pool's can be.
    TooLong,
    /// It may be one.
    Text,
}

/// What must be known before the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsNeeded {
    /// Nothing: decide with [`Facts::NONE`].
    Nothing,
    /// The user who is looked up by this key.
    User(String),
    /// The same, and whether the password is his. Only if one more may be tried.
    CheckedUser(String),
}

/// Why the pool asks, after the event's `triggerSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody signs in with a password.
    Authentication,
    /// Somebody has forgotten his password.
    ForgotPassword,
    /// Something that this build does not know.
    Unknown,
}

/// What the old system answered.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whom it has by this name.
    pub found: &'a Found,
    /// What it says of the password.
    pub proof: Proof,
}

impl Facts<'_> {
    /// Nothing is known.
    pub const NONE: Self = Facts { found: &Found::Nobody, proof: Proof::Unchecked };
}

/// Whom the old system has by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody.
    Nobody,
    /// This user.
    One(LegacyUser),
    /// More than one.
    Several,
    /// Somebody, but what it says of him cannot be read.
    Unreadable,
}

/// What is known of the password that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// None was offered, or there was nothing to check it with.
    Unchecked,
    /// It is the user's.
    Right,
    /// It is the user's, but it was kept in a way that a thief could undo.
    RightButWeak,
    /// It is not.
    Wrong,
    /// It could not be checked, for the reason with this code.
    Unusable(&'static str),
}

/// Whether the user is moved in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// He is, like this.
    Admit(Admission),
    /// Nothing is said, so that the pool treats him as one it does not know.
    /// Only for a forgotten password: what is not known must not look different.
    LeaveAlone(Refusal),
    /// He is not.
    Refuse(Refusal),
}

/// How a user is moved in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Who he is in the old system.
    pub id: LegacyId,
    /// His attributes in the pool; never `sub`.
    pub attributes: BTreeMap<String, String>,
    /// His status there.
    pub final_status: FinalStatus,
    /// The rights that wait for his first token.
    pub arrival: Arrival,
}

/// Why a user is not moved in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The trigger source is not known.
    UnknownSource,
    /// Nobody can have such a name.
    NameUnusable,
    /// There is no password.
    PasswordMissing,
    /// The password is longer than any.
    PasswordTooLong,
    /// The old system has nobody of this name.
    UnknownUser,
    /// It has several.
    AmbiguousUser,
    /// What it says of him cannot be read.
    RecordUnreadable,
    /// It does not let him sign in.
    UserDisabled,
    /// The password is wrong.
    PasswordWrong,
    /// Nothing is there to check the password with.
    PasswordUnchecked,
    /// The password could not be checked, for the reason with this code.
    PasswordUnusable(&'static str),
    /// The name is an address or a number, and not the one that he has.
    NameMismatch,
    /// He forgot his password, and no address of his is proved.
    ContactUnverified,
    /// He has more rights than can be carried over.
    TooMuchToCarry,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "UnknownSource",
            Self::NameUnusable => "NameUnusable",
            Self::PasswordMissing => "PasswordMissing",
            Self::PasswordTooLong => "PasswordTooLong",
            Self::UnknownUser => "UnknownUser",
            Self::AmbiguousUser => "AmbiguousUser",
            Self::RecordUnreadable => "RecordUnreadable",
            Self::UserDisabled => "UserDisabled",
            Self::PasswordWrong => "PasswordWrong",
            Self::PasswordUnchecked => "PasswordUnchecked",
            Self::PasswordUnusable(code) => code,
            Self::NameMismatch => "NameMismatch",
            Self::ContactUnverified => "ContactUnverified",
            Self::TooMuchToCarry => "TooMuchToCarry",
        }
    }
}

impl Source {
    /// Reads a `triggerSource`.
    pub fn parse(text: &str) -> Self {
        match text {
            "UserMigration_Authentication" => Self::Authentication,
            "UserMigration_ForgotPassword" => Self::ForgotPassword,
            _ => Self::Unknown,
        }
    }
}

/// What must be fetched for [`decide`]. A request that is refused whatever the
/// old system says asks it nothing and counts as no attempt.
pub fn facts_needed(request: Request<'_>) -> FactsNeeded {
    match (sign_in_key(request.user_name), request.source, request.password) {
        (Some(key), Source::Authentication, Offered::Text) => FactsNeeded::CheckedUser(key),
        (Some(key), Source::ForgotPassword, _) => FactsNeeded::User(key),
        (_, _, _) => FactsNeeded::Nothing,
    }
}

/// Decides whether a user is moved in.
pub fn decide(rules: &MigrationRules, request: Request<'_>, facts: Facts<'_>) -> Decision {
    let admission = match request.source {
        Source::Unknown => Err(Refusal::UnknownSource),
        _ if sign_in_key(request.user_name).is_none() => Err(Refusal::NameUnusable),
        Source::Authentication => signed_in(rules, request, facts),
        Source::ForgotPassword => forgot(rules, request, facts),
    };
    match (admission, request.source) {
        (Ok(admission), _) => Decision::Admit(admission),
        (Err(refusal), Source::ForgotPassword) => Decision::LeaveAlone(refusal),
        (Err(refusal), Source::Authentication | Source::Unknown) => Decision::Refuse(refusal),
    }
}

/// The password comes before all that is known of the user.
fn signed_in(rules: &MigrationRules, request: Request<'_>, facts: Facts<'_>) -> Result<Admission, Refusal> {
    match request.password {
        Offered::Nothing => return Err(Refusal::PasswordMissing),
        Offered::TooLong => return Err(Refusal::PasswordTooLong),
        Offered::Text => {}
    }
    let weak = match facts.proof {
        Proof::Right => false,
        Proof::RightButWeak => true,
        // An old system may say this without saying whether it has the user.
        Proof::Wrong => return Err(Refusal::PasswordWrong),
        Proof::Unusable(code) => return Err(Refusal::PasswordUnusable(code)),
        Proof::Unchecked => return Err(the_one(facts.found).err().unwrap_or(Refusal::PasswordUnchecked)),
    };
    let user = the_one(facts.found)?;
    let attributes = carry::attributes(rules, user);
    let final_status = if weak || user.must_reset { FinalStatus::ResetRequired } else { rules.final_status };
    admit(rules, request, user, attributes, final_status)
}

/// The pool sends a code to a contact that the attributes call verified, so
/// nothing but a proved address may be among them.
fn forgot(rules: &MigrationRules, request: Request<'_>, facts: Facts<'_>) -> Result<Admission, Refusal> {
    let user = the_one(facts.found)?;
    let attributes = carry::with_proved_contact_only(carry::attributes(rules, user));
    let attributes = attributes.ok_or(Refusal::ContactUnverified)?;
    admit(rules, request, user, attributes, FinalStatus::ResetRequired)
}

fn admit(
    rules: &MigrationRules,
    request: Request<'_>,
    user: &LegacyUser,
    attributes: BTreeMap<String, String>,
    final_status: FinalStatus,
) -> Result<Admission, Refusal> {
    if user.disabled {
        return Err(Refusal::UserDisabled);
    }
    if !carry::is_name_of(&attributes, request.user_name) {
        return Err(Refusal::NameMismatch);
    }
    let address = attributes.get("email").map_or(request.user_name, String::as_str);
    let arrival = carry::arrival(rules, user, address)?;
    Ok(Admission { id: user.id.clone(), attributes, final_status, arrival })
}

fn the_one(found: &Found) -> Result<&LegacyUser, Refusal> {
    match found {
        Found::One(user) => Ok(user),
        Found::Nobody => Err(Refusal::UnknownUser),
        Found::Several => Err(Refusal::AmbiguousUser),
        Found::Unreadable => Err(Refusal::RecordUnreadable),
    }
}

#[cfg(test)]
mod tests;
