//! Provisioning's one transaction: all of a plan, or nothing of it.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem};
use shared::address::EmailAddress;
use shared::provisioning::{Invitation, MOST_WRITES, Plan};
use shared::tenants::Membership;
use shell::aws::SdkError;

use crate::arrivals::Brought;
use crate::items::{self, Item};
use crate::{Directory, Error, Subject};

/// A plan with what it was made from.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) plan: &'a Plan,
    /// As read; the plan names the taken ones by their tenants.
    pub(crate) invitations: &'a [Invitation],
    /// As read; the plan says whether it is taken.
    pub(crate) brought: Option<&'a Brought>,
    pub(crate) now: u64,
}

/// How the transaction ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// All was written; these memberships are new.
    Done(Vec<Membership>),
    /// The profile stands: someone else did all this before.
    AlreadyThere,
    /// What the plan was made from is gone or was changed in the meantime: these
    /// invitations, or what the user brought along.
    Outdated(Vec<Invitation>),
}

/// Calls of one transaction that others got in the way of.
const ATTEMPTS: u32 = 6;

/// One part of the transaction, and what to do when its condition fails.
#[derive(Clone, Debug)]
enum Part {
    Profile,
    Membership(Membership),
    Invitation(Invitation),
    Arrival(Brought),
}

/// What a cancelled transaction means.
#[derive(Debug, PartialEq, Eq)]
enum Cancelled {
    /// The parts at these positions did not find what they relied on.
    Conditions(Vec<usize>),
    /// Others wrote at the same time, or the table is busy.
    Busy,
    /// Nothing that trying again could mend.
    Final,
}

impl Directory {
    /// Writes a plan, once however often it is called.
    ///
    /// A membership that stands already is left as it is: it may be suspended,
    /// and whoever wrote it knew more than a plan does.
    pub(crate) async fn write(&self, write: &Write<'_>) -> Result<Written, Error> {
        let mut parts = parts(write);
        for attempt in 0..ATTEMPTS {
            let failed = match self.attempt(write, &parts).await? {
                None => return Ok(Written::Done(memberships(parts))),
                Some(Cancelled::Conditions(failed)) => failed,
                Some(_) => {
                    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
                    continue;
                }
            };
            let failed_parts: Vec<&Part> = failed.iter().filter_map(|index| parts.get(*index)).collect();
            if failed_parts.iter().any(|part| matches!(part, Part::Profile)) {
                return Ok(Written::AlreadyThere);
            }
            if failed_parts.iter().any(|part| matches!(part, Part::Invitation(_) | Part::Arrival(_))) {
                let gone = failed_parts.into_iter().filter_map(Part::invitation).cloned().collect();
                return Ok(Written::Outdated(gone));
            }
            let mut index = 0..;
            parts.retain(|_| index.next().is_none_or(|index| !failed.contains(&index)));
        }
        Err(Error::Contended)
    }

    /// One call; `None` means that everything was written.
    async fn attempt(&self, write: &Write<'_>, parts: &[Part]) -> Result<Option<Cancelled>, Error> {
        if parts.len() > MOST_WRITES {
            return Err(Error::TooManyItems);
        }
        let items = parts.iter().map(|part| self.item(write, part)).collect::<Result<Vec<_>, Error>>()?;
        let error = match self.transact(items).await {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        let cancelled = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                classify(cancelled.cancellation_reasons())
            }
            _ => Cancelled::Final,
        };
        if cancelled == Cancelled::Final { Err(error.into()) } else { Ok(Some(cancelled)) }
    }

    /// All of it or nothing.
    ///
    /// A token goes with the call, so that a repetition after a lost answer is
    /// answered as the first was.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken>
    pub(crate) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError>> {
        let input = TransactWriteItemsInput::builder().set_transact_items(Some(items));
        self.client.send(input.client_request_token(shell::aws::token()).build()).await
    }

    fn item(&self, write: &Write<'_>, part: &Part) -> Result<TransactWriteItem, Error> {
        let email = write.plan.email.as_ref();
        Ok(match part {
            Part::Profile => self.put_new(items::profile_item(write.subject, email, write.now))?,
            Part::Membership(membership) => {
                self.put_new(items::membership_item(write.subject, membership, email, write.now))?
            }
            Part::Invitation(invitation) => self.take(invitation, email)?,
            Part::Arrival(brought) => TransactWriteItem::builder().delete(self.take_arrival(brought)?).build(),
        })
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Deletes an invitation if it still says what the plan was made from.
    fn take(&self, invitation: &Invitation, email: Option<&EmailAddress>) -> Result<TransactWriteItem, Error> {
        let address = email.ok_or(crate::Corrupt { kind: "invitation", attribute: "sk" })?;
        let roles = items::role_set(&invitation.roles);
        let condition = match roles {
            Some(_) => "#expires = :expires AND #roles = :roles",
            None => "#expires = :expires AND attribute_not_exists(#roles)",
        };
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", items::text(items::invitations_key(&invitation.tenant)))
            .key("sk", items::text(address.as_str()))
            .condition_expression(condition)
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_names("#roles", "roles")
            .expression_attribute_values(":expires", items::number(invitation.expires_at));
        if let Some(roles) = roles {
            delete = delete.expression_attribute_values(":roles", roles);
        }
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }
}

impl Part {
    fn invitation(&self) -> Option<&Invitation> {
        match self {
            Self::Invitation(invitation) => Some(invitation),
            Self::Profile | Self::Membership(_) | Self::Arrival(_) => None,
        }
    }
}

fn parts(write: &Write<'_>) -> Vec<Part> {
    let taken = |invitation: &&Invitation| write.plan.taken_invitations.contains(&invitation.tenant);
    let memberships = write.plan.memberships.iter().cloned().map(Part::Membership);
    let invitations = write.invitations.iter().filter(taken).cloned().map(Part::Invitation);
    let arrival = write.brought.filter(|_| write.plan.takes_arrival).cloned().map(Part::Arrival);
    std::iter::once(Part::Profile).chain(memberships).chain(invitations).chain(arrival).collect()
}

fn memberships(parts: Vec<Part>) -> Vec<Membership> {
    let membership = |part| match part {
        Part::Membership(membership) => Some(membership),
        Part::Profile | Part::Invitation(_) | Part::Arrival(_) => None,
    };
    parts.into_iter().filter_map(membership).collect()
}

/// The reasons stand in the order of the parts.
fn classify(reasons: &[CancellationReason]) -> Cancelled {
    let codes = || reasons.iter().map(|reason| reason.code().unwrap_or("None"));
    let passing = |code| matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded");
    let known = |code| matches!(code, "None" | "ConditionalCheckFailed") || passing(code);
    let failed: Vec<usize> =
        codes().enumerate().filter(|(_, code)| *code == "ConditionalCheckFailed").map(|(index, _)| index).collect();
    if !codes().all(known) {
        Cancelled::Final
    } else if !failed.is_empty() {
        Cancelled::Conditions(failed)
    } else if codes().any(passing) {
        Cancelled::Busy
    } else {
        Cancelled::Final
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transaction_says_what_to_do() {
        use Cancelled::{Busy, Conditions, Final};
        let table: [(&[&str], Cancelled); 9] = [
            (&["ConditionalCheckFailed", "None"], Conditions(vec![0])),
            (&["None", "ConditionalCheckFailed", "ConditionalCheckFailed"], Conditions(vec![1, 2])),
            (&["ConditionalCheckFailed", "TransactionConflict"], Conditions(vec![0])),
            (&["None", "TransactionConflict"], Busy),
            (&["ThrottlingError"], Busy),
            (&["ProvisionedThroughputExceeded", "None"], Busy),
            (&["ValidationError", "ConditionalCheckFailed"], Final),
            (&["ItemCollectionSizeLimitExceeded"], Final),
            (&[], Final),
        ];
        for (codes, expected) in table {
            let reasons: Vec<_> = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
            assert_eq!(classify(&reasons), expected, "{codes:?}");
        }
    }

    mod against_a_database {
        use std::collections::BTreeSet;

        use shared::names::{RoleName, TenantId};
        use shared::tenants::Status;

        use super::*;
        use crate::NewInvitation;
        use crate::testing::Database;

        const NOW: u64 = 1_800_000_000;

        fn invitation(role: &str, expires_at: u64) -> Invitation {
            let roles = BTreeSet::from([RoleName::parse(role).unwrap()]);
            Invitation { tenant: TenantId::parse("beta").unwrap(), roles, expires_at }
        }

        /// Writes a plan that was made from `read`, while the table holds `stands`.
        async fn write(read: &Invitation, stands: Option<&Invitation>) -> (Written, usize) {
            let database = Database::start().await.unwrap();
            let directory = database.directory();
            let address = EmailAddress::parse("ann@beta.example").unwrap();
            let subject = Subject::parse("ann").unwrap();
            if let Some(Invitation { tenant, roles, expires_at }) = stands {
                let (created_at, expires_at) = (NOW, *expires_at);
                let new =
                    NewInvitation { tenant, email: &address, roles, invited_by: &subject, created_at, expires_at };
                directory.invite(&new).await.unwrap();
            }
            let membership =
                Membership { tenant: read.tenant.clone(), roles: read.roles.clone(), status: Status::Active };
            let plan = Plan {
                memberships: vec![membership],
                taken_invitations: vec![read.tenant.clone()],
                email: Some(address),
                ..Plan::default()
            };
            let invitations = std::slice::from_ref(read);
            let write = Write { subject: &subject, plan: &plan, invitations, brought: None, now: NOW };
            let written = directory.write(&write).await.unwrap();
            (written, database.items().await.unwrap().len())
        }

        #[tokio::test]
        async fn an_invitation_is_taken_only_as_it_was_read() {
            let read = invitation("admin", NOW + 9);
            let table = [
                ("it stands", Some(read.clone()), true),
                ("it is gone", None, false),
                ("it was renewed", Some(invitation("admin", NOW + 10)), false),
                ("its roles were changed", Some(invitation("member", NOW + 9)), false),
            ];
            for (name, stands, taken) in table {
                let (written, items) = write(&read, stands.as_ref()).await;
                match written {
                    Written::Done(memberships) => assert!(taken && memberships.len() == 1 && items == 2, "{name}"),
                    Written::Outdated(gone) => {
                        assert!(!taken, "{name}");
                        assert_eq!(gone, std::slice::from_ref(&read), "{name}");
                        assert_eq!(items, usize::from(stands.is_some()), "{name}: nothing was written");
                    }
                    Written::AlreadyThere => panic!("{name}: there was no profile"),
                }
            }
        }

        #[tokio::test]
        async fn a_plan_that_no_transaction_can_hold_is_refused_before_the_call() {
            let database = Database::start().await.unwrap();
            let memberships = (0..100).map(|number| Membership {
                tenant: TenantId::parse(&format!("t{number}")).unwrap(),
                roles: BTreeSet::new(),
                status: Status::Active,
            });
            let plan = Plan { memberships: memberships.collect(), ..Plan::default() };
            let subject = Subject::parse("ann").unwrap();
            let write = Write { subject: &subject, plan: &plan, invitations: &[], brought: None, now: NOW };
            let error = database.directory().write(&write).await.unwrap_err();
            assert_eq!(error.code(), "DirectoryTooManyItems");
            assert!(database.items().await.unwrap().is_empty());
        }
    }
}
