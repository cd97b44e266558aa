//! The routes, and what callers may request by them.

use std::sync::{Arc, Mutex, PoisonError};

use shared::policy::{MethodArn, Policy, Reach};
use shared::routes::{Caller, RouteTable};

/// How many kinds of callers are remembered: most of a tenant's users have the
/// same rights. Each takes at most the 7 KB of a document.
const REMEMBERED: usize = 16;

/// The route table, and what was worked out from it.
#[derive(Debug)]
pub struct Routes {
    table: RouteTable,
    /// The latest first.
    known: Mutex<Vec<Known>>,
}

/// What callers like one who was here may request.
#[derive(Debug)]
struct Known {
    /// The API and stage.
    api: String,
    caller: Caller,
    reach: Arc<Reach>,
}

impl Routes {
    /// Nothing is worked out yet.
    pub fn new(table: RouteTable) -> Self {
        Self { table, known: Mutex::default() }
    }

    /// The table alone.
    pub fn table(&self) -> &RouteTable {
        &self.table
    }

    /// The policy for everything that this caller may request before `until`
    /// (seconds since 1970); the same as [`shared::policy::document`].
    pub fn policy(&self, caller: &Caller, request: &MethodArn<'_>, until: u64) -> Policy {
        Policy::within(self.reach(caller, request), &self.table, caller, request, until)
    }

    fn reach(&self, caller: &Caller, request: &MethodArn<'_>) -> Arc<Reach> {
        // A panic in between leaves the list as it was.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.iter().position(|one| one.is_of(caller, request)) {
            if let Some(found) = known.get_mut(..=place) {
                found.rotate_right(1);
            }
        } else {
            let reach = Arc::new(Reach::of(&self.table, caller, request));
            // Who he is does not matter, and is not kept.
            let caller = Caller { subject: String::new(), ..caller.clone() };
            known.truncate(REMEMBERED - 1);
            known.insert(0, Known { api: request.api_and_stage().to_owned(), caller, reach });
        }
        known.first().map(|one| Arc::clone(&one.reach)).unwrap_or_default()
    }
}

impl Known {
    fn is_of(&self, caller: &Caller, request: &MethodArn<'_>) -> bool {
        self.api == request.api_and_stage() && self.caller.is_like(caller)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shared::claims::TokenKind;
    use shared::names::{RoleName, TenantId};
    use shared::policy::document;
    use shared::rules::Rules;

    use super::*;

    fn caller(subject: &str, tenant: &str, role: &str) -> Caller {
        Caller {
            subject: subject.to_owned(),
            issuer: None,
            kind: TokenKind::Access,
            machine: false,
            tenant: TenantId::parse(tenant),
            roles: RoleName::parse(role).into_iter().collect(),
            groups: BTreeSet::new(),
            scopes: BTreeSet::new(),
        }
    }

    #[test]
    fn what_is_remembered_changes_no_answer() {
        let rules = Rules::read(include_str!("../../../rules/rules.toml")).expect("the rules that ship");
        let routes = Routes::new(rules.routes);
        let arn =
            |stage: &str, request: &str| format!("arn:aws:execute-api:eu-west-1:123456789012:abc/{stage}/{request}");
        let mut asked = 0;
        for round in 0..3 {
            for tenant in 0..REMEMBERED {
                for (subject, role) in [("ann", "member"), ("bob", "admin"), ("cid", "member")] {
                    let caller = caller(subject, &format!("tenant-{}", tenant / (round + 1)), role);
                    for request in ["GET/items", "GET/admin/members", "DELETE/items/1", "GET/none"] {
                        let arn = arn(if tenant % 2 == 0 { "prod" } else { "beta" }, request);
                        let request = MethodArn::parse(&arn).expect("an ARN");
                        let expected = document(routes.table(), &caller, &request, 1_800_000_000);
                        assert_eq!(routes.policy(&caller, &request, 1_800_000_000), expected, "{arn}");
                        asked += 1;
                    }
                }
            }
        }
        let known = routes.known.lock().expect("nobody panicked with it");
        assert!(known.len() <= REMEMBERED && asked > 10 * known.len(), "{}", known.len());
        assert!(known.iter().all(|one| one.caller.subject.is_empty()), "nobody is remembered");
    }

    #[test]
    fn the_most_recent_callers_are_remembered() {
        let rules = Rules::read(include_str!("../../../rules/rules.toml")).expect("the rules that ship");
        let routes = Routes::new(rules.routes);
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/items";
        let request = MethodArn::parse(arn).expect("an ARN");
        let reach = |tenant: usize| routes.reach(&caller("ann", &format!("tenant-{tenant}"), "member"), &request);
        let first = reach(0);
        for tenant in 1..REMEMBERED {
            reach(tenant);
            assert!(Arc::ptr_eq(&first, &reach(0)), "used again after each");
        }
        reach(REMEMBERED);
        assert!(Arc::ptr_eq(&first, &reach(0)), "another one went");
        (1..=REMEMBERED).for_each(|tenant| drop(reach(100 + tenant)));
        assert!(!Arc::ptr_eq(&first, &reach(0)), "nobody is kept for ever");
    }
}
