//! What holds for all rules, checked or not, and for all requests.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// Written out again, so that a name lost from the code is missed here.
const RESERVED: [&str; 24] = [
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "client_id",
    "cognito:groups",
    "cognito:roles",
    "dev:x",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];

const FREE: [&str; 9] =
    ["tenant", "roles", "custom:tenant", "custom:roles", "plan", "custom:plan", "email", "address", "aud"];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(FREE.as_slice()), 1 => select(RESERVED.as_slice())].prop_map(str::to_owned)
}

fn word() -> impl Strategy<Value = String> {
    select(["x", "web", "long-long-long-long-long", "\"quoted\"", ""].as_slice()).prop_map(str::to_owned)
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        3 => select([Membership::Tenant, Membership::Roles, Membership::Tenants].as_slice()).prop_map(Source::Membership),
        1 => Just(Source::Groups(true)),
        2 => select(["custom:tenant", "custom:plan", "email"].as_slice()).prop_map(|name| Source::Attribute(name.to_owned())),
        1 => word().prop_map(|text| Source::Constant(Constant::Text(text))),
        1 => any::<i64>().prop_map(|number| Source::Constant(Constant::Integer(number))),
        1 => any::<f64>().prop_map(|number| Source::Constant(Constant::Number(number))),
        1 => vec(word(), 0..3).prop_map(Source::List),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let group = option::of(select(["acme:admin", "globex:admin", "beta"].as_slice()).prop_map(str::to_owned));
    let client = option::of(select(["web", "machine"].as_slice()).prop_map(str::to_owned));
    let tenant = option::of(Just(TenantId::parse("acme").unwrap()));
    let role = option::of(Just(RoleName::parse("admin").unwrap()));
    (group, client, tenant, role).prop_map(|(group, client, tenant, role)| Condition {
        group,
        client,
        tenant,
        role,
        source: None,
    })
}

fn entry() -> impl Strategy<Value = ClaimEntry> {
    let tokens = select([Tokens::Id, Tokens::Access, Tokens::Both].as_slice());
    let format = option::of(select([Format::List, Format::Text].as_slice()));
    (name(), tokens, source(), format, option::of(0_u32..4), option::of(condition())).prop_map(
        |(name, token, from, format, priority, when)| ClaimEntry { name, token, from, format, priority, when },
    )
}

fn scope_entry() -> impl Strategy<Value = ScopeEntry> {
    let scopes =
        || subsequence(vec!["items/read", "items/write", "openid", "with blank", ""], 0..3).prop_map(|s| texts(&s));
    (scopes(), scopes(), condition()).prop_map(|(add, suppress, condition)| ScopeEntry {
        add,
        suppress,
        group: condition.group,
        client: condition.client,
        role: condition.role,
    })
}

prop_compose! {
    fn any_rules()(
        token_version in select([EventVersion::V1, EventVersion::V2, EventVersion::V3].as_slice()),
        groups in select([GroupRule::Keep, GroupRule::ActiveTenant].as_slice()),
        without_directory in
            select([WithoutDirectory::IssueWithoutRights, WithoutDirectory::Refuse].as_slice()),
        id in 0_u32..200,
        access in 0_u32..200,
        suppressed_id in vec(name(), 0..3),
        suppressed_access in vec(name(), 0..3),
        map in vec(entry(), 0..8),
        scopes in vec(scope_entry(), 0..4),
    ) -> ClaimRules {
        let suppress = Suppressed { id: suppressed_id, access: suppressed_access };
        let budget_bytes = Budget { id, access };
        ClaimRules { token_version, groups, without_directory, budget_bytes, suppress, map, scopes }
    }
}

#[derive(Debug)]
struct AnyRequest {
    version: EventVersion,
    client_id: Option<&'static str>,
    attributes: Attributes,
    groups: Vec<String>,
    joined: Vec<String>,
    scopes: Vec<String>,
    machine: bool,
    tenancy: Tenancy,
}

impl AnyRequest {
    fn request(&self) -> Request<'_> {
        Request {
            version: self.version,
            source: "TokenGeneration_Authentication",
            client_id: self.client_id,
            attributes: &self.attributes,
            groups: &self.groups,
            joined: &self.joined,
            iam_roles: &[],
            preferred_role: None,
            scopes: &self.scopes,
            machine: self.machine,
            tenancy: &self.tenancy,
        }
    }
}

prop_compose! {
    fn any_request()(
        version in select([EventVersion::V1, EventVersion::V2, EventVersion::V3].as_slice()),
        client_id in option::of(select(["web", "machine"].as_slice())),
        attributes in subsequence(
            vec![("custom:tenant", "forged"), ("custom:roles", "forged"), ("custom:plan", "gold"), ("email", "a@b.example")],
            0..=4,
        ),
        groups in subsequence(vec!["acme:admin", "globex:admin", "beta", "gamma"], 0..=4),
        joined in subsequence(vec!["acme:member", "globex:admin", "delta"], 0..=3),
        scopes in subsequence(vec!["openid", "items/read", "admin/everything"], 0..=3),
        machine in any::<bool>(),
        active in option::of(Just("acme")),
        roles in subsequence(vec!["admin", "member"], 0..=2),
        reason in select([Reason::OnlyMembership, Reason::DirectoryUnread].as_slice()),
    ) -> AnyRequest {
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut tenancy = active.map_or_else(|| Tenancy::none(reason), |tenant| acts_in(tenant, &roles));
        tenancy.reason = reason;
        AnyRequest {
            version, client_id, attributes, machine, tenancy,
            groups: texts(&groups), joined: texts(&joined), scopes: texts(&scopes),
        }
    }
}

/// What the pool then signs into the ID token of a person.
fn signed_id(attributes: &Attributes, edit: &TokenEdit) -> BTreeMap<String, Value> {
    let own = attributes.names().filter_map(|name| Some((name.to_owned(), Value::from(attributes.get(name)?))));
    let mut claims: BTreeMap<String, Value> = own.collect();
    claims.extend(edit.add.clone());
    claims.retain(|name, _| !edit.suppress.contains(name));
    claims
}

proptest! {
    #[test]
    fn the_same_question_has_the_same_answer(rules in any_rules(), request in any_request()) {
        let roles = RoleRules::default();
        let first = decide(&rules, &roles, request.request());
        prop_assert_eq!(format!("{first:?}"), format!("{:?}", decide(&rules.clone(), &roles, request.request())));
    }

    #[test]
    fn no_edit_breaks_a_rule_of_cognito(rules in any_rules(), request in any_request()) {
        let Decision::Issue(edits) = decide(&rules, &RoleRules::default(), request.request()) else { return Ok(()) };
        for (kind, edit) in [(TokenKind::Id, &edits.id), (TokenKind::Access, &edits.access)] {
            // Suppression wins, so a name is on one side only.
            prop_assert!(edit.suppress.iter().all(|name| !edit.add.contains_key(name)));
            prop_assert!(rules.suppress.of(kind).iter().all(|name| !edit.add.contains_key(name)));
            for reserved in RESERVED {
                prop_assert!(!edit.add.contains_key(reserved), "{reserved}");
                prop_assert!(reserved == "dev:x" || edit.suppress.iter().all(|name| name != reserved), "{reserved}");
            }
            if let Some(audience) = edit.add.get("aud") {
                prop_assert_eq!(kind, TokenKind::Access);
                prop_assert_eq!(audience.as_str(), request.client_id);
            }
            if request.version == EventVersion::V1 {
                prop_assert!(edit.add.values().all(Value::is_string));
                prop_assert!(kind == TokenKind::Id || *edit == TokenEdit::default());
            }
            // `{` and `}` for one trailing comma.
            prop_assert!(edit.add.is_empty() || json(edit).len() <= rules.budget_bytes.of(kind) + 1);
        }
        prop_assert!(edits.id.add.get("address").is_none_or(|value| !value.is_array()));
    }

    /// An explanation that differs from the decision would be worse than none.
    #[test]
    fn a_trace_says_what_the_decision_does(rules in any_rules(), request in any_request()) {
        let roles = RoleRules::default();
        let trace = trace(&rules, &roles, request.request());
        let Decision::Issue(edits) = decide(&rules, &roles, request.request()) else { return Ok(()) };
        for (kind, edit) in [(TokenKind::Id, &edits.id), (TokenKind::Access, &edits.access)] {
            let added: BTreeMap<String, Value> = trace.entries.iter().filter_map(|(index, token, outcome)| {
                match outcome {
                    EntryOutcome::Added(value) if *token == kind => {
                        Some((rules.map[*index].name.clone(), value.clone()))
                    }
                    _ => None,
                }
            }).collect();
            prop_assert_eq!(&added, &edit.add);
        }
        let dropped = trace.entries.iter().filter(|(_, _, outcome)| matches!(outcome, EntryOutcome::Dropped(_)));
        prop_assert_eq!(dropped.count(), edits.dropped.len());
        let asked: usize = rules.map.iter().map(|entry| if entry.token == Tokens::Both { 2 } else { 1 }).sum();
        prop_assert_eq!((trace.entries.len(), trace.scopes.len()), (asked, rules.scopes.len()));
        let holds = |index: &usize| trace.scopes[*index] == ScopeOutcome::Holds;
        let adds: BTreeSet<&String> =
            (0..rules.scopes.len()).filter(holds).flat_map(|index| &rules.scopes[index].add).collect();
        prop_assert!(edits.access.scopes_add.iter().all(|scope| adds.contains(scope)));
    }

    #[test]
    fn scopes_come_from_the_table_and_are_words(rules in any_rules(), request in any_request()) {
        let Decision::Issue(edits) = decide(&rules, &RoleRules::default(), request.request()) else { return Ok(()) };
        let table: BTreeSet<&String> = rules.scopes.iter().flat_map(|entry| &entry.add).collect();
        for scope in &edits.access.scopes_add {
            prop_assert!(table.contains(scope) && !scope.is_empty() && !scope.contains(' '));
            prop_assert!(!edits.access.scopes_suppress.contains(scope) && !request.scopes.contains(scope));
        }
        prop_assert!(edits.id.scopes_add.is_empty() && edits.id.scopes_suppress.is_empty());
    }

    #[test]
    fn doubt_and_machines_carry_no_membership(rules in any_rules(), request in any_request()) {
        let Decision::Issue(edits) = decide(&rules, &RoleRules::default(), request.request()) else { return Ok(()) };
        if request.machine || request.tenancy.reason == Reason::DirectoryUnread {
            for edit in [&edits.id, &edits.access] {
                prop_assert!(!json(edit).contains("acme") && !json(edit).contains("member"), "{}", json(edit));
            }
        }
        if request.machine {
            prop_assert_eq!(&edits.id, &TokenEdit::default());
            prop_assert_eq!(&edits.groups, &GroupEdit::Keep);
            for personal in ["forged", "gold", "a@b.example", "beta"] {
                prop_assert!(!json(&edits.access).contains(personal));
            }
        }
    }

    #[test]
    fn a_replacement_of_groups_adds_only_what_was_joined(rules in any_rules(), request in any_request()) {
        let Decision::Issue(edits) = decide(&rules, &RoleRules::default(), request.request()) else { return Ok(()) };
        if let GroupEdit::Replace { groups, iam_roles, preferred_role } = edits.groups {
            let known = |group| request.groups.contains(group) || request.joined.contains(group);
            prop_assert!(groups.iter().all(known));
            let kept = |group: &String| groups.contains(group);
            prop_assert!(rules.groups == GroupRule::ActiveTenant || request.groups.iter().chain(&request.joined).all(kept));
            prop_assert!(groups != request.groups && !request.machine);
            prop_assert!(iam_roles.is_empty() && preferred_role.is_none());
        }
    }

    /// For rules that were read without a contradiction about names.
    #[test]
    fn a_user_cannot_write_what_is_read_as_his_tenant(mut rules in any_rules(), request in any_request()) {
        let taken: BTreeMap<String, Source> = rules
            .map
            .iter()
            .filter(|entry| matches!(entry.from, Source::Membership(_)))
            .map(|entry| (entry.name.clone(), entry.from.clone()))
            .collect();
        rules.map.retain(|entry| taken.get(&entry.name).is_none_or(|from| *from == entry.from));
        prop_assume!(!request.machine);
        let Decision::Issue(edits) = decide(&rules, &RoleRules::default(), request.request()) else { return Ok(()) };
        let signed = signed_id(&request.attributes, &edits.id);
        for (name, from) in &taken {
            if let Some(value) = signed.get(name) {
                prop_assert!(!value.to_string().contains("forged"), "{name} from {from:?}: {value}");
            }
        }
    }
}
