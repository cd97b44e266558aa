//! Imitates: `UpdateUserPool` and `UpdateUserPoolClient` set whatever they are
//! not told to its default. The local AWS merges, and so would hide what a
//! careless update does.
//!
//! The caller signed what he sent, so it goes through as it is; what he left out
//! is set to its default by a second update with the account's own key.
//!
//! `DescribeUserPool` tells only what AWS tells there: the local AWS keeps the
//! factors, which have a call of their own, in the same document.
//!
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html>
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html>

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, AdvancedSecurityModeType, DefaultEmailOptionType,
    DeletionProtectionType, DeviceConfigurationType, EmailConfigurationType, EmailSendingAccountType, LambdaConfigType,
    PasswordPolicyType, SmsConfigurationType, UserAttributeUpdateSettingsType, UserPoolAddOnsType, UserPoolMfaType,
    UserPoolPolicyType, UserPoolTierType, VerificationMessageTemplateType,
};
use serde_json::Value;

use super::Gateway;
use super::exchange::{Call, Reply};

/// What belongs to `GetUserPoolMfaConfig` alone.
const FACTORS: [&str; 4] =
    ["EmailMfaConfiguration", "SmsMfaConfiguration", "SoftwareTokenMfaConfiguration", "WebAuthnConfiguration"];

/// The updates of pools that were sent, in their order.
#[derive(Clone, Debug, Default)]
pub struct Updates(Arc<Mutex<Vec<(String, Value)>>>);

impl Updates {
    /// All so far: operation and body.
    pub fn all(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps one.
    pub(super) fn note(&self, operation: &str, body: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((operation.to_owned(), body));
    }
}

/// `UpdateUserPool`, and the defaults for what it does not say.
pub(super) async fn pool(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let body = call.json();
    gateway.updates.note("UpdateUserPool", body.clone());
    let reply = gateway.forward(call).await?;
    let Some(id) = body.get("UserPoolId").and_then(Value::as_str).filter(|_| reply.status.is_success()) else {
        return Ok(reply);
    };
    let left = |name: &str| body.get(name).is_none();
    let text = |name: &str| left(name).then(String::new);
    let policy = PasswordPolicyType::builder()
        .minimum_length(8)
        .require_lowercase(true)
        .require_numbers(true)
        .require_symbols(true)
        .require_uppercase(true)
        .temporary_password_validity_days(7);
    let policies = UserPoolPolicyType::builder().password_policy(policy.build()).build();
    let sender = EmailConfigurationType::builder().email_sending_account(EmailSendingAccountType::CognitoDefault);
    let template = VerificationMessageTemplateType::builder();
    let template = template.default_email_option(DefaultEmailOptionType::ConfirmWithCode).build();
    let add_ons = UserPoolAddOnsType::builder().advanced_security_mode(AdvancedSecurityModeType::Off).build()?;
    let sms = SmsConfigurationType::builder().sns_caller_arn("").build();
    let settings = UserAttributeUpdateSettingsType::builder().build();
    let reset = gateway.pools.client.update_user_pool().user_pool_id(id);
    let reset = reset
        .set_policies(left("Policies").then_some(policies))
        .set_auto_verified_attributes(left("AutoVerifiedAttributes").then(Vec::new))
        .set_sms_verification_message(text("SmsVerificationMessage"))
        .set_email_verification_message(text("EmailVerificationMessage"))
        .set_email_verification_subject(text("EmailVerificationSubject"))
        .set_sms_authentication_message(text("SmsAuthenticationMessage"))
        .set_mfa_configuration(left("MfaConfiguration").then_some(UserPoolMfaType::Off))
        .set_device_configuration(left("DeviceConfiguration").then(|| DeviceConfigurationType::builder().build()))
        .set_email_configuration(left("EmailConfiguration").then(|| sender.build()))
        .set_sms_configuration(left("SmsConfiguration").then_some(sms))
        .set_user_pool_tags(left("UserPoolTags").then(Default::default))
        .set_admin_create_user_config(
            left("AdminCreateUserConfig").then(|| AdminCreateUserConfigType::builder().build()),
        )
        .set_user_pool_add_ons(left("UserPoolAddOns").then_some(add_ons))
        .set_verification_message_template(left("VerificationMessageTemplate").then_some(template))
        .set_account_recovery_setting(
            left("AccountRecoverySetting").then(|| AccountRecoverySettingType::builder().build()),
        )
        .set_lambda_config(left("LambdaConfig").then(|| LambdaConfigType::builder().build()))
        .set_user_attribute_update_settings(left("UserAttributeUpdateSettings").then_some(settings))
        .set_user_pool_tier(left("UserPoolTier").then_some(UserPoolTierType::Essentials))
        .set_deletion_protection(left("DeletionProtection").then_some(DeletionProtectionType::Inactive));
    reset.send().await.context("what an update of a pool leaves out cannot be reset")?;
    Ok(reply)
}

/// `UpdateUserPoolClient`, likewise.
pub(super) async fn client(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let body = call.json();
    gateway.updates.note("UpdateUserPoolClient", body.clone());
    let reply = gateway.forward(call).await?;
    let named = |name: &str| body.get(name).and_then(Value::as_str);
    let (Some(pool), Some(id), true) = (named("UserPoolId"), named("ClientId"), reply.status.is_success()) else {
        return Ok(reply);
    };
    let left = |name: &str| body.get(name).is_none();
    let none = |name: &str| left(name).then(Vec::new);
    let reset = gateway.pools.client.update_user_pool_client().user_pool_id(pool).client_id(id);
    let reset = reset
        .set_read_attributes(none("ReadAttributes"))
        .set_write_attributes(none("WriteAttributes"))
        .set_explicit_auth_flows(left("ExplicitAuthFlows").then(Vec::new))
        .set_supported_identity_providers(none("SupportedIdentityProviders"))
        .set_callback_urls(none("CallbackURLs"))
        .set_logout_urls(none("LogoutURLs"))
        .set_allowed_o_auth_flows(left("AllowedOAuthFlows").then(Vec::new))
        .set_allowed_o_auth_scopes(none("AllowedOAuthScopes"))
        .set_refresh_token_validity(left("RefreshTokenValidity").then_some(30))
        .set_access_token_validity(left("AccessTokenValidity").then_some(1))
        .set_id_token_validity(left("IdTokenValidity").then_some(1));
    reset.send().await.context("what an update of a client leaves out cannot be reset")?;
    Ok(reply)
}

/// `SetUserPoolMfaConfig`, kept.
pub(super) async fn factors(gateway: &Gateway, call: &Call) -> Result<Reply> {
    gateway.updates.note("SetUserPoolMfaConfig", call.json());
    gateway.forward(call).await
}

/// `DescribeUserPool`, without the factors.
pub(super) async fn describe(gateway: &Gateway, call: &Call) -> Result<Reply> {
    let mut reply = gateway.forward(call).await?;
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if let Some(pool) = body.get_mut("UserPool").and_then(Value::as_object_mut) {
        FACTORS.iter().for_each(|name| drop(pool.remove(*name)));
        reply.body = body.to_string().into();
    }
    Ok(reply)
}
