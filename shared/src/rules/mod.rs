//! The rule file: what the operator configures, for all functions at once.
//!
//! Every section is a type of the module whose question it configures. This
//! module puts them together and refuses a file that contradicts itself.

mod document;
mod problems;
pub(crate) mod provider;
#[cfg(feature = "schema")]
mod schema;

pub use problems::{Place, Problem, Problems, place_of};
pub use provider::{Admission, Links, Origin, Provider};
#[cfg(feature = "schema")]
pub use schema::schema;

use document::Node;
use provider::ProviderIndex;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::claims::{ClaimRules, Membership};
use crate::connect::ConnectRule;
use crate::graphql::GraphqlRules;
use crate::guests::GuestRules;
use crate::issuers::{self, IssuerRule};
use crate::migration::MigrationRules;
use crate::names::IssuerName;
use crate::provisioning::{self, GroupGrant};
use crate::revocation::RevocationRules;
use crate::roles::RoleRules;
use crate::routes::{self, Conditions, RouteRule, RouteTable};
use crate::sign_up::SignUpRules;
use crate::tenants::TenantRules;

/// The version of the rule file that this build reads.
const VERSION: u32 = 1;

/// The rules of all functions. Only a file without a contradiction becomes one.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may sign up.
    pub sign_up: SignUpRules,
    /// The external identity providers whose users may enter.
    pub providers: Vec<Provider>,
    /// Where a user's tenant and roles come from.
    pub tenants: TenantRules,
    /// How users of an old system are moved in; `None` when nobody is.
    pub migration: Option<MigrationRules>,
    /// What guests may keep; `None` when there are none.
    pub guests: Option<GuestRules>,
    /// The Cognito groups given on confirmation.
    pub groups: Vec<GroupGrant>,
    /// What tokens carry.
    pub claims: ClaimRules,
    /// Which IAM role a user gets.
    pub roles: RoleRules,
    /// Whether ended sessions and changed rights show before a token expires.
    pub revocation: RevocationRules,
    /// What each route of the API takes.
    pub routes: RouteTable,
    /// The issuers, besides user pools, whose tokens are taken.
    pub issuers: Vec<IssuerRule>,
    /// Who may connect to a WebSocket API; `None` when nobody may.
    pub connect: Option<ConnectRule>,
    /// The fields of a GraphQL API; `None` when there is none.
    pub graphql: Option<GraphqlRules>,
}

/// The rule file as it is written.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Rules of Poolhouse"))]
#[serde(deny_unknown_fields)]
struct RuleFile {
    /// The version of this format: 1.
    version: u32,
    /// Who may sign up.
    sign_up: SignUpRules,
    /// The external identity providers whose users may enter; nobody else's may.
    #[serde(default)]
    providers: Vec<Provider>,
    /// Where a user's tenant and roles come from.
    tenants: TenantRules,
    /// How users of an old system are moved in. Without it nobody is.
    migration: Option<MigrationRules>,
    /// What guests may keep, and what becomes of it when one is promoted.
    guests: Option<GuestRules>,
    /// The Cognito groups given on confirmation.
    #[serde(default)]
    groups: Vec<GroupGrant>,
    /// What tokens carry.
    claims: ClaimRules,
    /// Which IAM role a user gets, as the identity pool chooses it.
    #[serde(default)]
    roles: RoleRules,
    /// Whether ended sessions and changed rights show before a token expires.
    /// Without it they do not.
    #[serde(default)]
    revocation: RevocationRules,
    /// What each route of the API takes. A call without a route is refused.
    #[serde(default)]
    routes: Vec<RouteRule>,
    /// The issuers, besides user pools, whose tokens are taken where a rule names
    /// them.
    #[serde(default)]
    issuers: Vec<IssuerRule>,
    /// Who may connect to a WebSocket API. Without it nobody may.
    connect: Option<ConnectRule>,
    /// The fields of a GraphQL API. Without it nobody may use one.
    graphql: Option<GraphqlRules>,
}

impl Rules {
    /// Reads a rule file and checks it whole; every problem is named at once.
    pub fn read(text: &str) -> Result<Self, Problems> {
        let file = RuleFile::read(text)?;
        let mut problems = Problems::default();
        file.check(&mut problems);
        if !problems.is_empty() {
            return Err(problems.locate(text));
        }
        Ok(Self {
            sign_up: file.sign_up,
            providers: file.providers,
            tenants: file.tenants,
            migration: file.migration,
            guests: file.guests,
            groups: file.groups,
            claims: file.claims,
            roles: file.roles,
            revocation: file.revocation,
            routes: RouteTable::compile(file.routes),
            issuers: file.issuers,
            connect: file.connect,
            graphql: file.graphql,
        })
    }
}

impl RuleFile {
    fn read(text: &str) -> Result<Self, Problems> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(Problems::of_syntax(text, &document, &errors));
        }
        let document = Spanned::new(document.span(), DeValue::Table(document.into_inner()));
        Self::deserialize(Node(&document)).map_err(|unfit| Problems::unfit(text, &document, &unfit))
    }

    fn check(&self, problems: &mut Problems) {
        if self.version != VERSION {
            problems.add("version", format!("this build reads version {VERSION} of the rule file"));
        }
        self.sign_up.check(problems);
        let providers = ProviderIndex::check(&self.providers, &self.sign_up.forbidden_attributes, problems);
        self.tenants.check(&providers, problems);
        provisioning::check(&self.groups, self.tenants.source, &providers, problems);
        if let Some(migration) = &self.migration {
            migration.check(self.tenants.source, &self.providers, problems);
        }
        if let Some(guests) = &self.guests {
            guests.check(problems);
        }
        self.claims.check(problems);
        self.roles.check(problems);
        self.revocation.check(problems);
        routes::check(&self.routes, problems);
        issuers::check(&self.issuers, problems);
        if let Some(connect) = &self.connect {
            connect.check(problems);
        }
        if let Some(graphql) = &self.graphql {
            graphql.check(problems);
            if self.revocation.is_on() && graphql.cache_seconds > 0 {
                let message = "must be 0 where revocation is on: a kept answer does not ask whether the session stands";
                problems.add("graphql.cache_seconds", message);
            }
        }
        for (path, conditions) in self.conditions() {
            self.check_claims(&path, &conditions, problems);
            self.check_issuers(&path, &conditions, problems);
        }
    }

    /// Every rule about a caller, with its key.
    fn conditions(&self) -> Vec<(String, Conditions<'_>)> {
        let routes =
            self.routes.iter().enumerate().map(|(index, rule)| (format!("routes[{index}]"), rule.conditions()));
        let connect = self.connect.iter().map(|rule| ("connect".to_owned(), rule.conditions()));
        let fields = self.graphql.iter().flat_map(|rules| rules.fields.iter().enumerate());
        let fields = fields.map(|(index, rule)| (format!("graphql.fields[{index}]"), rule.conditions()));
        routes.chain(connect).chain(fields).collect()
    }

    /// An authorizer reads tenant and roles from the claims that
    /// pre-token-generation wrote, so a rule that asks for one that no claim
    /// carries would take nobody.
    fn check_claims(&self, path: &str, rule: &Conditions<'_>, problems: &mut Problems) {
        if !rule.takes_pools() {
            return;
        }
        let (kind, token) = (rule.token, rule.token.as_str());
        let missing = |membership| self.claims.claim_name(membership, kind).is_none();
        let mut add = |key: &str, message: String| problems.add(format!("{path}.{key}"), message);
        if rule.tenant && missing(Membership::Tenant) {
            add("tenant", format!("nobody could pass: {} {token} token", lacking("tenant")));
        }
        if !rule.roles.is_empty() && missing(Membership::Roles) {
            add("roles", format!("nobody could pass: {} {token} token", lacking("roles")));
        }
    }

    /// A rule names issuers that are there, and whose tokens are of its kind.
    fn check_issuers(&self, path: &str, rule: &Conditions<'_>, problems: &mut Problems) {
        for name in rule.issuers.iter().filter(|name| name.as_str() != IssuerName::POOL) {
            match self.issuers.iter().find(|issuer| issuer.name == *name) {
                None => problems.add(format!("{path}.issuers"), format!("names \"{name}\", which no [[issuers]] is")),
                Some(issuer) if issuer.token != rule.token => {
                    let message =
                        format!("nobody of \"{name}\" could pass: its tokens count as {}", issuer.token.as_str());
                    problems.add(format!("{path}.token"), message);
                }
                Some(_) => {}
            }
        }
    }
}

fn lacking(membership: &str) -> String {
    format!("no [[claims.map]] with from = {{ membership = \"{membership}\" }} goes into the")
}

#[cfg(test)]
mod tests;
