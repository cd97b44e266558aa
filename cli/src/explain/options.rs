//! What `poolhouse explain` can be told.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use shared::explanation::{MembershipGiven, Situation, User};
use shared::names::{RoleName, TenantId};

use crate::arguments::EXIT_CODES;
use crate::output::Failure;
use crate::rule_file::USUAL_PLACE;

const EXAMPLES: &str = "\
The person comes from flags, from a file (--user, as [case.user] in rules/cases),
from a recorded event (--event), or from a pool (--pool, with the credentials of
the environment; --table adds the memberships). Flags add to all of these.

From a pool it calls cognito-idp:AdminGetUser, cognito-idp:AdminListGroupsForUser
and, with --table, dynamodb:Query on the index by-subject, and nothing else.

Examples:
  A member of a tenant who makes a request:
    poolhouse explain --member acme=member --request 'GET /items/7'
  Somebody who has just signed up with a proved address:
    poolhouse explain --new --attribute email=ann@acme.example --attribute email_verified=true
  A recorded event, as JSON:
    poolhouse explain --event events/pre-token-generation/v2-admin.request.json --output json
  A user of a pool:
    poolhouse explain --pool us-east-1_AbCdEfGhI --user-name ann --table DirectoryTable";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// Whom to explain, and what he asks for.
#[derive(Args, Debug)]
pub struct Options {
    /// The rule file.
    #[arg(long, value_name = "FILE", default_value = USUAL_PLACE)]
    pub rules: PathBuf,
    /// A file that describes the user, in TOML or JSON.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event", "pool"])]
    pub user: Option<PathBuf>,
    /// A recorded event of a pre-sign-up, post-confirmation or
    /// pre-token-generation trigger. Items beside it (`<case>.items.json`) give the
    /// memberships.
    #[arg(long, value_name = "FILE", conflicts_with = "pool")]
    pub event: Option<PathBuf>,
    /// The user pool to read the user from.
    #[arg(long, value_name = "ID", requires = "user_name")]
    pub pool: Option<String>,
    /// The user's name in the pool.
    #[arg(long, value_name = "NAME")]
    pub user_name: Option<String>,
    /// The directory table to read the memberships from.
    #[arg(long, value_name = "NAME", requires = "pool")]
    pub table: Option<String>,
    /// An attribute of the user.
    #[arg(long, value_name = "NAME=VALUE")]
    pub attribute: Vec<String>,
    /// A Cognito group of the user.
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// A membership of the user, with its roles.
    #[arg(long, value_name = "TENANT[=ROLE,ROLE]")]
    pub member: Vec<String>,
    /// A tenant that the user is kept out of.
    #[arg(long, value_name = "TENANT")]
    pub suspended: Vec<String>,
    /// The tenant that the user chose.
    #[arg(long, value_name = "TENANT")]
    pub active_tenant: Option<String>,
    /// The user has just signed up: the rules place him.
    #[arg(long)]
    pub new: bool,
    /// The directory cannot be read at this moment.
    #[arg(long)]
    pub directory_unread: bool,
    /// The app client that the tokens are for.
    #[arg(long, value_name = "ID")]
    pub client: Option<String>,
    /// The trigger source, such as TokenGeneration_RefreshTokens.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// A scope that the access token has by itself.
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// The IAM role that the caller asks the identity pool for.
    #[arg(long, value_name = "ARN")]
    pub custom_role: Option<String>,
    /// A request to the API, such as 'GET /items/7'.
    #[arg(long, value_name = "METHOD PATH")]
    pub request: Vec<String>,
}

/// Reads a file that describes a user.
pub(super) fn user_file(path: &Path) -> Result<User, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let user: Result<User, String> = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string().trim_end().to_owned())
    };
    user.map_err(|error| Failure::usage("UserUnusable", format!("{}: {error}", path.display())))
}

impl Options {
    /// Adds what the flags say.
    pub(super) fn add_to(&self, situation: &mut Situation) -> Result<(), Failure> {
        self.add_attributes(&mut situation.user)?;
        let user = &mut situation.user;
        user.groups.extend(self.group.iter().cloned());
        for text in &self.member {
            user.memberships.push(membership(text)?);
        }
        for text in &self.suspended {
            user.memberships.push(MembershipGiven { tenant: tenant(text)?, roles: [].into(), suspended: true });
        }
        if let Some(text) = &self.active_tenant {
            user.active_tenant = Some(tenant(text)?);
        }
        user.new |= self.new;
        user.directory_unread |= self.directory_unread;
        if self.user_name.is_some() {
            user.user_name.clone_from(&self.user_name);
        }
        if let Some(client) = &self.client {
            situation.client_id.clone_from(client);
        }
        if let Some(source) = &self.source {
            situation.source.clone_from(source);
        }
        if !self.scope.is_empty() {
            situation.scopes.clone_from(&self.scope);
        }
        situation.custom_role.clone_from(&self.custom_role);
        for text in &self.request {
            let (method, path) = text.split_once(' ').ok_or_else(|| unlike(text, "a method and a path"))?;
            situation.requests.push((method.to_owned(), path.to_owned()));
        }
        Ok(())
    }

    fn add_attributes(&self, user: &mut User) -> Result<(), Failure> {
        let given =
            user.attributes.names().filter_map(|name| Some((name.to_owned(), user.attributes.get(name)?.into())));
        let mut all: Map<String, Value> = given.collect();
        for text in &self.attribute {
            let (name, value) = text.split_once('=').ok_or_else(|| unlike(text, "a name and a value"))?;
            all.insert(name.to_owned(), json!(value));
        }
        // The same reading as of an event, with the same bounds.
        let read = serde_json::from_value(Value::Object(all));
        user.attributes = read.map_err(|error| Failure::usage("ArgumentUnusable", error.to_string()))?;
        Ok(())
    }
}

fn membership(text: &str) -> Result<MembershipGiven, Failure> {
    let (name, roles) = text.split_once('=').unwrap_or((text, ""));
    let role = |name: &str| RoleName::parse(name).ok_or_else(|| unlike(name, "a role's name"));
    let roles = roles.split(',').filter(|name| !name.is_empty()).map(role).collect::<Result<_, _>>()?;
    Ok(MembershipGiven { tenant: tenant(name)?, roles, suspended: false })
}

fn tenant(text: &str) -> Result<TenantId, Failure> {
    TenantId::parse(text).ok_or_else(|| unlike(text, "a tenant's name"))
}

fn unlike(text: &str, what: &str) -> Failure {
    Failure::usage("ArgumentUnusable", format!("\"{text}\" is not {what}"))
}
