//! What the administrators of one tenant see and change.
//!
//! Every key here begins with the tenant, so a client whose credentials carry
//! the tenant as a session tag can do all of this and nothing elsewhere.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use shared::address::EmailAddress;
use shared::names::{RoleName, TenantId};
use shared::revocation::Key;
use shared::tenants::Status;

use crate::items::{self, Item};
use crate::{Directory, Error, Member, Subject};

/// Some members of a tenant, in order of their subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most as many as were asked for.
    pub members: Vec<Member>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Subject>,
}

/// What is to become of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange<'a> {
    /// The member has exactly these roles.
    Roles(&'a BTreeSet<RoleName>),
    /// The membership is in force, or not.
    Status(Status),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Written; this is the version now.
    Done(u64),
    /// The tenant has no such member.
    NotAMember,
    /// Someone changed the membership since the caller read it.
    Outdated,
}

/// An invitation to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation<'a> {
    /// Where to.
    pub tenant: &'a TenantId,
    /// Whom; it counts only for a user who has verified this address.
    pub email: &'a EmailAddress,
    /// What the invited will be there.
    pub roles: &'a BTreeSet<RoleName>,
    /// Who invites.
    pub invited_by: &'a Subject,
    /// In seconds since 1970.
    pub created_at: u64,
    /// In seconds since 1970; from then on it no longer counts.
    pub expires_at: u64,
}

impl Directory {
    /// At most `limit` members of a tenant, beginning after a subject.
    pub async fn members(&self, tenant: &TenantId, after: Option<&Subject>, limit: u16) -> Result<Page, Error> {
        let start = after.map(|subject| membership_key(tenant, subject));
        let query = QueryInput::builder()
            .table_name(&self.table)
            .key_condition_expression("#pk = :members")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":members", items::text(items::members_key(tenant)))
            .set_exclusive_start_key(start)
            .limit(i32::from(limit.max(1)));
        let found = self.client.send(query.build()).await?;
        let members = found.items().iter().map(items::read_member).collect::<Result<Vec<_>, _>>()?;
        let more = found.last_evaluated_key().is_some();
        let next = members.last().filter(|_| more).map(|member| member.subject.clone());
        Ok(Page { members, next })
    }

    /// One member of a tenant as the table has him at this moment; `None` when
    /// there is no such member.
    pub async fn member(&self, tenant: &TenantId, subject: &Subject) -> Result<Option<Member>, Error> {
        let get = GetItemInput::builder()
            .table_name(&self.table)
            .set_key(Some(membership_key(tenant, subject)))
            .consistent_read(true);
        Ok(self.client.send(get.build()).await?.item().map(items::read_member).transpose()?)
    }

    /// Changes a membership, if nobody did so since the caller read that version
    /// of it. Where revocation is on, the tokens that the member has for the
    /// tenant lose their rights in the same transaction: all of it or nothing.
    pub async fn change_member(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        change: MemberChange<'_>,
        expected_version: u64,
        now: u64,
    ) -> Result<Changed, Error> {
        let next_version = expected_version.saturating_add(1);
        let key = Key::Member(tenant.clone(), subject.clone());
        let mark = self.revocations.as_ref().map(|table| table.rights_changed(&key, now)).transpose()?;
        let updates = [Some(self.member_update(tenant, subject, change, expected_version)?), mark];
        let items = updates.into_iter().flatten().map(|update| TransactWriteItem::builder().update(update).build());
        let Err(error) = self.transact(items.collect()).await else {
            return Ok(Changed::Done(next_version));
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
            _ => return Err(error.into()),
        };
        match reasons.first().map(|reason| (reason.code(), reason.item())) {
            Some((Some("ConditionalCheckFailed"), item)) => match item {
                None => Ok(Changed::NotAMember),
                // A client repeats a call whose answer was lost, and then meets its own write.
                Some(item) if says(item, next_version, change) => Ok(Changed::Done(next_version)),
                Some(_) => Ok(Changed::Outdated),
            },
            _ if reasons.iter().any(|reason| reason.code() == Some("TransactionConflict")) => Err(Error::Contended),
            _ => Err(error.into()),
        }
    }

    fn member_update(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        change: MemberChange<'_>,
        expected_version: u64,
    ) -> Result<Update, Error> {
        let (name, value) = match change {
            MemberChange::Roles(roles) => ("roles", items::role_set(roles)),
            MemberChange::Status(status) => ("status", Some(items::text(items::status_text(status)))),
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(membership_key(tenant, subject)))
            .condition_expression("#version = :expected")
            .update_expression(match value {
                Some(_) => "SET #version = :next, #changed = :changed",
                None => "SET #version = :next REMOVE #changed",
            })
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#changed", name)
            .expression_attribute_values(":expected", items::number(expected_version))
            .expression_attribute_values(":next", items::number(expected_version.saturating_add(1)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match value {
            Some(value) => update.expression_attribute_values(":changed", value),
            None => update,
        }
        .build()?)
    }

    /// Invites an address. A new invitation to the same tenant replaces the old.
    pub async fn invite(&self, invitation: &NewInvitation<'_>) -> Result<(), Error> {
        let NewInvitation { tenant, email, roles, invited_by, created_at, expires_at } = invitation;
        let mut item = Item::from([
            ("pk".to_owned(), items::text(items::invitations_key(tenant))),
            ("sk".to_owned(), items::text(email.as_str())),
            ("subject".to_owned(), items::text(items::address_key(email))),
            ("tenant".to_owned(), items::text(tenant.as_str())),
            ("invited_by".to_owned(), items::text(invited_by.as_str())),
            ("created_at".to_owned(), items::number(*created_at)),
            ("expires_at".to_owned(), items::number(*expires_at)),
        ]);
        item.extend(items::role_set(roles).map(|roles| ("roles".to_owned(), roles)));
        self.client.send(PutItemInput::builder().table_name(&self.table).set_item(Some(item)).build()).await?;
        Ok(())
    }
}

fn says(item: &Item, version: u64, change: MemberChange<'_>) -> bool {
    items::read_member(item).is_ok_and(|member| {
        let same = match change {
            MemberChange::Roles(roles) => member.membership.roles == *roles,
            MemberChange::Status(status) => member.membership.status == status,
        };
        same && member.version == version
    })
}

fn membership_key(tenant: &TenantId, subject: &Subject) -> Item {
    Item::from([
        ("pk".to_owned(), items::text(items::members_key(tenant))),
        ("sk".to_owned(), items::text(subject.as_str())),
    ])
}
