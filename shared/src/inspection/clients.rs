//! The app clients.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Documents, decides_about_rights, rights_attributes};
use crate::findings::Findings;
use crate::rules::Rules;

/// Lets a client change its user's own attributes and password.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html>
const SELF_SERVICE: &str = "aws.cognito.signin.user.admin";

pub(super) fn look(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    let rights = rights_attributes(rules);
    for (id, client) in documents.clients.iter().filter_map(|(id, look)| Some((id, look.seen()?))) {
        let name = client.get("ClientName").and_then(Value::as_str);
        let subject = name.map_or_else(|| format!("client {id}"), |name| format!("client {id} ({name})"));
        writable(client, &subject, &rights, rules, findings);
        answers(client, &subject, rules, findings);
        grants(client, &subject, findings);
    }
}

/// The texts of a list of the client.
pub(super) fn list<'a>(client: &'a Value, member: &str) -> Vec<&'a str> {
    client.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What the client may write.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html#CognitoUserPools-CreateUserPoolClient-request-WriteAttributes>
fn writable(client: &Value, subject: &str, rights: &BTreeSet<String>, rules: Option<&Rules>, findings: &mut Findings) {
    let writable = list(client, "WriteAttributes");
    if writable.is_empty() {
        let why = "without a list it may write every attribute that can be changed, custom ones included";
        let fix = "set WriteAttributes to what users may change themselves, such as name and locale";
        findings.error("NoWriteAttributeList", subject, ["has no list of writable attributes", why, fix]);
    }
    let from_providers = only_for_providers(client);
    for name in writable.iter().filter(|name| decides_about_rights(name, rights)) {
        // What a provider sends is written with the client's rights.
        if from_providers && is_subject(name, rules) {
            continue;
        }
        let message = format!("may write \"{name}\", which decides about rights");
        let why = "its users set it themselves, at sign-up or with UpdateUserAttributes";
        let fix = format!("take \"{name}\" out of WriteAttributes");
        findings.error("RightsAttributeWritable", subject, [&message, why, &fix]);
    }
}

/// Whether nobody but an external provider can write through this client: it
/// takes no passwords, and its tokens cannot change attributes.
fn only_for_providers(client: &Value) -> bool {
    let flows = list(client, "ExplicitAuthFlows");
    let no_passwords = !flows.is_empty() && flows.iter().all(|flow| *flow == "ALLOW_REFRESH_TOKEN_AUTH");
    let no_native = !list(client, "SupportedIdentityProviders").contains(&"COGNITO");
    no_passwords && no_native && !list(client, "AllowedOAuthScopes").contains(&SELF_SERVICE)
}

fn is_subject(name: &str, rules: Option<&Rules>) -> bool {
    let is_of =
        |rules: &Rules| rules.providers.iter().any(|provider| provider.subject_attribute.as_deref() == Some(name));
    rules.map_or(name == "custom:provider_subject", is_of)
}

/// What the client tells strangers, and what it can take back.
fn answers(client: &Value, subject: &str, rules: Option<&Rules>, findings: &mut Findings) {
    if client.get("PreventUserExistenceErrors").and_then(Value::as_str) != Some("ENABLED") {
        let why = "anybody can find out who has an account";
        let fix = "set PreventUserExistenceErrors to ENABLED";
        findings.warning("UserExistenceErrors", subject, ["tells which users exist", why, fix]);
    }
    if client.get("EnableTokenRevocation").and_then(Value::as_bool) != Some(true) {
        let fix = "set EnableTokenRevocation to true";
        if rules.is_some_and(|rules| rules.revocation.is_on()) {
            let why = "its tokens name no session, so with [revocation] on the authorizer refuses them all";
            findings.error("TokenRevocationOff", subject, ["cannot revoke tokens", why, fix]);
        } else {
            let why = "a stolen refresh token is good until it ends, and nobody can end it sooner";
            findings.warning("TokenRevocationOff", subject, ["cannot revoke tokens", why, fix]);
        }
    }
}

/// How tokens leave, and what they may do.
fn grants(client: &Value, subject: &str, findings: &mut Findings) {
    if client.get("AllowedOAuthFlowsUserPoolClient").and_then(Value::as_bool) == Some(false) {
        return;
    }
    let flows = list(client, "AllowedOAuthFlows");
    if flows.contains(&"implicit") {
        let why = "tokens stand in the address, and so in histories, logs and referrers";
        let fix = "allow \"code\" alone, and use PKCE";
        findings.error("ImplicitGrant", subject, ["allows the implicit grant", why, fix]);
    }
    if !flows.is_empty() && list(client, "AllowedOAuthScopes").contains(&SELF_SERVICE) {
        let message = format!("may ask for the scope {SELF_SERVICE}");
        let why =
            "whoever holds the token can change the user's attributes, devices and password; no third party should";
        let fix = "take the scope out, unless this is your own account page";
        findings.warning("SelfServiceScope", subject, [&message, why, fix]);
    }
}
