//! What a token carries: claims, scopes and groups.
//!
//! Cognito asks before it signs; the answer says what to add and what to take
//! away. <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

mod budget;
mod check;
mod entry_check;
mod facts;
mod groups;
mod reserved;
mod rules;
mod scopes;
mod source;
mod token;
mod trace;

pub use rules::{
    Budget, ClaimEntry, ClaimRules, Condition, EventVersion, GroupRule, ScopeEntry, Suppressed, Tokens,
    WithoutDirectory,
};
pub use source::{Constant, Format, Membership, Source};
pub use trace::{EntryOutcome, ScopeOutcome, Trace, trace};

pub(crate) use budget::size;
pub(crate) use reserved::comes_from_pool;
pub(crate) use token::constant_size;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::attributes::Attributes;
use crate::roles::RoleRules;
use crate::tenants::{Reason, Tenancy};
use facts::Facts;

/// The two tokens that the pool signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Who the user is; a login for the identity pool.
    Id,
    /// What the bearer may do; what an API takes.
    Access,
}

impl TokenKind {
    /// The token's name in rules, logs and the `token_use` claim.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Access => "access",
        }
    }
}

/// What the pool says of the tokens that it is about to sign. What the client
/// sent as metadata is not here: it decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The version of the event.
    pub version: EventVersion,
    /// The trigger source, such as `TokenGeneration_HostedAuth`.
    pub source: &'a str,
    /// The app client that the tokens are for.
    pub client_id: Option<&'a str>,
    /// The user's attributes; none for a machine.
    pub attributes: &'a Attributes,
    /// The user's Cognito groups; none for a machine.
    pub groups: &'a [String],
    /// The groups that the user has been added to since the pool wrote those
    /// down.
    pub joined: &'a [String],
    /// The IAM roles of the groups that the pool wrote down.
    pub iam_roles: &'a [String],
    /// The role among them that the pool prefers.
    pub preferred_role: Option<&'a str>,
    /// The scopes that the access token has already.
    pub scopes: &'a [String],
    /// Whether this is a client-credentials grant, which has no user.
    pub machine: bool,
    /// Where the user acts.
    pub tenancy: &'a Tenancy,
}

/// Whether tokens are issued, and how they differ from the pool's own.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is made for each event and taken apart at once")]
pub enum Decision {
    /// With these changes.
    Issue(Overrides),
    /// Not at all.
    Refuse(Refusal),
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What says where the user belongs does not fit into this token, and a
    /// token that says only a part of it would be wrong.
    MembershipOverBudget(TokenKind),
    /// The directory could not be read, and the rules want no token without it.
    DirectoryUnread,
}

impl Refusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::MembershipOverBudget(_) => "MembershipOverBudget",
            Self::DirectoryUnread => "DirectoryUnread",
        }
    }
}

/// How the tokens differ from the pool's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// In the ID token.
    pub id: TokenEdit,
    /// In the access token.
    pub access: TokenEdit,
    /// In the groups of both.
    pub groups: GroupEdit,
    /// What the rules wanted and the tokens will not carry.
    pub dropped: Vec<Dropped>,
}

/// How one token differs. No name is in both `add` and `suppress`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenEdit {
    /// The claims to add or replace.
    pub add: BTreeMap<String, Value>,
    /// The claims to take out, sorted.
    pub suppress: Vec<String>,
    /// The scopes to add, sorted; of the access token only.
    pub scopes_add: Vec<String>,
    /// The scopes to take out, sorted; of the access token only.
    pub scopes_suppress: Vec<String>,
}

/// What becomes of the user's groups and their IAM roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupEdit {
    /// Nothing: `groupOverrideDetails` must be left out. Cognito takes an empty
    /// object or `null` there as the order to remove every group.
    #[default]
    Keep,
    /// Exactly these. An empty list is meant.
    Replace {
        /// The groups.
        groups: Vec<String>,
        /// The IAM roles of these groups.
        iam_roles: Vec<String>,
        /// The role that the identity pool takes first; `None` leaves it out.
        preferred_role: Option<String>,
    },
}

/// A claim that the rules wanted and a token will not carry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dropped {
    /// The token.
    pub token: TokenKind,
    /// The claim's name.
    pub claim: String,
    /// Why.
    pub reason: DropReason,
}

/// Why a claim is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The added claims were too large together.
    OverBudget,
    /// This version of the event cannot carry it.
    EventTooOld,
    /// Cognito does not let a trigger set it so.
    NotSettable,
}

impl DropReason {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::OverBudget => "OverBudget",
            Self::EventTooOld => "EventTooOld",
            Self::NotSettable => "NotSettable",
        }
    }
}

/// Decides what the tokens carry.
///
/// An event older than the rules expect is answered with what it can carry. A
/// machine gets no ID token, and nothing that describes a person: only v3 asks
/// for machines at all, with the user's part empty. The same arguments give the
/// same answer, because Cognito asks again at every refresh.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#user-pool-lambda-pre-token-generation-trigger-source>
pub fn decide(claims: &ClaimRules, roles: &RoleRules, request: Request<'_>) -> Decision {
    let unread = request.tenancy.reason == Reason::DirectoryUnread;
    if unread && claims.without_directory == WithoutDirectory::Refuse {
        return Decision::Refuse(Refusal::DirectoryUnread);
    }
    let groups = groups::edit(claims.groups, &roles.groups, &request);
    let facts = Facts::of(&request, &groups);
    let mut dropped = Vec::new();
    let id = match token::edit(claims, &facts, TokenKind::Id, &mut dropped) {
        Ok(edit) => edit,
        Err(refusal) => return Decision::Refuse(refusal),
    };
    let mut access = match token::edit(claims, &facts, TokenKind::Access, &mut dropped) {
        Ok(edit) => edit,
        Err(refusal) => return Decision::Refuse(refusal),
    };
    (access.scopes_add, access.scopes_suppress) = scopes::edit(&claims.scopes, &facts);
    Decision::Issue(Overrides { id, access, groups, dropped })
}

#[cfg(test)]
mod tests;
