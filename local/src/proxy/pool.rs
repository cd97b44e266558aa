//! What the pass-through has to know about pools, clients and users.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, LambdaConfigType, UserPoolClientType, UserPoolType, UserStatusType,
};

/// Asks the local AWS about user pools, with the account's own key.
///
/// `None` is "there is no such thing", which is left to the local AWS to refuse
/// in its own words. Everything else that goes wrong is an error: a call that
/// cannot be imitated must not quietly pass.
#[derive(Debug)]
pub struct Pools {
    pub(super) client: Client,
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

impl User {
    fn new(name: &str, attributes: &[AttributeType], status: Option<&UserStatusType>) -> Self {
        let pairs = attributes.iter();
        let mut attributes: BTreeMap<_, _> =
            pairs.map(|pair| (pair.name().to_owned(), pair.value().unwrap_or_default().to_owned())).collect();
        if let Some(status) = status {
            attributes.insert("cognito:user_status".to_owned(), status.as_str().to_owned());
        }
        Self { name: name.to_owned(), attributes }
    }
}

impl Pools {
    /// Asks through `config`.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { client: Client::new(config), pool_of_client: Mutex::default() }
    }

    /// The pool that an app client belongs to. Looked for once: a client never
    /// moves.
    pub async fn of_client(&self, client: &str) -> Result<Option<String>> {
        if let Some(pool) = self.known().get(client) {
            return Ok(Some(pool.clone()));
        }
        let pools = self.client.list_user_pools().max_results(60).into_paginator().items().send();
        let pools = pools.collect::<Result<Vec<_>, _>>().await.context("the user pools cannot be listed")?;
        for pool in pools.into_iter().filter_map(|pool| pool.id) {
            if self.describe_client(&pool, client).await?.is_some() {
                self.known().insert(client.to_owned(), pool.clone());
                return Ok(Some(pool));
            }
        }
        Ok(None)
    }

    /// The attributes that a client may write; `None` when it names none.
    pub async fn write_attributes(&self, pool: &str, client: &str) -> Result<Option<Vec<String>>> {
        let described = self.describe_client(pool, client).await?;
        Ok(described.and_then(|client| client.write_attributes).filter(|names| !names.is_empty()))
    }

    /// The pool's triggers.
    pub async fn triggers(&self, pool: &str) -> Result<Option<LambdaConfigType>> {
        Ok(self.describe(pool).await?.and_then(|pool| pool.lambda_config))
    }

    /// Whether the pool sends a code to a new user's e-mail address.
    pub async fn verifies_email(&self, pool: &str) -> Result<bool> {
        let verified = self.describe(pool).await?.and_then(|pool| pool.auto_verified_attributes).unwrap_or_default();
        Ok(verified.iter().any(|attribute| attribute.as_str() == "email"))
    }

    /// A user by any of his names.
    pub async fn user(&self, pool: &str, name: &str) -> Result<User> {
        self.find(pool, name).await?.context("a user who was there just now is gone")
    }

    /// A user by any of his names, if the pool has him.
    pub async fn find(&self, pool: &str, name: &str) -> Result<Option<User>> {
        let found = match self.client.admin_get_user().user_pool_id(pool).username(name).send().await {
            Ok(found) => found,
            Err(error) if error.code() == Some("UserNotFoundException") => return Ok(None),
            Err(error) => return Err(error).context("a user cannot be read"),
        };
        Ok(Some(User::new(&found.username, found.user_attributes(), found.user_status())))
    }

    /// The users whom an external provider signed in, and who are not linked to
    /// a user of the pool.
    pub async fn external_users(&self, pool: &str) -> Result<Vec<User>> {
        let users = self.client.list_users().user_pool_id(pool).into_paginator().items().send();
        let users = users.collect::<Result<Vec<_>, _>>().await.context("the users of a pool cannot be listed")?;
        let external =
            users.iter().filter(|user| user.user_status().is_some_and(|is| is.as_str() == "EXTERNAL_PROVIDER"));
        Ok(external
            .map(|user| User::new(user.username().unwrap_or_default(), user.attributes(), user.user_status()))
            .collect())
    }

    /// Marks a user's e-mail address as verified.
    pub async fn mark_email_verified(&self, pool: &str, name: &str) -> Result<()> {
        let verified = AttributeType::builder().name("email_verified").value("true").build()?;
        let update = self.client.admin_update_user_attributes().user_pool_id(pool).username(name);
        update.user_attributes(verified).send().await.context("an address cannot be marked as verified")?;
        Ok(())
    }

    pub(super) async fn describe(&self, pool: &str) -> Result<Option<UserPoolType>> {
        match self.client.describe_user_pool().user_pool_id(pool).send().await {
            Ok(output) => Ok(output.user_pool),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).context("a user pool cannot be described"),
        }
    }

    pub(super) async fn describe_client(&self, pool: &str, client: &str) -> Result<Option<UserPoolClientType>> {
        match self.client.describe_user_pool_client().user_pool_id(pool).client_id(client).send().await {
            Ok(output) => Ok(output.user_pool_client),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).context("an app client cannot be described"),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.pool_of_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_absent<E: ProvideErrorMetadata>(error: &E) -> bool {
    error.code() == Some("ResourceNotFoundException")
}
