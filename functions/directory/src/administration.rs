//! What the administrators of one tenant see and change.
//!
//! Every key here begins with the tenant, so a client whose credentials carry
//! the tenant as a session tag can do all of this and nothing elsewhere.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use shared::address::EmailAddress;
use shared::names::{RoleName, TenantId};

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

/// What became of a change of roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleChange {
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
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :members")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":members", items::text(items::members_key(tenant)))
            .set_exclusive_start_key(start)
            .limit(i32::from(limit.max(1)))
            .send()
            .await?;
        let members = found.items().iter().map(items::read_member).collect::<Result<Vec<_>, _>>()?;
        let more = found.last_evaluated_key().is_some();
        let next = members.last().filter(|_| more).map(|member| member.subject.clone());
        Ok(Page { members, next })
    }

    /// One member of a tenant as the table has him at this moment; `None` when
    /// there is no such member.
    pub async fn member(&self, tenant: &TenantId, subject: &Subject) -> Result<Option<Member>, Error> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(membership_key(tenant, subject)))
            .consistent_read(true)
            .send()
            .await?;
        Ok(found.item().map(items::read_member).transpose()?)
    }

    /// Gives a member exactly these roles, if nobody changed the membership
    /// since the caller read that version of it.
    pub async fn set_roles(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        roles: &BTreeSet<RoleName>,
        expected_version: u64,
    ) -> Result<RoleChange, Error> {
        let next_version = expected_version.saturating_add(1);
        let set = items::role_set(roles);
        let update = match set {
            Some(_) => "SET #version = :next, #roles = :roles",
            None => "SET #version = :next REMOVE #roles",
        };
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(membership_key(tenant, subject)))
            .condition_expression("#version = :expected")
            .update_expression(update)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#roles", "roles")
            .expression_attribute_values(":expected", items::number(expected_version))
            .expression_attribute_values(":next", items::number(next_version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(set) = set {
            call = call.expression_attribute_values(":roles", set);
        }
        let Err(error) = call.send().await else {
            return Ok(RoleChange::Done(next_version));
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                None => Ok(RoleChange::NotAMember),
                // The SDK repeats a call whose answer was lost, and then meets its own write.
                Some(item) if says(item, next_version, roles) => Ok(RoleChange::Done(next_version)),
                Some(_) => Ok(RoleChange::Outdated),
            },
            _ => Err(error.into()),
        }
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
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

fn says(item: &Item, version: u64, roles: &BTreeSet<RoleName>) -> bool {
    items::read_member(item).is_ok_and(|member| member.version == version && member.membership.roles == *roles)
}

fn membership_key(tenant: &TenantId, subject: &Subject) -> Item {
    Item::from([
        ("pk".to_owned(), items::text(items::members_key(tenant))),
        ("sk".to_owned(), items::text(subject.as_str())),
    ])
}
