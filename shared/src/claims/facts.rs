//! What conditions may look at.

use super::{Condition, GroupEdit, Request, ScopeEntry};
use crate::names::{RoleName, TenantId, tenant_group};
use crate::tenants::{Reason, Tenancy};

/// A request, reduced to what may give rights.
pub(super) struct Facts<'a> {
    pub(super) request: &'a Request<'a>,
    /// `None` for a machine, and while the directory is in doubt.
    pub(super) tenancy: Option<&'a Tenancy>,
    /// The groups that the tokens keep and that stand, in the pool's order.
    pub(super) groups: Vec<&'a str>,
}

impl<'a> Facts<'a> {
    /// A machine has no groups and no tenancy, whatever the event says.
    pub(super) fn of(request: &'a Request<'a>, groups: &'a GroupEdit) -> Self {
        if request.machine {
            return Self { request, tenancy: None, groups: Vec::new() };
        }
        let kept = match groups {
            GroupEdit::Keep => request.groups,
            GroupEdit::Replace { groups, .. } => groups,
        };
        // INVARIANT: on doubt nothing that a tenant gives is given; a
        // suspension might be what could not be read.
        let tenancy = (request.tenancy.reason != Reason::DirectoryUnread).then_some(request.tenancy);
        let mut standing: Vec<&str> = Vec::new();
        for group in kept {
            if stands(group, tenancy) && !standing.contains(&group.as_str()) {
                standing.push(group);
            }
        }
        Self { request, tenancy, groups: standing }
    }

    /// Whether everything that the condition names holds.
    pub(super) fn meet(&self, condition: &Condition) -> bool {
        self.unmet(condition).next().is_none()
    }

    /// What of the condition does not hold, by the keys of the rule file.
    pub(super) fn unmet(&self, condition: &Condition) -> impl Iterator<Item = &'static str> + use<> {
        let holds = [
            ("group", self.is_in(condition.group.as_deref())),
            ("client", self.is_for(condition.client.as_deref())),
            ("tenant", self.acts_in(condition.tenant.as_ref())),
            ("role", self.acts_as(condition.role.as_ref())),
            ("source", condition.source.as_deref().is_none_or(|source| source == self.request.source)),
        ];
        holds.into_iter().filter(|(_, holds)| !holds).map(|(key, _)| key)
    }

    /// Whether the scopes of this entry are for this token. A machine's scopes
    /// are its client's own; it gets more only where the entry names it.
    pub(super) fn meet_scopes(&self, entry: &ScopeEntry) -> bool {
        self.unmet_scopes(entry).next().is_none()
    }

    /// What the entry asks for and this token has not.
    pub(super) fn unmet_scopes(&self, entry: &ScopeEntry) -> impl Iterator<Item = &'static str> + use<> {
        let holds = [
            ("group", self.is_in(entry.group.as_deref())),
            ("client", self.is_for(entry.client.as_deref())),
            ("role", self.acts_as(entry.role.as_ref())),
        ];
        holds.into_iter().filter(|(_, holds)| !holds).map(|(key, _)| key)
    }

    /// A tenant's group gives rights in that tenant, so it counts only there.
    fn is_in(&self, group: Option<&str>) -> bool {
        let counts = |group| tenant_group(group).is_none_or(|(tenant, _)| self.acts_in(Some(&tenant)));
        group.is_none_or(|group| self.groups.contains(&group) && counts(group))
    }

    fn is_for(&self, client: Option<&str>) -> bool {
        client.is_none_or(|client| self.request.client_id == Some(client))
    }

    fn acts_in(&self, tenant: Option<&TenantId>) -> bool {
        tenant.is_none_or(|tenant| self.tenancy.is_some_and(|tenancy| tenancy.active.as_ref() == Some(tenant)))
    }

    fn acts_as(&self, role: Option<&RoleName>) -> bool {
        let has = |tenancy: &Tenancy, role| tenancy.active.is_some() && tenancy.roles.contains(role);
        role.is_none_or(|role| self.tenancy.is_some_and(|tenancy| has(tenancy, role)))
    }
}

/// A tenant's group stands only while the user's membership of it does.
fn stands(group: &str, tenancy: Option<&Tenancy>) -> bool {
    match tenant_group(group) {
        None => true,
        Some((tenant, _)) => tenancy.is_some_and(|tenancy| tenancy.tenants.contains(&tenant)),
    }
}
