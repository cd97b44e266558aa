//! What the directory table knows of a user, in DynamoDB's JSON.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::explanation::{MembershipGiven, User};
use shared::names::{RoleName, TenantId};

/// Adds the memberships and the chosen tenant that items hold of this user; the
/// error says what is wrong with an item.
pub(super) fn add(items: &[Value], user: &mut User) -> Result<(), String> {
    let key = format!("USER#{}", user.attributes.subject().unwrap_or_default());
    for item in items.iter().filter(|item| text(item, "subject") == Some(&key)) {
        if text(item, "sk") == Some("PROFILE") {
            user.active_tenant = text(item, "active_tenant").map(tenant).transpose()?;
        } else {
            user.memberships.push(membership(item)?);
        }
    }
    Ok(())
}

fn membership(item: &Value) -> Result<MembershipGiven, String> {
    let tenant = tenant(text(item, "tenant").ok_or("a membership without a tenant")?)?;
    let roles = item.pointer("/roles/SS").and_then(Value::as_array).into_iter().flatten();
    let roles: Result<BTreeSet<RoleName>, String> = roles
        .map(|role| role.as_str().and_then(RoleName::parse).ok_or_else(|| format!("{role} is no role's name")))
        .collect();
    let suspended = match text(item, "status") {
        Some("active") => false,
        Some("suspended") => true,
        _ => return Err("a membership without a status".to_owned()),
    };
    Ok(MembershipGiven { tenant, roles: roles?, suspended })
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).ok_or_else(|| format!("\"{text}\" is no tenant's name"))
}

fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}
