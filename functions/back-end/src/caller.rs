//! Who calls, as the authorizer says.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::names::{RoleName, SessionId, Subject, TenantId};

use crate::{Problem, Refusal};

/// The caller of this request. Only an authorizer's context makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    subject: Subject,
    tenant: Option<TenantId>,
    roles: BTreeSet<RoleName>,
    client_id: Option<String>,
    session: Option<SessionId>,
}

/// The context as the authorizer writes it: texts only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    subject: Option<String>,
    tenant: Option<String>,
    roles: Option<String>,
    client_id: Option<String>,
    session: Option<String>,
}

impl Caller {
    /// Reads the authorizer's context. Anything missing or malformed is no
    /// caller at all: a back end must not guess whose data it serves.
    pub(crate) fn read(context: Option<&RawValue>) -> Result<Self, Problem> {
        context
            // An array would pass for the struct, by position.
            .filter(|context| context.get().starts_with('{'))
            .and_then(|context| serde_json::from_str(context.get()).ok())
            .and_then(Self::check)
            .ok_or_else(|| Refusal::CallerUnknown.into())
    }

    fn check(context: Context) -> Option<Self> {
        let tenant = match given(context.tenant) {
            None => None,
            Some(text) => Some(TenantId::parse(&text)?),
        };
        let roles = match given(context.roles) {
            None => BTreeSet::new(),
            Some(text) => text.split(' ').map(RoleName::parse).collect::<Option<BTreeSet<_>>>()?,
        };
        let session = match given(context.session) {
            None => None,
            Some(text) => Some(SessionId::parse(&text)?),
        };
        let (subject, client_id) = (Subject::parse(&context.subject?)?, given(context.client_id));
        Some(Self { subject, tenant, roles, client_id, session })
    }

    /// Whose token it was.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The tenant in force, or a refusal for a route that needs one.
    pub fn tenant(&self) -> Result<&TenantId, Problem> {
        self.tenant.as_ref().ok_or_else(|| Refusal::NoTenant.into())
    }

    /// The tenant in force; `None` for a caller without one.
    pub fn tenant_if_any(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The caller's roles in that tenant.
    pub fn roles(&self) -> &BTreeSet<RoleName> {
        &self.roles
    }

    /// The app client through which the caller came.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The session that the caller's token belongs to; `None` for a machine, and
    /// where nobody asks for it.
    pub fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }
}

/// Empty is absent.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Caller, &'static str> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        Caller::read(Some(&raw)).map_err(|problem| problem.code())
    }

    #[test]
    fn only_a_well_formed_context_makes_a_caller() {
        let table = [
            (r#"{"subject":"u-1","tenant":"acme","roles":"admin member","clientId":"c"}"#, true),
            (r#"{"subject":"u-1"}"#, true),
            (r#"{"subject":"u-1","tenant":"","roles":""}"#, true),
            (r#"{"subject":"u-1","tenant":null,"roles":null}"#, true),
            (r#"{"subject":"u-1","tokenUse":"access","unknown":1}"#, true),
            (r#"{}"#, false),
            (r#"{"subject":""}"#, false),
            (r#"{"subject":"u#1"}"#, false),
            (r#"{"subject":"u 1"}"#, false),
            (r#"{"subject":1}"#, false),
            (r#"{"subject":"u-1","subject":"u-2"}"#, false),
            (r#"{"subject":"u-1","tenant":"Acme"}"#, false),
            (r#"{"subject":"u-1","tenant":" acme"}"#, false),
            (r#"{"subject":"u-1","tenant":"acme#items"}"#, false),
            (r#"{"subject":"u-1","tenant":"acme*"}"#, false),
            (r#"{"subject":"u-1","tenant":["acme"]}"#, false),
            (r#"{"subject":"u-1","tenant":"a","tenant":"b"}"#, false),
            (r#"{"subject":"u-1","session":"0f0c7f6e-2f0b"}"#, true),
            (r#"{"subject":"u-1","session":""}"#, true),
            (r#"{"subject":"u-1","session":"a#b"}"#, false),
            (r#"{"subject":"u-1","session":["a"]}"#, false),
            (r#"{"subject":"u-1","roles":"Admin"}"#, false),
            (r#"{"subject":"u-1","roles":"admin,member"}"#, false),
            (r#"{"subject":"u-1","roles":"admin  member"}"#, false),
            (r#"{"subject":"u-1","roles":["admin"]}"#, false),
            (r#""u-1""#, false),
            ("null", false),
            (r#"["u-1","acme","admin","c"]"#, false),
        ];
        for (json, expected) in table {
            assert_eq!(read(json).is_ok(), expected, "{json}");
        }
        assert!(Caller::read(None).is_err(), "no context");
    }

    #[test]
    fn a_context_is_read_into_names() {
        let caller = read(r#"{"subject":"u","tenant":"acme","roles":"admin member"}"#).unwrap();
        assert_eq!(caller.tenant().unwrap().as_str(), "acme");
        let roles: Vec<_> = caller.roles().iter().map(RoleName::as_str).collect();
        assert_eq!(roles, ["admin", "member"]);
        let nobody = read(r#"{"subject":"u"}"#).unwrap();
        assert_eq!(nobody.tenant().unwrap_err().code(), "NoTenant");
    }
}
