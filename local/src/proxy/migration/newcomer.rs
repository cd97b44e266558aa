//! Makes a user as the trigger's answer describes him.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, bail};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, DeliveryMediumType, MessageActionType, PasswordPolicyType, UserPoolPolicyType, UserPoolType,
};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::proxy::exchange::Reply;
use crate::proxy::pool::Pools;

/// Whom the trigger lets in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Newcomer {
    attributes: BTreeMap<String, String>,
    confirmed: bool,
    welcomed: bool,
    by: Vec<DeliveryMediumType>,
    takes_aliases: bool,
}

/// Why an answer makes no user.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It describes nobody.
    Nobody,
    /// Cognito would not take it, and says this.
    Refused(String),
}

/// What came of it.
pub(super) enum Entry {
    /// The pool has such a user.
    Open,
    /// It has none, for this reason.
    Closed(Reply),
}

/// One at a time: another call for the same name finds a whole user, and the
/// pool's policy is what it was whenever nobody is inside.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

impl Newcomer {
    /// Reads an answer. `known` are the attributes of the pool.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html#cognito-user-pools-lambda-trigger-syntax-user-migration-response>
    pub(super) fn read(answer: &Value, known: &HashSet<&str>) -> Result<Self, Unfit> {
        let response = answer.get("response").ok_or(Unfit::Nobody)?;
        let described = response.get("userAttributes").and_then(Value::as_object).ok_or(Unfit::Nobody)?;
        if described.is_empty() {
            return Err(Unfit::Nobody);
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in described {
            let value = value.as_str().ok_or_else(|| invalid(&format!("attribute {name}")))?;
            if name == "sub" || !known.contains(name.as_str()) {
                let text = "Attributes did not conform to the schema: ";
                return Err(Unfit::Refused(format!("{text}{name}: Attribute does not exist in the schema.")));
            }
            attributes.insert(name.clone(), value.to_owned());
        }
        let word = |member: &str| match response.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| invalid(member)),
        };
        let confirmed = match word("finalUserStatus")? {
            Some("CONFIRMED") => true,
            None | Some("RESET_REQUIRED") => false,
            Some(_) => return Err(invalid("finalUserStatus")),
        };
        let welcomed = match word("messageAction")? {
            None => true,
            Some("SUPPRESS") => false,
            Some(_) => return Err(invalid("messageAction")),
        };
        Ok(Self { attributes, confirmed, welcomed, by: mediums(response)?, takes_aliases: takes_aliases(response)? })
    }

    /// Makes the user, known by `name`, with the password that he typed.
    pub(super) async fn enter(
        &self,
        pools: &Pools,
        pool: &UserPoolType,
        name: &str,
        password: Option<&str>,
    ) -> Result<Entry> {
        let id = pool.id().context("a user pool has no id")?;
        let _alone = ONE_AT_A_TIME.lock().await;
        if let Some(refusal) = self.taken_alias(pools, id, name).await? {
            return Ok(Entry::Closed(refusal));
        }
        let mut create = pools.client.admin_create_user().user_pool_id(id).username(name);
        for (name, value) in &self.attributes {
            create = create.user_attributes(AttributeType::builder().name(name).value(value).build()?);
        }
        create = match self.welcomed {
            true => create.set_desired_delivery_mediums(Some(self.by.clone())),
            false => create.message_action(MessageActionType::Suppress),
        };
        let created = match create.send().await {
            Ok(created) => created.user.and_then(|user| user.username).context("a new user has no name")?,
            // Somebody was faster.
            Err(error) if error.code() == Some("UsernameExistsException") => return Ok(Entry::Open),
            Err(error) if error.code() == Some("InvalidParameterException") => {
                return Ok(Entry::Closed(refused(error.message().unwrap_or_default())));
            }
            Err(error) => return Err(error).context("a user cannot be moved in"),
        };
        if let Some(password) = password {
            keep_password(pools, pool, id, &created, password).await?;
        }
        // Nobody has typed the password of one who forgot it.
        if !self.confirmed || password.is_none() {
            self.require_reset(pools, id, &created).await?;
        }
        Ok(Entry::Open)
    }

    /// An address that is another user's already. It stays his.
    async fn taken_alias(&self, pools: &Pools, pool: &str, name: &str) -> Result<Option<Reply>> {
        for (kind, flag) in [("email", "email_verified"), ("phone_number", "phone_number_verified")] {
            let Some(address) = self.attributes.get(kind).filter(|address| *address != name) else { continue };
            let verified = self.attributes.get(flag).is_some_and(|flag| flag == "true");
            if !verified || pools.find(pool, address).await?.is_none() {
                continue;
            }
            if self.takes_aliases {
                bail!("forceAliasCreation is not imitated: it takes an address away from the user who has it");
            }
            let text = format!("An account with the {kind} already exists.");
            return Ok(Some(Reply::error("AliasExistsException", &text)));
        }
        Ok(None)
    }

    /// The status `RESET_REQUIRED`. The only call that gives it also mails a
    /// code, which the migration does not; so the user has no address meanwhile.
    async fn require_reset(&self, pools: &Pools, pool: &str, user: &str) -> Result<()> {
        let email = pools.user(pool, user).await?.attributes.remove("email");
        set_email(pools, pool, user, "").await?;
        let reset = pools.client.admin_reset_user_password().user_pool_id(pool).username(user).send().await;
        reset.context("a new password cannot be required")?;
        match email {
            Some(email) => set_email(pools, pool, user, &email).await,
            None => Ok(()),
        }
    }
}

async fn set_email(pools: &Pools, pool: &str, user: &str, email: &str) -> Result<()> {
    let attribute = AttributeType::builder().name("email").value(email).build()?;
    let update = pools.client.admin_update_user_attributes().user_pool_id(pool).username(user);
    update.user_attributes(attribute).send().await.context("an address cannot be written")?;
    Ok(())
}

/// Keeps the password that the old system knew, whatever the pool asks of new
/// ones: "the password strength policy … will not be enforced during migration".
/// The local AWS enforces it, so it has none meanwhile.
async fn keep_password(pools: &Pools, described: &UserPoolType, pool: &str, user: &str, password: &str) -> Result<()> {
    let set = || {
        let set = pools.client.admin_set_user_password().user_pool_id(pool).username(user);
        set.password(password).permanent(true).send()
    };
    match set().await {
        Ok(_) => return Ok(()),
        Err(error) if error.code() == Some("InvalidPasswordException") => {}
        // The cause could repeat what was sent.
        Err(_) => bail!("the password of a new user cannot be set"),
    }
    let none = PasswordPolicyType::builder()
        .minimum_length(1)
        .require_lowercase(false)
        .require_uppercase(false)
        .require_numbers(false)
        .require_symbols(false)
        .build();
    set_policies(pools, pool, UserPoolPolicyType::builder().password_policy(none).build()).await?;
    let kept = set().await.is_ok();
    let before = described.policies().cloned().unwrap_or_else(|| UserPoolPolicyType::builder().build());
    set_policies(pools, pool, before).await?;
    if !kept {
        bail!("the password of a new user cannot be set");
    }
    Ok(())
}

/// The local AWS leaves all other settings as they are.
async fn set_policies(pools: &Pools, pool: &str, policies: UserPoolPolicyType) -> Result<()> {
    let update = pools.client.update_user_pool().user_pool_id(pool).policies(policies);
    update.send().await.context("the pool's policy cannot be changed")?;
    Ok(())
}

fn mediums(response: &Value) -> Result<Vec<DeliveryMediumType>, Unfit> {
    let all = match response.get("desiredDeliveryMediums") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or_else(|| invalid("desiredDeliveryMediums"))?,
    };
    let medium = |value: &Value| match value.as_str() {
        Some("EMAIL") => Ok(DeliveryMediumType::Email),
        Some("SMS") => Ok(DeliveryMediumType::Sms),
        _ => Err(invalid("desiredDeliveryMediums")),
    };
    all.iter().map(medium).collect()
}

fn takes_aliases(response: &Value) -> Result<bool, Unfit> {
    match response.get("forceAliasCreation") {
        None | Some(Value::Null) => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| invalid("forceAliasCreation")),
    }
}

fn invalid(what: &str) -> Unfit {
    Unfit::Refused(format!("Error occurred during migration: Invalid {what}"))
}

/// What Cognito calls an answer that it does not take.
pub(super) fn refused(text: &str) -> Reply {
    Reply::error("UserNotFoundException", text)
}
