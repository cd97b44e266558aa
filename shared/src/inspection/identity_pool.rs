//! The identity pool, and how it chooses roles.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clients::list;
use super::pool::text;
use super::{Documents, Look};
use crate::attributes::is_writable_name;
use crate::findings::Findings;
use crate::roles::{Ambiguous, Match, RoleKind, RoleRules};
use crate::rules::Rules;

pub(super) fn look(documents: &Documents, rules: Option<&Rules>, findings: &mut Findings) {
    let Some(pool) = documents.identity_pool.seen() else { return };
    let subject = text(pool, "/IdentityPoolId").unwrap_or("the identity pool");
    if pool.get("AllowClassicFlow").and_then(Value::as_bool) == Some(true) {
        let why =
            "the caller chooses the role himself, and the role mapping and the guests' narrower rights do not count";
        findings.error("ClassicFlow", subject, ["allows the classic flow", why, "set AllowClassicFlow to false"]);
    }
    let takes_guests = pool.get("AllowUnauthenticatedIdentities").and_then(Value::as_bool) == Some(true);
    if takes_guests && rules.is_some_and(|rules| rules.guests.is_none()) {
        let why = "anybody gets credentials without proving anything, and the rules have no [guests]";
        let fix = "set AllowUnauthenticatedIdentities to false, or say in [guests] what they may keep";
        findings.warning("GuestsOpen", subject, ["gives credentials to guests", why, fix]);
    }
    for provider in pool.get("CognitoIdentityProviders").and_then(Value::as_array).into_iter().flatten() {
        if provider.get("ServerSideTokenCheck").and_then(Value::as_bool) != Some(true) {
            let client = text(provider, "/ClientId").unwrap_or_default();
            let message = format!("does not ask the user pool about tokens of client {client}");
            let why = "who is signed out or deleted still gets credentials until the token ends";
            findings.warning("TokenCheckOff", subject, [&message, why, "set ServerSideTokenCheck to true"]);
        }
    }
    tags(documents, subject, findings);
    if let Some(roles) = documents.identity_pool_roles.seen() {
        mappings(documents, pool, roles, subject, rules, findings);
    }
    missing_roles(documents, findings);
}

/// Tag keys are compared without case, and a tag is as good as its claim.
fn tags(documents: &Documents, subject: &str, findings: &mut Findings) {
    let Some(map) = documents.principal_tags.seen().and_then(|tags| tags.get("PrincipalTags")) else { return };
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for (key, claim) in map.as_object().into_iter().flatten() {
        if let Some(other) = seen.insert(key.to_lowercase(), key) {
            let message = format!("makes the principal tags \"{other}\" and \"{key}\" of one session");
            let why = "IAM compares tag keys without case, so one stands for the other";
            findings.error("TagKeysAlike", subject, [&message, why, "keep one of the two"]);
        }
        let claim = claim.as_str().unwrap_or_default();
        if let Some(client) = writer_of(documents, claim, None) {
            let message = format!("makes the principal tag \"{key}\" from \"{claim}\", which users write");
            let why = format!("client {client} may write it, and policies take the tag for the server's word");
            let fix = format!("take \"{claim}\" out of that client's WriteAttributes, or map another claim");
            findings.error("TagFromOpenAttribute", subject, [&message, &why, &fix]);
        }
    }
}

/// The client through which users write an attribute.
fn writer_of<'a>(documents: &'a Documents, attribute: &str, only: Option<&str>) -> Option<&'a str> {
    if !is_writable_name(attribute) {
        return None;
    }
    let clients = documents.clients.iter().filter(|(id, _)| only.is_none_or(|only| only == id.as_str()));
    let writes = |client: &Value| {
        let list = list(client, "WriteAttributes");
        list.is_empty() || list.contains(&attribute)
    };
    clients
        .filter_map(|(id, look)| Some((id, look.seen()?)))
        .find(|(_, client)| writes(client))
        .map(|(id, _)| id.as_str())
}

fn mappings(
    documents: &Documents,
    pool: &Value,
    roles: &Value,
    subject: &str,
    rules: Option<&Rules>,
    findings: &mut Findings,
) {
    let empty = serde_json::Map::new();
    let mappings = roles.get("RoleMappings").and_then(Value::as_object).unwrap_or(&empty);
    for provider in pool.get("CognitoIdentityProviders").and_then(Value::as_array).into_iter().flatten() {
        let part = |pointer| text(provider, pointer).unwrap_or_default();
        let key = format!("{}:{}", part("/ProviderName"), part("/ClientId"));
        match (mappings.get(&key), rules) {
            (None, Some(rules)) if rules.roles.kind == RoleKind::Rules => {
                let message = format!("has no role mapping for {key}");
                let why = "users of that client all get the authenticated role, whatever the rules say";
                findings.error("RoleMappingMissing", subject, [&message, why, "add the mapping of [roles] for it"]);
            }
            (Some(mapping), Some(rules)) => differs(mapping, &key, &rules.roles, subject, findings),
            _ => {}
        }
    }
    let users = users_prefix(documents);
    for (key, mapping) in mappings.iter().filter(|(key, _)| key.starts_with(&users)) {
        let client = key.rsplit(':').next();
        if text(mapping, "/Type") == Some("Token") {
            ties(documents, subject, findings);
        }
        for rule in mapping.pointer("/RulesConfiguration/Rules").and_then(Value::as_array).into_iter().flatten() {
            let part = |pointer| text(rule, pointer).unwrap_or_default();
            if let Some(client) = writer_of(documents, part("/Claim"), client) {
                let message =
                    format!("gives {} by the claim \"{}\", which users write", part("/RoleARN"), part("/Claim"));
                let why = format!("client {client} may write the attribute");
                let fix = "match a claim that the token function gives, or take the attribute out of WriteAttributes";
                findings.error("RoleByOpenAttribute", subject, [&message, &why, fix]);
            }
        }
    }
}

/// What the keys of the user pool's mappings begin with.
fn users_prefix(documents: &Documents) -> String {
    let pool = documents.pool.seen().and_then(|pool| text(pool, "/Id")).unwrap_or_default();
    let region = pool.split('_').next().unwrap_or_default();
    format!("cognito-idp.{region}.amazonaws.com/{pool}:")
}

/// A mapping that is not the one of the rules.
fn differs(mapping: &Value, key: &str, roles: &RoleRules, subject: &str, findings: &mut Findings) {
    let kind = match roles.kind {
        RoleKind::Token => "Token",
        RoleKind::Rules => "Rules",
    };
    let ambiguous = match roles.ambiguous {
        Ambiguous::Authenticated => "AuthenticatedRole",
        Ambiguous::Deny => "Deny",
    };
    let live: Vec<[&str; 3]> = mapping
        .pointer("/RulesConfiguration/Rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|rule| ["/Claim", "/MatchType", "/Value"].map(|pointer| text(rule, pointer).unwrap_or_default()))
        .collect();
    let written: Vec<[&str; 3]> =
        roles.rules.iter().map(|rule| [rule.claim.as_str(), match_type(rule.matching), rule.value.as_str()]).collect();
    let what = if text(mapping, "/Type") != Some(kind) {
        "another type"
    } else if text(mapping, "/AmbiguousRoleResolution") != Some(ambiguous) {
        "another answer where no single role is found"
    } else if roles.kind == RoleKind::Rules && live != written {
        "other rules"
    } else {
        return;
    };
    let message = format!("has {what} for {key} than [roles] says");
    let why = "the identity pool decides by itself, so what the rule file says of roles does not hold";
    findings.error("RoleMappingDiffers", subject, [&message, why, "deploy the mapping of the rule file"]);
}

fn match_type(matching: Match) -> &'static str {
    match matching {
        Match::Equals => "Equals",
        Match::NotEqual => "NotEqual",
        Match::StartsWith => "StartsWith",
        Match::Contains => "Contains",
    }
}

/// Groups of the pool that prefer different roles at one precedence.
fn ties(documents: &Documents, subject: &str, findings: &mut Findings) {
    let groups: Vec<&Value> = documents
        .groups
        .seen()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|group| role(group).is_some())
        .collect();
    for (index, group) in groups.iter().enumerate() {
        let precedence = |group: &Value| group.get("Precedence").and_then(Value::as_u64);
        let ties = |other: &&&Value| precedence(other) == precedence(group) && role(other) != role(group);
        if let Some(other) = groups.iter().take(index).find(ties) {
            let name = |group: &Value| text(group, "/GroupName").unwrap_or_default().to_owned();
            let message =
                format!("groups \"{}\" and \"{}\" have different roles and one precedence", name(other), name(group));
            let why = "whoever is in both has no preferred role, and gets what AmbiguousRoleResolution says";
            findings.warning("PrecedenceTie", subject, [&message, why, "give each group its own precedence"]);
        }
    }
}

fn role(group: &Value) -> Option<&str> {
    text(group, "/RoleArn")
}

/// Roles that are named and do not exist.
fn missing_roles(documents: &Documents, findings: &mut Findings) {
    for (arn, _) in documents.roles.iter().filter(|(_, role)| role.trust == Look::Missing) {
        let why = "whoever is given it gets no credentials, and a new role of this name would be taken at once";
        let fix = "take it out of the identity pool's roles, its mappings and the pool's groups, or make it again";
        findings.error("RoleMissing", arn, ["is named and does not exist", why, fix]);
    }
}
