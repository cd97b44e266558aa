//! The choice of the role, by the mappings that are deployed.
//!
//! Read from the identity pool and not from the rule file: it is the deployed
//! mapping that is to be shown. What it answers is decided by the same function
//! that mirrors the identity pool for operators.
//! <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetIdentityPoolRoles.html>

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_cognitoidentity::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentity::error::BoxError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use shared::roles::{Ambiguous, Match, RoleKind, RoleRule, RoleRules, select};

use crate::proxy::exchange::text;

/// The logins of a call, with the claims of their tokens. Only what the local
/// AWS has accepted gets here, so they are not verified again.
#[derive(Debug)]
pub struct Logins(Vec<(String, Map<String, Value>)>);

impl Logins {
    /// The logins that a call names.
    pub fn read(body: &Value) -> Self {
        let named = body.get("Logins").and_then(Value::as_object).cloned().unwrap_or_default();
        Self(named.into_iter().map(|(provider, token)| (provider, claims(&token).unwrap_or_default())).collect())
    }

    /// Whether it is a guest's call.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The login at a user pool.
    pub fn of_user_pool(&self) -> Option<(&str, &Map<String, Value>)> {
        let found = self.0.iter().find(|(provider, _)| provider.starts_with("cognito-idp."));
        found.map(|(provider, claims)| (provider.as_str(), claims))
    }
}

fn claims(token: &Value) -> Option<Map<String, Value>> {
    let part = token.as_str()?.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A claim as a tag has it: texts, numbers and booleans have one form.
pub fn written(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(claim.to_string()),
        _ => None,
    }
}

/// What `GetIdentityPoolRoles` answers.
#[derive(Debug)]
pub struct RoleMappings(Value);

impl RoleMappings {
    /// Asks for a pool's roles. CloudFormation's mappings have a member that the
    /// API does not know, `IdentityProvider`, and the local AWS keeps it: so the
    /// answer is read as it came.
    pub async fn ask(client: &Client, pool: &str) -> Result<Self> {
        let answer = AsItCame::default();
        let call = client.get_identity_pool_roles().identity_pool_id(pool);
        let done = call.customize().interceptor(answer.clone()).send().await;
        done.context("the roles of an identity pool cannot be read")?;
        let body = answer.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Self(serde_json::from_slice(&body).context("the roles of an identity pool are no JSON")?))
    }

    /// The role's ARN, or why there is none.
    pub fn role(&self, logins: &Logins, custom: Option<&str>) -> Result<String, String> {
        let kind = if logins.is_empty() { "unauthenticated" } else { "authenticated" };
        let standard = self.0.get("Roles").and_then(|roles| text(roles, kind));
        let nobody = || format!("the identity pool has no role for {kind} users");
        let mapped = logins.of_user_pool().and_then(|(provider, claims)| Some((self.of(provider, claims)?, claims)));
        let Some((rules, claims)) = mapped else { return standard.map(str::to_owned).ok_or_else(nobody) };
        let rules = RoleRules { authenticated_role: standard.map(str::to_owned), ..rules };
        let selection = select(&rules, claims, custom);
        let refused = || format!("the identity pool gives no role ({})", selection.reason.code());
        rules.arn(&selection).map(str::to_owned).ok_or_else(refused)
    }

    /// Whether there is no mapping at all.
    pub fn is_empty(&self) -> bool {
        self.0.get("RoleMappings").and_then(Value::as_object).is_none_or(Map::is_empty)
    }

    /// The mapping for the client that a token was made for.
    fn of(&self, provider: &str, claims: &Map<String, Value>) -> Option<RoleRules> {
        let wanted = format!("{provider}:{}", claims.get("aud").and_then(Value::as_str)?);
        let all = self.0.get("RoleMappings")?.as_object()?;
        let found =
            all.iter().find(|(key, mapping)| **key == wanted || text(mapping, "IdentityProvider") == Some(&wanted));
        // What cannot be read gives nobody a role.
        let none = RoleRules { kind: RoleKind::Rules, ..RoleRules::default() };
        found.map(|(_, mapping)| rules(mapping).unwrap_or(none))
    }
}

/// The answer to `GetIdentityPoolRoles` with each mapping under the name of its
/// provider; `None` when it is no such answer.
///
/// In CloudFormation a mapping has a name of its own and a member
/// `IdentityProvider`, which takes the name's place in the identity pool. The
/// local AWS keeps both as they came.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-identitypoolroleattachment-rolemapping.html>
pub fn as_the_api_names_them(mut body: Value) -> Option<Value> {
    let all = body.get_mut("RoleMappings")?.as_object_mut()?;
    let named = std::mem::take(all).into_iter().map(|(name, mut mapping)| {
        let provider = mapping.as_object_mut().and_then(|mapping| mapping.remove("IdentityProvider"));
        (provider.and_then(|provider| provider.as_str().map(str::to_owned)).unwrap_or(name), mapping)
    });
    *all = named.collect();
    Some(body)
}

/// A mapping in the words of the rule file; `None` when it cannot be read.
/// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_RoleMapping.html>
fn rules(mapping: &Value) -> Option<RoleRules> {
    let kind = match text(mapping, "Type")? {
        "Token" => RoleKind::Token,
        "Rules" => RoleKind::Rules,
        _ => return None,
    };
    let ambiguous = match text(mapping, "AmbiguousRoleResolution") {
        Some("AuthenticatedRole") => Ambiguous::Authenticated,
        _ => Ambiguous::Deny,
    };
    let listed = mapping.get("RulesConfiguration").and_then(|all| all.get("Rules")).and_then(Value::as_array);
    let rules = listed.into_iter().flatten().map(rule).collect::<Option<_>>()?;
    Some(RoleRules { kind, ambiguous, rules, ..RoleRules::default() })
}

fn rule(rule: &Value) -> Option<RoleRule> {
    let matching = match text(rule, "MatchType")? {
        "Equals" => Match::Equals,
        "NotEqual" => Match::NotEqual,
        "StartsWith" => Match::StartsWith,
        "Contains" => Match::Contains,
        _ => return None,
    };
    let member = |name| text(rule, name).map(str::to_owned);
    Some(RoleRule { claim: member("Claim")?, matching, value: member("Value")?, role: member("RoleARN")? })
}

/// Keeps the body of an answer.
#[derive(Clone, Debug, Default)]
struct AsItCame(Arc<Mutex<Vec<u8>>>);

impl Intercept for AsItCame {
    fn name(&self) -> &'static str {
        "AsItCame"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_a";

    fn logins(aud: &str, claim: &Value) -> Logins {
        let token = json!({ "aud": aud, "identity_role": claim });
        let token = format!("x.{}.y", URL_SAFE_NO_PAD.encode(token.to_string()));
        Logins::read(&json!({ "Logins": { POOL: token } }))
    }

    fn deployed() -> RoleMappings {
        let rule =
            json!({ "Claim": "identity_role", "MatchType": "Equals", "Value": "admin", "RoleARN": "administrator" });
        RoleMappings(json!({
            "Roles": { "authenticated": "signed-in", "unauthenticated": "guest" },
            "RoleMappings": {
                "WebClient": {
                    "IdentityProvider": format!("{POOL}:web"),
                    "Type": "Rules",
                    "AmbiguousRoleResolution": "AuthenticatedRole",
                    "RulesConfiguration": { "Rules": [rule] },
                },
                format!("{POOL}:strict"): {
                    "Type": "Rules",
                    "AmbiguousRoleResolution": "Deny",
                    "RulesConfiguration": { "Rules": [rule] },
                },
            },
        }))
    }

    #[test]
    fn the_deployed_mapping_of_the_tokens_client_chooses() {
        let table = [
            ("web", json!("admin"), None, Ok("administrator")),
            ("web", json!("superadmin"), None, Ok("signed-in")),
            ("web", Value::Null, None, Ok("signed-in")),
            ("strict", json!("admin"), None, Ok("administrator")),
            ("strict", Value::Null, None, Err("NoRuleMatches")),
            ("other", json!("admin"), None, Ok("signed-in")),
            ("web", Value::Null, Some("administrator"), Err("CustomRoleNotAllowed")),
            ("web", json!("admin"), Some("administrator"), Ok("administrator")),
        ];
        for (aud, claim, custom, expected) in table {
            let found = deployed().role(&logins(aud, &claim), custom);
            match expected {
                Ok(role) => assert_eq!(found.as_deref(), Ok(role), "{aud} {claim}"),
                Err(code) => assert!(found.clone().is_err_and(|why| why.contains(code)), "{aud} {claim} {found:?}"),
            }
        }
    }

    #[test]
    fn guests_and_users_of_others_get_the_pools_own_roles() {
        let guest = Logins::read(&json!({}));
        assert_eq!(deployed().role(&guest, None).as_deref(), Ok("guest"));
        let other = Logins::read(&json!({ "Logins": { "127.0.0.1:1": "x.e30.y" } }));
        assert_eq!(deployed().role(&other, None).as_deref(), Ok("signed-in"));
        assert!(RoleMappings(json!({ "Roles": {} })).role(&guest, None).is_err());
    }

    #[test]
    fn a_mapping_of_cloudformation_is_read_under_its_providers_name() {
        let read = as_the_api_names_them(deployed().0).unwrap();
        let named: Vec<_> = read["RoleMappings"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, [format!("{POOL}:strict"), format!("{POOL}:web")]);
        let web = &read["RoleMappings"][format!("{POOL}:web")];
        assert_eq!((&web["Type"], web.get("IdentityProvider")), (&json!("Rules"), None));
        // It chooses as before.
        let found = RoleMappings(read.clone()).role(&logins("web", &json!("admin")), None);
        assert_eq!(found.as_deref(), Ok("administrator"));
        assert_eq!(read["Roles"], deployed().0["Roles"]);
        assert_eq!(as_the_api_names_them(json!({ "__type": "ResourceNotFoundException" })), None);
    }

    #[test]
    fn a_pool_without_mappings_is_told_from_one_with_them() {
        assert!(!deployed().is_empty());
        for none in [json!({}), json!({ "RoleMappings": {} }), json!({ "RoleMappings": null })] {
            assert!(RoleMappings(none.clone()).is_empty(), "{none}");
        }
    }

    #[test]
    fn a_mapping_that_cannot_be_read_is_none() {
        let table = [
            json!({}),
            json!({ "Type": "Magic" }),
            json!({ "Type": "Rules", "RulesConfiguration": { "Rules": [{ "Claim": "a" }] } }),
        ];
        for mapping in table {
            assert_eq!(rules(&mapping), None, "{mapping}");
        }
    }
}
