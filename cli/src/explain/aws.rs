//! A user, as a pool and a directory table know him.

use std::collections::BTreeMap;

use aws_config::BehaviorVersion;
use aws_sdk_cognitoidentityprovider::types::GroupType;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};
use shared::explanation::User;
use shared::roles::{Group, preferred};

use super::directory;
use crate::aws::{failure, on_runtime};
use crate::output::Failure;

/// Reads a user and his groups, and his memberships when a table is named.
pub(super) fn user(pool: &str, name: &str, table: Option<&str>) -> Result<User, Failure> {
    on_runtime(read(pool, name, table))
}

async fn read(pool: &str, name: &str, table: Option<&str>) -> Result<User, Failure> {
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let client = aws_sdk_cognitoidentityprovider::Client::new(&config);
    let found = client.admin_get_user().user_pool_id(pool).username(name).send().await;
    let found = found.map_err(|error| failure("AdminGetUser", &error))?;
    let attributes = found.user_attributes().iter().map(|one| (one.name().to_owned(), json!(one.value())));
    let attributes: Map<String, Value> = attributes.collect();
    let attributes = serde_json::from_value(Value::Object(attributes));
    let attributes = attributes.map_err(|error| Failure::failed("UserUnusable", error.to_string()))?;
    let groups = groups(&client, pool, found.username()).await?;
    let mut user = User {
        user_name: Some(found.username().to_owned()),
        attributes,
        iam_roles: Some(groups.iter().filter_map(|group| group.role.clone()).collect()),
        preferred_role: preferred(&groups).role,
        groups: groups.into_iter().map(|group| group.name).collect(),
        ..User::default()
    };
    if let Some(table) = table {
        let items = items(&aws_sdk_dynamodb::Client::new(&config), table, &user).await?;
        directory::add(&items, &mut user).map_err(|what| Failure::failed("DirectoryUnusable", what))?;
    }
    Ok(user)
}

async fn groups(
    client: &aws_sdk_cognitoidentityprovider::Client,
    pool: &str,
    name: &str,
) -> Result<Vec<Group>, Failure> {
    let pages = client.admin_list_groups_for_user().user_pool_id(pool).username(name);
    let groups = pages.into_paginator().items().send().collect::<Result<Vec<GroupType>, _>>().await;
    let groups = groups.map_err(|error| failure("AdminListGroupsForUser", &error))?;
    let group = |one: GroupType| Group {
        name: one.group_name.unwrap_or_default(),
        precedence: one.precedence.and_then(|number| u32::try_from(number).ok()),
        role: one.role_arn,
    };
    Ok(groups.into_iter().map(group).collect())
}

/// The items of the directory that name this user.
async fn items(client: &aws_sdk_dynamodb::Client, table: &str, user: &User) -> Result<Vec<Value>, Failure> {
    let key = format!("USER#{}", user.attributes.subject().unwrap_or_default());
    let query = client
        .query()
        .table_name(table)
        .index_name("by-subject")
        .key_condition_expression("subject = :subject")
        .expression_attribute_values(":subject", AttributeValue::S(key));
    let found = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(|error| failure("Query", &error))?;
    let json_of = |item: std::collections::HashMap<String, AttributeValue>| {
        let members: BTreeMap<String, Value> = item.into_iter().filter_map(|(k, v)| Some((k, json_of(v)?))).collect();
        json!(members)
    };
    Ok(found.into_iter().map(json_of).collect())
}

/// Texts and sets of texts; nothing else is read.
fn json_of(value: AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::S(text) => Some(json!({ "S": text })),
        AttributeValue::Ss(texts) => Some(json!({ "SS": texts })),
        _ => None,
    }
}
