//! Whether an administrator of a tenant may make a change there.
//!
//! That the caller is an administrator is the routes' question, answered before.
//! Here is what a token cannot answer: it says what was true when it was issued,
//! up to an hour ago.

use std::collections::BTreeSet;

use crate::names::{RoleName, Subject};
use crate::tenants::{Membership, Status, TenantRules, TenantSource};

/// A change that somebody asks for in his own tenant.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The `sub` of whoever asks.
    pub actor: &'a Subject,
    /// The roles that the actor's token carries.
    pub roles: &'a BTreeSet<RoleName>,
    /// What is to be changed.
    pub change: Change<'a>,
}

/// What is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The roles of the member with this `sub`.
    RolesOf(&'a Subject),
    /// Whether the membership of the member with this `sub` is in force.
    StatusOf(&'a Subject),
    /// The sessions of the member with this `sub` in the tenant are ended.
    SessionsOf(&'a Subject),
    /// Someone is invited.
    Invitation,
}

/// What must be known before the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactsNeeded {
    /// Nothing.
    Nothing,
    /// The actor's own membership, as it stands now.
    OwnMembership,
}

/// Whether the change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is.
    Accept,
    /// It is not.
    Refuse(Refusal),
}

/// Why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The actor would change his own roles, or keep himself out.
    OwnRoles,
    /// The token says more than the directory does by now.
    RightsChanged,
}

/// Says which facts [`decide`] needs.
pub fn facts_needed(rules: &TenantRules, request: Request<'_>) -> FactsNeeded {
    match rules.source {
        _ if is_about_self(request) => FactsNeeded::Nothing,
        TenantSource::Groups => FactsNeeded::Nothing,
        TenantSource::Directory | TenantSource::Both => FactsNeeded::OwnMembership,
    }
}

/// Decides whether the change is made. `membership` is the actor's own.
///
/// Nobody changes his own roles or the status of his own membership. So an
/// administrator can neither raise himself nor leave the tenant without one:
/// whoever takes a role away still has his own. His sessions he may end.
///
/// A token outlives the rights it speaks of. If the directory alone gives roles,
/// the actor must still have there every role of his token; otherwise one who
/// was just removed could go on inviting his friends until his token ends. If
/// groups give roles too, the directory cannot tell a lost role from one that a
/// group gave: then only a suspension shows.
pub fn decide(rules: &TenantRules, request: Request<'_>, membership: Option<&Membership>) -> Decision {
    if is_about_self(request) {
        return Decision::Refuse(Refusal::OwnRoles);
    }
    let stands = match (rules.source, membership) {
        (TenantSource::Groups, _) | (TenantSource::Both, None) => true,
        (TenantSource::Both, Some(membership)) => membership.status == Status::Active,
        (TenantSource::Directory, None) => false,
        (TenantSource::Directory, Some(membership)) => {
            membership.status == Status::Active && request.roles.is_subset(&membership.roles)
        }
    };
    if stands { Decision::Accept } else { Decision::Refuse(Refusal::RightsChanged) }
}

fn is_about_self(request: Request<'_>) -> bool {
    matches!(request.change, Change::RolesOf(subject) | Change::StatusOf(subject) if subject == request.actor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::TenantId;
    use Change::{Invitation, RolesOf, SessionsOf, StatusOf};
    use Decision::{Accept, Refuse};
    use FactsNeeded::{Nothing, OwnMembership};
    use Refusal::{OwnRoles, RightsChanged};
    use Status::{Active, Suspended};
    use TenantSource::{Both, Directory, Groups};

    fn roles(names: &[&str]) -> BTreeSet<RoleName> {
        names.iter().map(|name| RoleName::parse(name).unwrap()).collect()
    }

    fn subject(text: &str) -> Subject {
        Subject::parse(text).unwrap()
    }

    #[test]
    fn a_change_is_made_by_someone_else_with_present_rights() {
        let [ann, upper, bob] = ["ann", "Ann", "bob"].map(subject);
        type Row<'a> = (TenantSource, Change<'a>, Option<(&'static [&'static str], Status)>, Decision);
        let both: &[&str] = &["admin", "member"];
        let table: [Row<'_>; 24] = [
            (Directory, RolesOf(&bob), Some((both, Active)), Accept),
            (Directory, RolesOf(&bob), Some((&["admin", "member", "more"], Active)), Accept),
            (Directory, RolesOf(&bob), Some((&["member"], Active)), Refuse(RightsChanged)),
            (Directory, RolesOf(&bob), Some((&[], Active)), Refuse(RightsChanged)),
            (Directory, RolesOf(&bob), Some((both, Suspended)), Refuse(RightsChanged)),
            (Directory, RolesOf(&bob), None, Refuse(RightsChanged)),
            (Directory, RolesOf(&ann), Some((both, Active)), Refuse(OwnRoles)),
            (Directory, RolesOf(&upper), Some((both, Active)), Accept),
            (Directory, StatusOf(&bob), Some((both, Active)), Accept),
            (Directory, StatusOf(&ann), Some((both, Active)), Refuse(OwnRoles)),
            (Directory, SessionsOf(&bob), Some((both, Active)), Accept),
            (Directory, SessionsOf(&ann), Some((both, Active)), Accept),
            (Directory, SessionsOf(&bob), Some((both, Suspended)), Refuse(RightsChanged)),
            (Directory, Invitation, Some((both, Active)), Accept),
            (Directory, Invitation, Some((&["member"], Active)), Refuse(RightsChanged)),
            (Directory, Invitation, None, Refuse(RightsChanged)),
            (Both, Invitation, None, Accept),
            (Both, Invitation, Some((&["member"], Active)), Accept),
            (Both, Invitation, Some((both, Suspended)), Refuse(RightsChanged)),
            (Both, RolesOf(&ann), None, Refuse(OwnRoles)),
            (Groups, Invitation, None, Accept),
            (Groups, RolesOf(&bob), None, Accept),
            (Groups, RolesOf(&bob), Some((&[], Suspended)), Accept),
            (Groups, RolesOf(&ann), None, Refuse(OwnRoles)),
        ];
        for (source, change, own, expected) in table {
            let rules = TenantRules { source, placements: vec![] };
            let membership = own.map(|(names, status)| Membership {
                tenant: TenantId::parse("acme").unwrap(),
                roles: roles(names),
                status,
            });
            let request = Request { actor: &ann, roles: &roles(both), change };
            let decision = decide(&rules, request, membership.as_ref());
            assert_eq!(decision, expected, "{source:?} {change:?} {own:?}");
        }
    }

    #[test]
    fn the_own_membership_is_read_only_where_it_decides() {
        let [ann, bob] = ["ann", "bob"].map(subject);
        let table = [
            (Directory, RolesOf(&bob), OwnMembership),
            (Directory, Invitation, OwnMembership),
            (Both, Invitation, OwnMembership),
            (Groups, Invitation, Nothing),
            (Directory, RolesOf(&ann), Nothing),
        ];
        for (source, change, expected) in table {
            let rules = TenantRules { source, placements: vec![] };
            let request = Request { actor: &ann, roles: &roles(&["admin"]), change };
            assert_eq!(facts_needed(&rules, request), expected, "{source:?} {change:?}");
        }
    }
}
