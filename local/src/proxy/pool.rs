//! What the pass-through has to know about pools, clients and users.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, LambdaConfigType, UserPoolType};

/// Asks the local AWS about user pools, with the account's own key.
///
/// Every answer is `Option`: what cannot be found out here is left to the local
/// AWS to refuse in its own words.
#[derive(Debug)]
pub struct Pools {
    client: Client,
    pool_of_client: Mutex<HashMap<String, String>>,
}

/// A user as an event describes him.
#[derive(Debug)]
pub struct User {
    /// The pool's own name of the user.
    pub name: String,
    /// The attributes, the status among them as `cognito:user_status`.
    pub attributes: BTreeMap<String, String>,
}

impl Pools {
    /// Asks through `config`.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { client: Client::new(config), pool_of_client: Mutex::default() }
    }

    /// The pool that an app client belongs to. Looked for once: a client never
    /// moves.
    pub async fn of_client(&self, client: &str) -> Option<String> {
        if let Some(pool) = self.pool_of_client.lock().ok()?.get(client) {
            return Some(pool.clone());
        }
        let pools = self.client.list_user_pools().max_results(60).into_paginator().items().send();
        let pools = pools.collect::<Result<Vec<_>, _>>().await.ok()?;
        for pool in pools.into_iter().filter_map(|pool| pool.id) {
            let known = self.client.describe_user_pool_client().user_pool_id(&pool).client_id(client).send().await;
            if known.is_ok() {
                self.pool_of_client.lock().ok()?.insert(client.to_owned(), pool.clone());
                return Some(pool);
            }
        }
        None
    }

    /// The attributes that a client may write; `None` when it names none.
    pub async fn write_attributes(&self, pool: &str, client: &str) -> Option<Vec<String>> {
        let described = self.client.describe_user_pool_client().user_pool_id(pool).client_id(client).send().await;
        described.ok()?.user_pool_client?.write_attributes.filter(|names| !names.is_empty())
    }

    /// The pool's triggers.
    pub async fn triggers(&self, pool: &str) -> Option<LambdaConfigType> {
        self.describe(pool).await?.lambda_config
    }

    /// Whether the pool sends a code to a new user's e-mail address.
    pub async fn verifies_email(&self, pool: &str) -> bool {
        let verified = self.describe(pool).await.and_then(|pool| pool.auto_verified_attributes).unwrap_or_default();
        verified.iter().any(|attribute| attribute.as_str() == "email")
    }

    /// A user by any of his names.
    pub async fn user(&self, pool: &str, name: &str) -> Option<User> {
        let found = self.client.admin_get_user().user_pool_id(pool).username(name).send().await.ok()?;
        let mut attributes: BTreeMap<_, _> = found
            .user_attributes()
            .iter()
            .map(|pair| (pair.name().to_owned(), pair.value().unwrap_or_default().to_owned()))
            .collect();
        if let Some(status) = found.user_status() {
            attributes.insert("cognito:user_status".to_owned(), status.as_str().to_owned());
        }
        Some(User { name: found.username, attributes })
    }

    /// Marks a user's e-mail address as verified.
    pub async fn mark_email_verified(&self, pool: &str, name: &str) -> Option<()> {
        let verified = AttributeType::builder().name("email_verified").value("true").build().ok()?;
        let update = self.client.admin_update_user_attributes().user_pool_id(pool).username(name);
        update.user_attributes(verified).send().await.ok().map(|_| ())
    }

    async fn describe(&self, pool: &str) -> Option<UserPoolType> {
        self.client.describe_user_pool().user_pool_id(pool).send().await.ok()?.user_pool
    }
}
