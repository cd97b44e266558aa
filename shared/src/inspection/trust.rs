//! Who may take the roles that an identity pool gives.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html>

use serde_json::Value;

use super::Documents;
use super::pool::text;
use super::statements::{Statement, allowing};
use crate::findings::Findings;

const IDENTITY: &str = "cognito-identity.amazonaws.com";

pub(super) fn look(documents: &Documents, findings: &mut Findings) {
    let pool = documents.identity_pool.seen().and_then(|pool| text(pool, "/IdentityPoolId"));
    let Some(pool) = pool else { return };
    let roles = documents.identity_pool_roles.seen();
    let guest = roles.and_then(|roles| text(roles, "/Roles/unauthenticated"));
    let tags = documents.principal_tags.seen().is_some_and(has_tags);
    for (arn, role) in &documents.roles {
        let Some(trust) = role.trust.seen() else { continue };
        let is_guest = guest == Some(arn.as_str());
        look_at(pool, arn, is_guest, tags, trust, findings);
    }
}

fn has_tags(map: &Value) -> bool {
    let named = map.get("PrincipalTags").and_then(Value::as_object).is_some_and(|tags| !tags.is_empty());
    named || map.get("UseDefaults").and_then(Value::as_bool) == Some(true)
}

fn look_at(pool: &str, arn: &str, is_guest: bool, tags: bool, trust: &Value, findings: &mut Findings) {
    let statements: Vec<Statement<'_>> = allowing(trust)
        .into_iter()
        .filter(|one| one.principals("Federated").iter().any(|who| *who == IDENTITY || *who == "*"))
        .collect();
    let assumes: Vec<&Statement<'_>> =
        statements.iter().filter(|one| one.means("sts:AssumeRoleWithWebIdentity")).collect();
    if assumes.is_empty() {
        let why = "the identity pool names it, and everybody who is given it gets no credentials";
        let fix = format!("allow {IDENTITY} sts:AssumeRoleWithWebIdentity, with conditions on aud and amr");
        findings.error("TrustMissing", arn, ["does not trust identity pools", why, &fix]);
        return;
    }
    for statement in assumes {
        audience(pool, arn, *statement, findings);
        proof(arn, is_guest, *statement, findings);
    }
    if tags && !is_guest && !statements.iter().any(|one| one.means("sts:TagSession")) {
        let why = "the identity pool passes principal tags, and without this nobody gets credentials of the role";
        findings.error(
            "TagSessionMissing",
            arn,
            ["does not allow sts:TagSession", why, "add sts:TagSession to the actions of its trust policy"],
        );
    }
}

fn audience(pool: &str, arn: &str, statement: Statement<'_>, findings: &mut Findings) {
    let audiences = statement.equals("cognito-identity.amazonaws.com:aud");
    let fix = format!("add StringEquals {{ \"{IDENTITY}:aud\": \"{pool}\" }} to its trust policy");
    if audiences.is_empty() || audiences.iter().any(|one| one.contains('*')) {
        let why = "anybody can make an identity pool of his own and take the role through it";
        findings.error("TrustWithoutAud", arn, ["trusts every identity pool there is", why, &fix]);
    } else if !audiences.contains(&pool) {
        let why = "whoever is given it here gets no credentials";
        findings.error("TrustForeignAud", arn, ["trusts other identity pools, and not this one", why, &fix]);
    } else if audiences.len() > 1 {
        let message = format!("trusts {} identity pools", audiences.len());
        let why = "each of them decides by rules of its own who gets the role";
        findings.warning("TrustForeignAud", arn, [&message, why, "give each pool a role of its own"]);
    }
}

fn proof(arn: &str, is_guest: bool, statement: Statement<'_>, findings: &mut Findings) {
    let amr = statement.equals("cognito-identity.amazonaws.com:amr");
    let fix = "add ForAnyValue:StringLike { \"cognito-identity.amazonaws.com:amr\": \"authenticated\" }";
    if amr.is_empty() {
        let why = "guests, who prove nothing, can take it too";
        let fix = if is_guest { &fix.replace("\"authenticated\"", "\"unauthenticated\"") } else { fix };
        findings.error("TrustWithoutAmr", arn, ["does not ask whether its user is signed in", why, fix]);
    } else if !is_guest && amr.iter().any(|one| *one == "unauthenticated" || one.contains('*')) {
        let why = "guests, who prove nothing, can take a role of signed-in users";
        findings.error("TrustTakesGuests", arn, ["trusts guests", why, fix]);
    } else if is_guest && amr.contains(&"authenticated") {
        let why = "the guests' role should not be a second one of signed-in users";
        findings.warning(
            "TrustTakesUsers",
            arn,
            ["is the guests' role and trusts signed-in users", why, "ask for \"unauthenticated\" alone"],
        );
    }
}
