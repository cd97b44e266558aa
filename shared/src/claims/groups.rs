//! Which groups, and which of their IAM roles, the tokens keep.

use super::{GroupEdit, GroupRule, Request};
use crate::names::tenant_group;
use crate::roles::{Group, preferred};

/// Removes the groups of other tenants where the rules say so.
///
/// An edit only ever takes away: an IAM role stays if the pool gave it and the
/// rules know a group that stays and carries it. When no group goes, nothing is
/// written, and the pool's own answer stands: what is written replaces it in both
/// tokens, roles included.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#cognito-user-pools-lambda-trigger-syntax-pre-token-generation-response>
pub(super) fn edit(rule: GroupRule, known: &[Group], request: &Request<'_>) -> GroupEdit {
    if request.machine || rule == GroupRule::Keep || request.groups.iter().all(|group| stays(group, request)) {
        return GroupEdit::Keep;
    }
    let groups: Vec<String> = request.groups.iter().filter(|group| stays(group, request)).cloned().collect();
    let carrying: Vec<Group> = known
        .iter()
        .filter(|group| groups.contains(&group.name))
        .filter(|group| group.role.as_ref().is_some_and(|role| request.iam_roles.contains(role)))
        .cloned()
        .collect();
    let carried = |role: &&String| carrying.iter().any(|group| group.role.as_ref() == Some(*role));
    let iam_roles = request.iam_roles.iter().filter(carried).cloned().collect();
    GroupEdit::Replace { groups, iam_roles, preferred_role: preferred(&carrying).role }
}

fn stays(group: &str, request: &Request<'_>) -> bool {
    tenant_group(group).is_none_or(|(tenant, _)| request.tenancy.active.as_ref() == Some(&tenant))
}
