//! The person, and what he asks for.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::attributes::Attributes;
use crate::claims::EventVersion;
use crate::names::{RoleName, TenantId};
use crate::roles::{Group, RoleRules, preferred};
use crate::tenants::{Membership, Status};

/// A person, the client in his hands, and what he asks for.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Who it is.
    pub user: User,
    /// The app client that the tokens are for.
    pub client_id: String,
    /// The trigger source, such as `TokenGeneration_Authentication`.
    pub source: String,
    /// The version of the event; `None` for the one that the rules expect.
    pub event_version: Option<EventVersion>,
    /// The scopes that the access token has by itself.
    pub scopes: Vec<String>,
    /// The role that the caller asks the identity pool for; usually none.
    pub custom_role: Option<String>,
    /// Requests to the API, each a method and a path.
    pub requests: Vec<(String, String)>,
}

impl Situation {
    /// Somebody who signs in with a password at some client.
    pub fn of(user: User) -> Self {
        Self {
            user,
            client_id: "1example23456789".to_owned(),
            source: "TokenGeneration_Authentication".to_owned(),
            event_version: None,
            scopes: vec!["aws.cognito.signin.user.admin".to_owned()],
            custom_role: None,
            requests: Vec::new(),
        }
    }

    /// Whether a client calls for itself.
    pub fn is_machine(&self) -> bool {
        self.source == "TokenGeneration_ClientCredentials"
    }
}

/// What is known of somebody, as it is written in a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct User {
    /// The name in the pool; of a federated user `<provider>_<id>`.
    pub user_name: Option<String>,
    /// The attributes.
    pub attributes: Attributes,
    /// The Cognito groups.
    pub groups: Vec<String>,
    /// The memberships in the directory.
    pub memberships: Vec<MembershipGiven>,
    /// The tenant that the user chose.
    pub active_tenant: Option<TenantId>,
    /// Whether the user has just signed up, so that placements and groups of the
    /// rules come on top.
    pub new: bool,
    /// Whether the directory cannot be read at this moment.
    pub directory_unread: bool,
    /// The IAM roles of the groups; left out: those that `roles.groups` names.
    pub iam_roles: Option<Vec<String>>,
    /// The role among them that the pool prefers; left out: by precedence.
    pub preferred_role: Option<String>,
}

/// A membership, as it is written in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipGiven {
    /// The tenant.
    pub tenant: TenantId,
    /// The roles there.
    #[serde(default)]
    pub roles: BTreeSet<RoleName>,
    /// Whether the user is kept out.
    #[serde(default)]
    pub suspended: bool,
}

impl User {
    /// The memberships that are given, and those that come with the sign-up.
    pub(super) fn memberships_with(&self, placed: &[Membership]) -> Vec<Membership> {
        let given = self.memberships.iter().map(|given| Membership {
            tenant: given.tenant.clone(),
            roles: given.roles.clone(),
            status: if given.suspended { Status::Suspended } else { Status::Active },
        });
        given.chain(placed.iter().cloned()).collect()
    }

    /// The IAM roles of the user's groups, and the preferred one among them.
    pub(super) fn iam_roles(&self, rules: &RoleRules) -> (Vec<String>, Option<String>) {
        let own: Vec<Group> = rules.groups.iter().filter(|group| self.groups.contains(&group.name)).cloned().collect();
        let mut roles = BTreeSet::new();
        let named = own.iter().filter_map(|group| group.role.clone()).filter(|role| roles.insert(role.clone()));
        match &self.iam_roles {
            Some(given) => (given.clone(), self.preferred_role.clone()),
            None => (named.collect(), self.preferred_role.clone().or_else(|| preferred(&own).role)),
        }
    }
}
