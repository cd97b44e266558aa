//! The tenant that a user in several of them works in.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use shared::names::TenantId;

use crate::items::{self, PROFILE};
use crate::{Directory, Error, Subject};

/// What became of a user's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// In force from the next token.
    Kept,
    /// The user is no active member of that tenant, or was never provisioned.
    NotAMember,
}

impl Directory {
    /// Keeps the tenant that a user chose, if he is an active member of it at
    /// this very moment.
    pub async fn choose_tenant(&self, subject: &Subject, tenant: &TenantId) -> Result<Choice, Error> {
        let member = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", items::text(items::members_key(tenant)))
            .key("sk", items::text(subject.as_str()))
            .condition_expression("#status = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", items::text("active"))
            .build()?;
        let chosen = Update::builder()
            .table_name(&self.table)
            .key("pk", items::text(items::user_key(subject)))
            .key("sk", items::text(PROFILE))
            .condition_expression("attribute_exists(#pk)")
            .update_expression("SET #tenant = :tenant ADD #version :one")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#tenant", "active_tenant")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":tenant", items::text(tenant.as_str()))
            .expression_attribute_values(":one", items::number(1))
            .build()?;
        let both = vec![
            TransactWriteItem::builder().condition_check(member).build(),
            TransactWriteItem::builder().update(chosen).build(),
        ];
        match self.transact(both).await {
            Ok(_) => Ok(Choice::Kept),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    let codes = || reasons.iter().filter_map(|reason| reason.code());
                    if codes().any(|code| code == "ConditionalCheckFailed") {
                        Ok(Choice::NotAMember)
                    } else if codes().any(|code| code == "TransactionConflict") {
                        Err(Error::Contended)
                    } else {
                        Err(error.into())
                    }
                }
                _ => Err(error.into()),
            },
        }
    }
}
