//! Which groups, and which of their IAM roles, the tokens keep.

use super::{GroupEdit, GroupRule, Request};
use crate::names::tenant_group;
use crate::roles::{Group, preferred};

/// Adds the groups that the pool's own answer does not show yet, and removes
/// those of other tenants where the rules say so.
///
/// IAM roles are only ever taken away: one stays if the pool gave it and, where
/// a group goes, the rules know a group that stays and carries it. The role of a
/// group just joined comes with the next token, from the pool. When nothing
/// changes, nothing is written, and the pool's own answer stands: what is
/// written replaces it in both tokens, roles included.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#cognito-user-pools-lambda-trigger-syntax-pre-token-generation-response>
pub(super) fn edit(rule: GroupRule, known: &[Group], request: &Request<'_>) -> GroupEdit {
    let stays = |group: &&String| rule == GroupRule::Keep || stays(group, request);
    let joined = request.joined.iter().filter(|group| !request.groups.contains(group)).filter(stays);
    let groups: Vec<String> = request.groups.iter().filter(stays).chain(joined).cloned().collect();
    if request.machine || groups == request.groups {
        return GroupEdit::Keep;
    }
    if request.groups.iter().all(|group| stays(&group)) {
        let preferred_role = request.preferred_role.map(str::to_owned);
        return GroupEdit::Replace { groups, iam_roles: request.iam_roles.to_vec(), preferred_role };
    }
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
