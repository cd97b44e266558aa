//! Tables and properties of the claim map.

mod check;
mod decide;
mod machines;
mod properties;

use super::*;
use crate::names::{RoleName, TenantId};
use crate::tenants::Reason;

/// The rules of a `[claims]` section, written without its heading.
fn rules(text: &str) -> ClaimRules {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A person in the tenant `acme`, or in whichever is given.
fn acts_in(tenant: &str, roles: &[&str]) -> Tenancy {
    let tenant = TenantId::parse(tenant).unwrap();
    Tenancy {
        active: Some(tenant.clone()),
        roles: roles.iter().map(|role| RoleName::parse(role).unwrap()).collect(),
        tenants: [tenant].into(),
        reason: Reason::OnlyMembership,
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// The parts of a request that own their data.
struct Person {
    attributes: Attributes,
    groups: Vec<String>,
    joined: Vec<String>,
    iam_roles: Vec<String>,
    scopes: Vec<String>,
    tenancy: Tenancy,
}

impl Person {
    fn new(tenancy: Tenancy) -> Self {
        let (groups, joined, iam_roles, scopes) = (vec![], vec![], vec![], vec![]);
        Self { attributes: Attributes::default(), groups, joined, iam_roles, scopes, tenancy }
    }

    fn admin() -> Self {
        let mut person = Self::new(acts_in("acme", &["admin", "member"]));
        person.attributes = Attributes::from([("email", "ann@acme.example"), ("custom:plan", "gold")]);
        person.groups = texts(&["acme:admin", "beta"]);
        person
    }

    fn request(&self) -> Request<'_> {
        Request {
            version: EventVersion::V2,
            source: "TokenGeneration_Authentication",
            client_id: Some("web"),
            attributes: &self.attributes,
            groups: &self.groups,
            joined: &self.joined,
            iam_roles: &self.iam_roles,
            preferred_role: self.iam_roles.first().map(String::as_str),
            scopes: &self.scopes,
            machine: false,
            tenancy: &self.tenancy,
        }
    }

    fn issue(&self, rules: &ClaimRules) -> Overrides {
        issue(rules, self.request())
    }
}

fn issue(rules: &ClaimRules, request: Request<'_>) -> Overrides {
    match decide(rules, &RoleRules::default(), request) {
        Decision::Issue(overrides) => overrides,
        Decision::Refuse(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn json(edit: &TokenEdit) -> String {
    serde_json::to_string(&edit.add).unwrap()
}
