//! `cargo local --existing`: a pool that was there before the stack, with as
//! many settings off their defaults as the local AWS knows; and the proof that it
//! is afterwards what it was, in what it is and in what was sent.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use attachment::Attachment;
use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, AdvancedSecurityModeType, AttributeDataType,
    DefaultEmailOptionType, DeviceConfigurationType, EmailConfigurationType, EmailSendingAccountType, LambdaConfigType,
    MessageTemplateType, PasswordPolicyType, RecoveryOptionNameType, RecoveryOptionType, SchemaAttributeType,
    SoftwareTokenMfaConfigType, UserAttributeUpdateSettingsType, UserPoolAddOnsType, UserPoolMfaType,
    UserPoolPolicyType, UserPoolTierType, UsernameAttributeType, UsernameConfigurationType,
    VerificationMessageTemplateType, VerifiedAttributeType,
};
use serde_json::Value;
use shared::attachment::{Difference, Slot, Snapshot, difference_paths, differences, pool_request};

use crate::proxy::Updates;
use crate::say::{Mark, Say};

/// Somebody else's trigger, which is never called: it is taken over meanwhile.
const FOREIGN: &str = "arn:aws:lambda:us-east-1:000000000000:function:somebody-elses";

/// The pool that was there before.
pub struct Existing {
    /// Its id.
    pub id: String,
    before: Snapshot,
    updates: Updates,
    /// The updates that made it what it is, before the stack came.
    own_updates: usize,
    looking: Attachment,
}

impl Existing {
    /// Makes the pool and notes what it is.
    pub async fn make(owner: &SdkConfig, updates: Updates) -> Result<Self> {
        let client = Client::new(owner);
        let id = make(&client, "customers", LambdaConfigType::builder().pre_sign_up(FOREIGN).build()).await?;
        client.create_group().user_pool_id(&id).group_name("users").send().await.context("no group")?;
        let looking = Attachment::new(owner, "cargo-local");
        let before = look(&looking, &id).await?;
        let own_updates = updates.all().len();
        Ok(Self { id, before, updates, own_updates, looking })
    }

    /// Shows that an update as careless tools make it would be seen: on a pool of
    /// its own, which is of no further use.
    pub async fn careless(&self, owner: &SdkConfig, say: &Say) -> Result<bool> {
        let client = Client::new(owner);
        let id = make(&client, "neglected", LambdaConfigType::builder().build()).await?;
        let before = look(&self.looking, &id).await?;
        let triggers = LambdaConfigType::builder().custom_message(FOREIGN).build();
        client.update_user_pool().user_pool_id(&id).lambda_config(triggers).send().await.context("no update")?;
        let after = look(&self.looking, &id).await?;
        let moved = differences(&before, &after, &after.triggers());
        let told = format!("{} settings moved: {}", moved.len(), difference_paths(&moved));
        Ok(tell(say, "a careless update, on another pool, is seen", &told, moved.len() > 5))
    }

    /// Shows that the stack has put in its triggers and moved nothing else.
    pub async fn attached(&self, say: &Say) -> Result<bool> {
        let after = look(&self.looking, &self.id).await?;
        let triggers = after.triggers();
        let ours = Slot::ALL.iter().all(|slot| triggers.get(slot.name()).is_some_and(|arn| arn != FOREIGN));
        let moved = differences(&self.before, &after, &triggers);
        let text = "the stack's triggers are in the existing pool, and nothing else moved";
        let right = tell(say, text, &moved_text(&moved), ours && moved.is_empty());
        let sent = self.sent(&triggers)?;
        Ok(tell(say, "it was sent as it was, once", &sent, sent == "1 update, whole") && right)
    }

    /// Shows that, the stack being gone, the pool is what it was.
    pub async fn detached(&self, say: &Say) -> Result<bool> {
        let after = look(&self.looking, &self.id).await?;
        let moved = differences(&self.before, &after, &self.before.triggers());
        let right = tell(say, "the stack is gone, and the pool is what it was", &moved_text(&moved), moved.is_empty());
        let sent = self.sent(&self.before.triggers())?;
        Ok(tell(say, "it was sent back as it was, once", &sent, sent == "2 updates, whole") && right)
    }

    /// What was sent of this pool by the stack: how often, and whether the last
    /// one is the document before with these triggers.
    fn sent(&self, triggers: &serde_json::Map<String, Value>) -> Result<String> {
        let of_pool = |(_, body): &(String, Value)| body.get("UserPoolId").and_then(Value::as_str) == Some(&self.id);
        let sent: Vec<(String, Value)> =
            self.updates.all().into_iter().skip(self.own_updates).filter(of_pool).collect();
        let pools: Vec<&Value> =
            sent.iter().filter(|(name, _)| name == "UpdateUserPool").map(|(_, body)| body).collect();
        let others: BTreeSet<&str> =
            sent.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "UpdateUserPool").collect();
        if !others.is_empty() {
            return Ok(format!("other updates: {others:?}"));
        }
        let expected = pool_request(&self.before.pool, triggers)?;
        let whole = if pools.last() == Some(&&expected) { "whole" } else { "not whole" };
        Ok(format!("{} update{}, {whole}", pools.len(), if pools.len() == 1 { "" } else { "s" }))
    }
}

fn moved_text(moved: &[Difference]) -> String {
    if moved.is_empty() { "nothing moved".to_owned() } else { format!("moved: {}", difference_paths(moved)) }
}

fn tell(say: &Say, text: &str, back: &str, right: bool) -> bool {
    say.marked(if right { Mark::Tick } else { Mark::Cross }, text);
    say.detail("found", back);
    right
}

async fn look(looking: &Attachment, id: &str) -> Result<Snapshot> {
    match looking.look_at(id).await.context("the pool cannot be read")? {
        Some(snapshot) => Ok(snapshot),
        None => bail!("the pool is gone"),
    }
}

/// A pool with what the rule file and the story need, and all else unusual.
async fn make(client: &Client, name: &str, triggers: LambdaConfigType) -> Result<String> {
    let policy = PasswordPolicyType::builder()
        .minimum_length(10)
        .require_lowercase(true)
        .require_numbers(true)
        .password_history_size(3)
        .temporary_password_validity_days(5);
    let attribute = |name: &str| {
        let attribute = SchemaAttributeType::builder().name(name).mutable(true);
        attribute.attribute_data_type(AttributeDataType::String).build()
    };
    let recovery = RecoveryOptionType::builder().name(RecoveryOptionNameType::VerifiedEmail).priority(1).build()?;
    let invitation = MessageTemplateType::builder()
        .email_subject("Welcome aboard")
        .email_message("Your name is {username}, your password {####}.")
        .sms_message("{username} {####}");
    let template = VerificationMessageTemplateType::builder()
        .default_email_option(DefaultEmailOptionType::ConfirmWithCode)
        .email_subject("Prove it")
        .email_message("Prove it: {####}");
    let updates = UserAttributeUpdateSettingsType::builder()
        .attributes_require_verification_before_update(VerifiedAttributeType::Email)
        .build();
    let sender = EmailConfigurationType::builder()
        .email_sending_account(EmailSendingAccountType::CognitoDefault)
        .reply_to_email_address("people@customers.example");
    let made = client
        .create_user_pool()
        .pool_name(name)
        .user_pool_tier(UserPoolTierType::Plus)
        .user_pool_add_ons(
            UserPoolAddOnsType::builder().advanced_security_mode(AdvancedSecurityModeType::Audit).build()?,
        )
        .policies(UserPoolPolicyType::builder().password_policy(policy.build()).build())
        .username_attributes(UsernameAttributeType::Email)
        .username_configuration(UsernameConfigurationType::builder().case_sensitive(false).build()?)
        .auto_verified_attributes(VerifiedAttributeType::Email)
        .user_attribute_update_settings(updates)
        .sms_verification_message("Your code: {####}")
        .sms_authentication_message("Your other code: {####}")
        .verification_message_template(template.build())
        .device_configuration(DeviceConfigurationType::builder().device_only_remembered_on_user_prompt(true).build())
        .email_configuration(sender.build())
        .admin_create_user_config(
            AdminCreateUserConfigType::builder().invite_message_template(invitation.build()).build(),
        )
        .account_recovery_setting(AccountRecoverySettingType::builder().recovery_mechanisms(recovery).build())
        .user_pool_tags("team", "identity")
        .user_pool_tags("note", "")
        .schema(attribute("plan"))
        .schema(attribute("provider_subject"))
        .schema(attribute("legacy_id"))
        .lambda_config(triggers)
        .send()
        .await
        .context("no pool can be made")?;
    let id = made.user_pool.and_then(|pool| pool.id).context("a pool without an id")?;
    let totp = SoftwareTokenMfaConfigType::builder().enabled(true).build();
    let factors = client.set_user_pool_mfa_config().user_pool_id(&id).mfa_configuration(UserPoolMfaType::Optional);
    factors.software_token_mfa_configuration(totp).send().await.context("no factors")?;
    Ok(id)
}
