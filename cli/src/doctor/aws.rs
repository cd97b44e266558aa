//! Fetches the documents. What cannot be had is noted and does not end the look.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cognitoidentity::Client as Identity;
use aws_sdk_cognitoidentityprovider::Client as Users;
use aws_sdk_lambda::Client as Lambda;
use serde_json::{Value, json};
use shared::inspection::{Documents, FunctionDocuments, Look};

use super::api;
use super::options::Options;
use super::recorder::{Recorder, member, unseen};
use super::roles;
use crate::output::{Failure, note};

/// The most identity pools that a page may hold, and that are searched at a time.
const POOLS_ON_A_PAGE: i32 = 60;

/// Looks at everything that the options name or that is found from there.
pub(super) async fn collect(options: &Options) -> Result<Documents, Failure> {
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    if config.region().is_none() {
        return Err(Failure::usage("RegionMissing", "no region is set; AWS_REGION names one"));
    }
    let pool_id = options.pool.as_deref().unwrap_or_default();
    let recorder = Recorder::default();
    let users_config = aws_sdk_cognitoidentityprovider::config::Builder::from(&config).interceptor(recorder.clone());
    let users = Users::from_conf(users_config.build());
    note(&format!("looking at {pool_id}"));
    let mut documents = Documents { pool: pool(&users, &recorder, pool_id).await?, ..Documents::default() };
    documents.clients = clients(&users, &recorder, pool_id).await;
    documents.groups = groups(&users, pool_id).await;
    documents.functions = functions(&config, &documents.pool).await;
    identity_pool(&config, options, pool_id, &mut documents).await;
    let iam = aws_sdk_iam::Client::new(&config);
    for arn in role_arns(&documents) {
        let role = roles::look(&iam, &arn).await;
        documents.roles.insert(arn, role);
    }
    if let Some(api) = &options.api {
        api::look(&config, api, &mut documents).await;
    }
    Ok(documents)
}

/// A pool that is not there is no finding: the command names another.
async fn pool(client: &Users, recorder: &Recorder, id: &str) -> Result<Look, Failure> {
    let answer = client.describe_user_pool().user_pool_id(id).send().await;
    match member(recorder.look("cognito-idp:DescribeUserPool", answer), "UserPool") {
        Look::Missing => Err(Failure::failed("PoolMissing", format!("there is no user pool {id} in this region"))),
        look => Ok(look),
    }
}

async fn clients(client: &Users, recorder: &Recorder, pool: &str) -> BTreeMap<String, Look> {
    let pages = client.list_user_pool_clients().user_pool_id(pool).into_paginator().items().send();
    let listed = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(listed) => listed,
        Err(error) => return BTreeMap::from([("*".to_owned(), unseen("cognito-idp:ListUserPoolClients", &error))]),
    };
    let mut found = BTreeMap::new();
    for id in listed.iter().filter_map(|one| one.client_id()) {
        let answer = client.describe_user_pool_client().user_pool_id(pool).client_id(id).send().await;
        let look = member(recorder.look("cognito-idp:DescribeUserPoolClient", answer), "UserPoolClient");
        found.insert(id.to_owned(), without_secret(look));
    }
    found
}

/// What is looked at may be saved, so the secret goes at once.
fn without_secret(look: Look) -> Look {
    match look {
        Look::Seen(Value::Object(mut members)) => {
            members.remove("ClientSecret");
            Look::Seen(Value::Object(members))
        }
        other => other,
    }
}

async fn groups(client: &Users, pool: &str) -> Look {
    let pages = client.list_groups().user_pool_id(pool).into_paginator().items().send();
    match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(groups) => {
            let group = |one: &aws_sdk_cognitoidentityprovider::types::GroupType| json!({"GroupName": one.group_name(), "Precedence": one.precedence(), "RoleArn": one.role_arn()});
            Look::Seen(groups.iter().map(group).collect())
        }
        Err(error) => unseen("cognito-idp:ListGroups", &error),
    }
}

/// The functions that the pool's triggers name.
async fn functions(config: &SdkConfig, pool: &Look) -> BTreeMap<String, FunctionDocuments> {
    let recorder = Recorder::default();
    let lambda = aws_sdk_lambda::config::Builder::from(config).interceptor(recorder.clone());
    let lambda = Lambda::from_conf(lambda.build());
    let triggers = pool.seen().and_then(|pool| pool.get("LambdaConfig")).and_then(Value::as_object);
    let arn = |value: &Value| {
        let named = value.as_str().or_else(|| value.get("LambdaArn")?.as_str())?;
        named.contains(":lambda:").then(|| named.to_owned())
    };
    let arns: BTreeSet<String> = triggers.into_iter().flatten().filter_map(|(_, value)| arn(value)).collect();
    let mut found = BTreeMap::new();
    for arn in arns {
        let function = lambda.get_function_configuration().function_name(&arn).send().await;
        let function = recorder.look("lambda:GetFunctionConfiguration", function);
        let policy = match lambda.get_policy().function_name(&arn).send().await {
            Ok(answer) => {
                let policy = answer.policy().and_then(|text| serde_json::from_str(text).ok());
                policy.map_or(Look::Missing, Look::Seen)
            }
            Err(error) => unseen("lambda:GetPolicy", &error),
        };
        // The environment may hold what is nobody's business; nothing here asks for it.
        let function = if function.seen().is_some() { Look::Seen(json!({"FunctionArn": &arn})) } else { function };
        found.insert(arn, FunctionDocuments { function, policy });
    }
    found
}

/// The identity pool that is named, or the first that takes tokens of the pool.
async fn identity_pool(config: &SdkConfig, options: &Options, pool: &str, documents: &mut Documents) {
    let recorder = Recorder::default();
    let client = aws_sdk_cognitoidentity::config::Builder::from(config).interceptor(recorder.clone());
    let client = Identity::from_conf(client.build());
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let provider = format!("cognito-idp.{region}.amazonaws.com/{pool}");
    documents.identity_pool = match &options.identity_pool {
        Some(id) => described(&client, &recorder, id).await,
        None => searched(&client, &recorder, &provider).await,
    };
    let id = documents.identity_pool.seen().and_then(|pool| pool.get("IdentityPoolId")).and_then(Value::as_str);
    let Some(id) = id.map(str::to_owned) else { return };
    let answer = client.get_identity_pool_roles().identity_pool_id(&id).send().await;
    documents.identity_pool_roles = recorder.look("cognito-identity:GetIdentityPoolRoles", answer);
    let answer =
        client.get_principal_tag_attribute_map().identity_pool_id(&id).identity_provider_name(&provider).send().await;
    documents.principal_tags = recorder.look("cognito-identity:GetPrincipalTagAttributeMap", answer);
}

async fn described(client: &Identity, recorder: &Recorder, id: &str) -> Look {
    let answer = client.describe_identity_pool().identity_pool_id(id).send().await;
    recorder.look("cognito-identity:DescribeIdentityPool", answer)
}

async fn searched(client: &Identity, recorder: &Recorder, provider: &str) -> Look {
    let pages = client.list_identity_pools().max_results(POOLS_ON_A_PAGE).into_paginator().items().send();
    let pools = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(pools) => pools,
        Err(error) => return unseen("cognito-identity:ListIdentityPools", &error),
    };
    let mut unseen_one = Look::Missing;
    for id in pools.iter().filter_map(|pool| pool.identity_pool_id()) {
        let look = described(client, recorder, id).await;
        let providers = look.seen().and_then(|pool| pool.get("CognitoIdentityProviders")).and_then(Value::as_array);
        let takes = |one: &Value| one.get("ProviderName").is_some_and(|name| name == provider);
        if providers.is_some_and(|all| all.iter().any(takes)) {
            return look;
        }
        if matches!(look, Look::Unseen { .. }) {
            unseen_one = look;
        }
    }
    unseen_one
}

/// The roles that the identity pool, its mappings and the groups name.
fn role_arns(documents: &Documents) -> BTreeSet<String> {
    let roles = documents.identity_pool_roles.seen();
    let named = roles.and_then(|roles| roles.get("Roles")).and_then(Value::as_object);
    let mappings = roles.and_then(|roles| roles.get("RoleMappings")).and_then(Value::as_object);
    let rules =
        mappings.into_iter().flatten().filter_map(|(_, one)| one.pointer("/RulesConfiguration/Rules")?.as_array());
    let by_rule = rules.flatten().filter_map(|rule| rule.get("RoleARN"));
    let groups = documents.groups.seen().and_then(Value::as_array);
    let by_group = groups.into_iter().flatten().filter_map(|group| group.get("RoleArn"));
    let all = named.into_iter().flatten().map(|(_, arn)| arn).chain(by_rule).chain(by_group);
    all.filter_map(Value::as_str).filter(|arn| arn.contains(":role/")).map(str::to_owned).collect()
}
