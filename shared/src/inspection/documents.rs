//! The documents, as the services answer them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::findings::Findings;

/// Everything that is looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Documents {
    /// `UserPool` of `DescribeUserPool`.
    pub pool: Look,
    /// By client id, `UserPoolClient` of `DescribeUserPoolClient`; the key "*"
    /// stands for the list, when that could not be had.
    pub clients: BTreeMap<String, Look>,
    /// The `Groups` of `ListGroups`.
    pub groups: Look,
    /// The answer of `DescribeIdentityPool`.
    pub identity_pool: Look,
    /// The answer of `GetIdentityPoolRoles`.
    pub identity_pool_roles: Look,
    /// The answer of `GetPrincipalTagAttributeMap` for the user pool.
    pub principal_tags: Look,
    /// By ARN, the roles that the identity pool or a group names.
    pub roles: BTreeMap<String, RoleDocuments>,
    /// By ARN, the functions that the pool's triggers name.
    pub functions: BTreeMap<String, FunctionDocuments>,
    /// The `items` of `GetAuthorizers` of the HTTP or WebSocket API.
    pub authorizers: Look,
    /// The `items` of `GetRoutes` of the HTTP or WebSocket API.
    pub routes: Look,
    /// The `item` of `GetAuthorizers` of the REST API.
    pub rest_authorizers: Look,
    /// The `item` of `GetResources` of the REST API, with their methods.
    pub rest_resources: Look,
}

/// What was found when something was looked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// This document.
    Seen(Value),
    /// There is none.
    Missing,
    /// It could not be looked at.
    Unseen {
        /// The call that would have told.
        call: String,
        /// Why it did not.
        why: String,
    },
    /// Nobody asked for it.
    #[default]
    NotAsked,
}

/// One IAM role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleDocuments {
    /// Its trust policy.
    pub trust: Look,
    /// Its policies, inline and attached, by their names.
    pub policies: Look,
}

/// One function.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionDocuments {
    /// The answer of `GetFunctionConfiguration`.
    pub function: Look,
    /// The policy of `GetPolicy`, parsed.
    pub policy: Look,
}

impl Look {
    /// The document, if there is one to look at.
    pub fn seen(&self) -> Option<&Value> {
        match self {
            Self::Seen(value) => Some(value),
            _ => None,
        }
    }
}

impl Documents {
    /// The pool's ARN; empty when nobody could look at it.
    pub(super) fn pool_arn(&self) -> &str {
        self.pool.seen().and_then(|pool| pool.get("Arn")).and_then(Value::as_str).unwrap_or("the user pool")
    }

    /// Notes everything that could not be looked at.
    pub(super) fn unseen(&self, findings: &mut Findings) {
        let fixed = [
            ("the user pool", &self.pool),
            ("its groups", &self.groups),
            ("the identity pool", &self.identity_pool),
            ("the identity pool's roles", &self.identity_pool_roles),
            ("the identity pool's principal tags", &self.principal_tags),
            ("the API's authorizers", &self.authorizers),
            ("the API's routes", &self.routes),
            ("the API's authorizers", &self.rest_authorizers),
            ("the API's resources", &self.rest_resources),
        ];
        let mut all: Vec<(String, &Look)> = fixed.into_iter().map(|(name, look)| (name.to_owned(), look)).collect();
        all.extend(self.clients.iter().map(|(id, look)| (format!("client {id}"), look)));
        for (arn, role) in &self.roles {
            all.push((arn.clone(), &role.trust));
            all.push((arn.clone(), &role.policies));
        }
        for (arn, function) in &self.functions {
            all.push((arn.clone(), &function.function));
            all.push((arn.clone(), &function.policy));
        }
        for (subject, look) in all {
            if let Look::Unseen { call, why } = look {
                let message = format!("could not be looked at: {call} failed");
                let fix = format!("allow {call} for these credentials, and look again");
                findings.warning("NotLookedAt", &subject, [&message, why, &fix]);
            }
        }
        let api = if self.rest_resources == Look::NotAsked { &self.routes } else { &self.rest_resources };
        let named = [("an identity pool", "--identity-pool", &self.identity_pool), ("an API", "--api", api)];
        for (what, flag, look) in named {
            if matches!(look, Look::NotAsked | Look::Missing) {
                let why = format!("none was named, and none that trusts this pool was found; {what} may still exist");
                let fix = format!("name it with {flag} if there is one");
                findings.note("NotLookedAt", what, ["was not looked at", &why, &fix]);
            }
        }
    }
}
