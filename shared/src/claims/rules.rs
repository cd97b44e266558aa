//! The `[claims]` section of the rule file.

use serde::Deserialize;

use super::TokenKind;
use super::source::{Format, Membership, Source};
use crate::names::{RoleName, TenantId};

/// What the operator wants tokens to carry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimRules {
    /// The version of the event that the pool's `PreTokenGenerationConfig`
    /// names. v1 reaches the ID token only, with texts only.
    pub token_version: EventVersion,
    /// What becomes of the user's Cognito groups in both tokens.
    #[serde(default)]
    pub groups: GroupRule,
    /// What becomes of a token when the directory cannot be read, and nobody
    /// knows where the user belongs.
    #[serde(default)]
    pub without_directory: WithoutDirectory,
    /// The most that the added claims may take in each token, in bytes of JSON.
    /// Over it, the claim with the highest `priority` number is dropped first,
    /// then those without a number, each time by name; a membership never is.
    #[serde(default)]
    pub budget_bytes: Budget,
    /// The claims that are taken out of each token.
    #[serde(default)]
    pub suppress: Suppressed,
    /// The claims that are added. Of several entries for one claim, the first
    /// whose condition holds and that has a value counts.
    #[serde(default)]
    pub map: Vec<ClaimEntry>,
    /// The scopes that are added to access tokens or taken out of them.
    #[serde(default)]
    pub scopes: Vec<ScopeEntry>,
}

/// The version of a pre-token-generation event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EventVersion {
    /// ID token only, texts only; on every feature plan.
    V1,
    /// Both tokens of a user, any JSON value.
    V2,
    /// As v2, and the tokens of machine clients.
    V3,
}

/// What becomes of a token when the directory cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WithoutDirectory {
    /// It is issued without tenant and roles, and so without rights.
    #[default]
    IssueWithoutRights,
    /// It is not issued: nobody signs in until the directory is back.
    Refuse,
}

/// What becomes of the user's Cognito groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GroupRule {
    /// They stay as they are.
    #[default]
    Keep,
    /// Groups named `<tenant>:<role>` of every tenant but the active one go.
    ActiveTenant,
}

/// The most that the added claims may take, in bytes of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// In the ID token.
    pub id: u32,
    /// In the access token, which travels with every call.
    pub access: u32,
}

impl Default for Budget {
    /// Cognito documents no limit. A token grows by a third in base64url, so
    /// this leaves room under the 8,192 bytes of headers that proxies take.
    fn default() -> Self {
        Self { id: 6144, access: 4096 }
    }
}

impl Budget {
    pub(crate) fn of(self, kind: TokenKind) -> usize {
        let bytes = match kind {
            TokenKind::Id => self.id,
            TokenKind::Access => self.access,
        };
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}

/// The claims that are taken out, for each token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Suppressed {
    /// Out of the ID token.
    pub id: Vec<String>,
    /// Out of the access token.
    pub access: Vec<String>,
}

impl Suppressed {
    pub(super) fn of(&self, kind: TokenKind) -> &[String] {
        match kind {
            TokenKind::Id => &self.id,
            TokenKind::Access => &self.access,
        }
    }
}

/// One claim, its place and its source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimEntry {
    /// The claim's name in the token.
    pub name: String,
    /// The token that carries it.
    pub token: Tokens,
    /// Where the value comes from.
    pub from: Source,
    /// How a list is written.
    #[serde(default)]
    pub format: Option<Format>,
    /// The higher the number, the earlier the claim is dropped when the token
    /// grows too large.
    #[serde(default)]
    pub priority: Option<u32>,
    /// When the claim is added; left out: always.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// The tokens that carry a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Tokens {
    /// The ID token.
    Id,
    /// The access token.
    Access,
    /// Both.
    Both,
}

impl Tokens {
    pub(crate) fn include(self, kind: TokenKind) -> bool {
        match self {
            Self::Id => kind == TokenKind::Id,
            Self::Access => kind == TokenKind::Access,
            Self::Both => true,
        }
    }
}

/// When an entry counts. Everything that is named must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The user is in this Cognito group. A group named `<tenant>:<role>`
    /// counts only while the user acts in that tenant.
    pub group: Option<String>,
    /// The token is for this app client.
    pub client: Option<String>,
    /// The user acts in this tenant.
    pub tenant: Option<TenantId>,
    /// The user has this role in the tenant that he acts in.
    pub role: Option<RoleName>,
    /// The event has this trigger source, such as `TokenGeneration_HostedAuth`.
    pub source: Option<String>,
}

/// Scopes to add to access tokens or to take out of them. The conditions that
/// are named must all hold; none named: for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ScopeEntry {
    /// The scopes to add. A machine client gets them only if `client` names it.
    pub add: Vec<String>,
    /// The scopes to take out; this wins over every `add`.
    pub suppress: Vec<String>,
    /// The user is in this Cognito group.
    pub group: Option<String>,
    /// The token is for this app client.
    pub client: Option<String>,
    /// The user has this role in the tenant that he acts in.
    pub role: Option<RoleName>,
}

impl ClaimRules {
    /// The name of the claim in which such a token carries this membership: the
    /// only claims that an authorizer may take a tenant or a role from.
    pub fn claim_name(&self, membership: Membership, kind: TokenKind) -> Option<&str> {
        let carries = |entry: &&ClaimEntry| entry.token.include(kind) && entry.from == Source::Membership(membership);
        self.map.iter().find(carries).map(|entry| entry.name.as_str())
    }
}
