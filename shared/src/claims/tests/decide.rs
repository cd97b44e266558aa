//! What a person's tokens carry.

use super::*;

const MAP: &str = r#"
token_version = "v2"
map = [
  { name = "tenant", token = "both", from = { membership = "tenant" } },
  { name = "roles", token = "both", from = { membership = "roles" } },
  { name = "tenants", token = "id", from = { membership = "tenants" } },
  { name = "plan", token = "id", from = { attribute = "custom:plan" } },
]
"#;

#[test]
fn a_membership_is_what_the_tenancy_says_and_an_absent_one_is_absent() {
    let none = |reason| Tenancy::none(reason);
    let mut several = none(Reason::ChoiceMissing);
    several.tenants = ["acme", "globex"].iter().map(|name| TenantId::parse(name).unwrap()).collect();
    let mut stray_roles = none(Reason::NoMembership);
    stray_roles.roles = acts_in("acme", &["admin"]).roles;
    let mut doubtful = acts_in("acme", &["admin"]);
    doubtful.reason = Reason::DirectoryUnread;
    let table = [
        (acts_in("acme", &["member", "admin"]), r#"{"roles":["admin","member"],"tenant":"acme"}"#, "one tenant"),
        (acts_in("acme", &[]), r#"{"tenant":"acme"}"#, "a tenant without a role"),
        (several, "{}", "several tenants without a choice"),
        (none(Reason::Suspended), "{}", "suspended"),
        (none(Reason::NoMembership), "{}", "no membership"),
        (stray_roles, "{}", "roles without a tenant"),
        (none(Reason::DirectoryUnread), "{}", "the directory is down"),
        (doubtful, "{}", "a doubt outweighs what else is said"),
    ];
    for (tenancy, expected, row) in table {
        let edits = Person::new(tenancy).issue(&rules(MAP));
        assert_eq!(json(&edits.access), expected, "{row}");
    }
}

/// N12: whether sign-in goes on without the directory is the operator's word.
#[test]
fn a_token_in_doubt_is_issued_without_rights_or_not_at_all() {
    let table = [
        ("", Reason::DirectoryUnread, true),
        (r#"without_directory = "issue-without-rights""#, Reason::DirectoryUnread, true),
        (r#"without_directory = "refuse""#, Reason::DirectoryUnread, false),
        (r#"without_directory = "refuse""#, Reason::NoMembership, true),
        (r#"without_directory = "refuse""#, Reason::Suspended, true),
    ];
    for (rule, reason, issued) in table {
        let rules = rules(&format!("{rule}\n{MAP}"));
        match decide(&rules, &RoleRules::default(), Person::new(Tenancy::none(reason)).request()) {
            Decision::Issue(edits) => assert!(issued && json(&edits.access) == "{}", "{rule} {reason:?}"),
            Decision::Refuse(refusal) => assert!(!issued && refusal == Refusal::DirectoryUnread, "{rule} {reason:?}"),
        }
    }
}

#[test]
fn the_tenants_to_choose_from_are_there_before_the_choice() {
    let mut person = Person::new(Tenancy::none(Reason::ChoiceMissing));
    person.tenancy.tenants = ["globex", "acme"].iter().map(|name| TenantId::parse(name).unwrap()).collect();
    assert_eq!(json(&person.issue(&rules(MAP)).id), r#"{"tenants":["acme","globex"]}"#);
}

/// N05: what a user writes about himself is never read as a membership.
#[test]
fn an_attribute_never_shows_in_place_of_a_membership() {
    let text = r#"
        token_version = "v2"
        map = [
          { name = "custom:tenant", token = "both", from = { membership = "tenant" } },
          { name = "custom:roles", token = "access", from = { membership = "roles" } },
          { name = "custom:tier", token = "id", from = { constant = "gold" }, when = { role = "admin" } },
          { name = "custom:plan", token = "id", from = { attribute = "custom:plan" } },
          { name = "tenants", token = "id", from = { membership = "tenants" } },
        ]"#;
    let table: [(Tenancy, &[&str], &[&str]); 2] = [
        (
            acts_in("acme", &["admin"]),
            &["custom:plan", "custom:tenant", "custom:tier", "tenants"],
            // The roles are for the access token, and the attribute is still not theirs.
            &["custom:roles"],
        ),
        (Tenancy::none(Reason::NoMembership), &["custom:plan"], &["custom:roles", "custom:tenant", "custom:tier"]),
    ];
    for (tenancy, added, suppressed) in table {
        let mut person = Person::new(tenancy);
        person.attributes = Attributes::from([
            ("custom:tenant", "globex"),
            ("custom:roles", "admin"),
            ("custom:tier", "gold"),
            ("custom:plan", "free"),
        ]);
        let edits = person.issue(&rules(text));
        assert_eq!(edits.id.add.keys().collect::<Vec<_>>(), added, "{:?}", person.tenancy);
        assert_eq!(edits.id.suppress, suppressed, "{:?}", person.tenancy);
        assert_ne!(edits.id.add.get("custom:tenant"), Some(&Value::from("globex")));
    }
}

#[test]
fn every_condition_that_is_named_must_hold() {
    let table = [
        (r"", true),
        (r#"group = "beta""#, true),
        (r#"group = "acme:admin""#, true),
        (r#"group = "globex:admin""#, false),
        (r#"group = "Beta""#, false),
        (r#"client = "web""#, true),
        (r#"client = "machine""#, false),
        (r#"tenant = "acme""#, true),
        (r#"tenant = "globex""#, false),
        (r#"role = "admin""#, true),
        (r#"role = "owner""#, false),
        (r#"source = "TokenGeneration_Authentication""#, true),
        (r#"source = "TokenGeneration_HostedAuth""#, false),
        (r#"group = "beta", client = "web", tenant = "acme", role = "admin""#, true),
        (r#"group = "beta", client = "web", tenant = "acme", role = "owner""#, false),
    ];
    let person = Person::admin();
    for (when, expected) in table {
        let text = format!(
            "token_version = \"v2\"\nmap = [{{ name = \"x\", token = \"id\", from = {{ constant = 1 }}, when = {{ {when} }} }}]"
        );
        assert_eq!(person.issue(&rules(&text)).id.add.contains_key("x"), expected, "{when}");
    }
}

#[test]
fn a_role_without_a_tenant_meets_no_condition() {
    let text = r#"
        token_version = "v2"
        map = [{ name = "x", token = "id", from = { constant = 1 }, when = { role = "admin" } }]
        [[scopes]]
        add = ["admin/write"]
        role = "admin"
    "#;
    let mut person = Person::admin();
    person.tenancy.active = None;
    let edits = person.issue(&rules(text));
    assert!(edits.id.add.is_empty() && edits.access.scopes_add.is_empty());
}

/// N12: while the directory is in doubt, nothing that a tenant gives is given.
#[test]
fn doubt_gives_neither_claims_nor_scopes_of_a_tenant() {
    let table = [
        ("tenant = \"acme\"", false),
        ("role = \"admin\"", false),
        ("group = \"acme:admin\"", false),
        ("group = \"beta\"", true),
        ("client = \"web\"", true),
    ];
    for (condition, expected) in table {
        let claims = format!(
            "token_version = \"v2\"\nmap = [{{ name = \"x\", token = \"access\", from = {{ constant = 1 }}, when = {{ {condition} }} }}]"
        );
        let scopes = format!("token_version = \"v2\"\n[[scopes]]\nadd = [\"items/read\"]\n{condition}");
        let mut person = Person::admin();
        person.tenancy.reason = Reason::DirectoryUnread;
        assert_eq!(!person.issue(&rules(&claims)).access.add.is_empty(), expected, "{condition}");
        if !condition.starts_with("tenant") {
            assert_eq!(!person.issue(&rules(&scopes)).access.scopes_add.is_empty(), expected, "{condition}");
        }
    }
}

#[test]
fn a_suspended_members_group_gives_nothing() {
    let mut person = Person::admin();
    person.tenancy = Tenancy::none(Reason::Suspended);
    let text = r#"
        token_version = "v2"
        map = [
          { name = "x", token = "id", from = { constant = 1 }, when = { group = "acme:admin" } },
          { name = "my_groups", token = "id", from = { groups = true } },
        ]"#;
    assert_eq!(json(&person.issue(&rules(text)).id), r#"{"my_groups":["beta"]}"#);
}

/// N11: nothing is remembered; the next token says what is true then.
#[test]
fn a_role_that_is_gone_is_gone_at_the_next_refresh() {
    let mut person = Person::admin();
    let text = format!("{MAP}\n[[scopes]]\nadd = [\"admin/write\"]\nrole = \"admin\"");
    assert_eq!(person.issue(&rules(&text)).access.scopes_add, ["admin/write"]);
    person.tenancy = acts_in("acme", &["member"]);
    person.groups = texts(&["beta"]);
    let request = Request { source: "TokenGeneration_RefreshTokens", ..person.request() };
    let edits = issue(&rules(&text), request);
    assert_eq!(json(&edits.access), r#"{"roles":["member"],"tenant":"acme"}"#);
    assert!(edits.access.scopes_add.is_empty());
}

/// N09: a scope that a client asks for is never added for that reason.
#[test]
fn scopes_come_from_the_table_alone_and_suppression_wins() {
    let text = r#"
        token_version = "v2"
        [[scopes]]
        add = ["items/read", "items/write", "openid"]
        [[scopes]]
        add = ["admin/write"]
        role = "owner"
        [[scopes]]
        suppress = ["items/write", "aws.cognito.signin.user.admin"]
        group = "beta"
    "#;
    let mut person = Person::admin();
    person.scopes = texts(&["openid", "admin/write", "aws.cognito.signin.user.admin"]);
    let edits = person.issue(&rules(text));
    assert_eq!(edits.access.scopes_add, ["items/read"]);
    assert_eq!(edits.access.scopes_suppress, ["aws.cognito.signin.user.admin", "items/write"]);
    assert!(edits.id.scopes_add.is_empty() && edits.id.scopes_suppress.is_empty());
}

#[test]
fn a_v1_event_gets_the_texts_of_the_id_token_and_nothing_is_refused() {
    let text = r#"
        token_version = "v2"
        suppress = { id = ["phone_number"], access = ["department"] }
        map = [
          { name = "tenant", token = "both", from = { membership = "tenant" } },
          { name = "roles", token = "both", from = { membership = "roles" } },
          { name = "role_text", token = "id", from = { membership = "roles" }, format = "text" },
          { name = "level", token = "id", from = { constant = 3 } },
        ]
        [[scopes]]
        add = ["items/read"]
    "#;
    let person = Person::admin();
    let edits = issue(&rules(text), Request { version: EventVersion::V1, ..person.request() });
    assert_eq!(json(&edits.id), r#"{"role_text":"admin member","tenant":"acme"}"#);
    assert_eq!(edits.id.suppress, ["phone_number"]);
    assert_eq!(edits.access, TokenEdit::default());
    let dropped = |token, claim: &str| Dropped { token, claim: claim.to_owned(), reason: DropReason::EventTooOld };
    let expected = [
        dropped(TokenKind::Id, "roles"),
        dropped(TokenKind::Id, "level"),
        dropped(TokenKind::Access, "tenant"),
        dropped(TokenKind::Access, "roles"),
    ];
    assert_eq!(edits.dropped, expected);
}

#[test]
fn the_first_entry_that_holds_and_has_a_value_counts() {
    let text = r#"
        token_version = "v2"
        map = [
          { name = "plan", token = "id", from = { constant = "staff" }, when = { group = "staff" } },
          { name = "plan", token = "id", from = { attribute = "custom:plan" }, when = { client = "web" } },
          { name = "plan", token = "id", from = { constant = "free" } },
        ]"#;
    let mut person = Person::admin();
    assert_eq!(json(&person.issue(&rules(text)).id), r#"{"plan":"gold"}"#);
    person.groups.push("staff".to_owned());
    assert_eq!(json(&person.issue(&rules(text)).id), r#"{"plan":"staff"}"#);
    person = Person::new(Tenancy::none(Reason::NoMembership));
    assert_eq!(json(&person.issue(&rules(text)).id), r#"{"plan":"free"}"#);
}

#[test]
fn what_cognito_would_refuse_is_never_written_even_if_the_rules_were_not_checked() {
    let text = r#"
        token_version = "v2"
        suppress = { id = ["sub", "cognito:groups", "aud", "dev:x", "nickname"] }
        map = [
          { name = "sub", token = "both", from = { constant = "x" } },
          { name = "cognito:groups", token = "both", from = { list = ["admin"] } },
          { name = "scope", token = "access", from = { constant = "x" } },
          { name = "dev:x", token = "access", from = { constant = "x" } },
          { name = "address", token = "both", from = { list = ["x"] } },
          { name = "nickname", token = "id", from = { constant = "x" } },
        ]"#;
    let edits = Person::admin().issue(&rules(text));
    assert_eq!(json(&edits.id), "{}");
    assert_eq!(edits.id.suppress, ["dev:x", "nickname"]);
    assert_eq!(json(&edits.access), r#"{"address":["x"]}"#);
}

#[test]
fn an_audience_is_the_client_the_token_is_for_or_nothing() {
    let text = r#"
        token_version = "v2"
        map = [{ name = "aud", token = "both", from = { constant = "web" } }]"#;
    let person = Person::admin();
    let table = [(Some("web"), r#"{"aud":"web"}"#), (Some("other"), "{}"), (None, "{}")];
    for (client_id, expected) in table {
        let edits = issue(&rules(text), Request { client_id, ..person.request() });
        assert_eq!(json(&edits.access), expected, "{client_id:?}");
        assert_eq!(json(&edits.id), "{}");
    }
}

#[test]
fn over_budget_the_rest_goes_and_with_memberships_alone_there_is_no_token() {
    let with_budget = |bytes: usize| {
        rules(&format!(
            r#"
            token_version = "v2"
            budget_bytes = {{ access = {bytes} }}
            map = [
              {{ name = "tenant", token = "access", from = {{ membership = "tenant" }} }},
              {{ name = "plan", token = "access", from = {{ attribute = "custom:plan" }}, priority = 10 }},
              {{ name = "level", token = "access", from = {{ constant = 3 }} }},
            ]"#
        ))
    };
    // `"tenant":"acme",` is 16 bytes, `"plan":"gold",` 14, `"level":3,` 10.
    let table = [
        (40, Some(r#"{"level":3,"plan":"gold","tenant":"acme"}"#)),
        (39, Some(r#"{"level":3,"tenant":"acme"}"#)),
        (25, Some(r#"{"tenant":"acme"}"#)),
        (16, Some(r#"{"tenant":"acme"}"#)),
        (15, None),
    ];
    let person = Person::admin();
    for (bytes, expected) in table {
        let decision = decide(&with_budget(bytes), &RoleRules::default(), person.request());
        match (decision, expected) {
            (Decision::Issue(edits), Some(expected)) => assert_eq!(json(&edits.access), expected, "{bytes}"),
            (Decision::Refuse(refusal), None) => {
                assert_eq!(refusal, Refusal::MembershipOverBudget(TokenKind::Access));
                assert_eq!(refusal.code(), "MembershipOverBudget");
            }
            (decision, _) => panic!("{bytes}: {decision:?}"),
        }
    }
}

#[test]
fn groups_are_left_alone_unless_one_must_go() {
    let keep = rules("token_version = \"v2\"");
    let active = rules("token_version = \"v2\"\ngroups = \"active-tenant\"");
    let roles: RoleRules = toml::from_str(
        r#"
        [[groups]]
        name = "acme:admin"
        precedence = 2
        role = "arn:a"
        [[groups]]
        name = "beta"
        precedence = 5
        role = "arn:b"
        [[groups]]
        name = "globex:admin"
        precedence = 1
        role = "arn:g"
        [[groups]]
        name = "free"
        precedence = 0
        role = "arn:not-given-by-the-pool"
    "#,
    )
    .unwrap();
    let replace = |groups: &[&str], iam_roles: &[&str], preferred: Option<&str>| GroupEdit::Replace {
        groups: texts(groups),
        iam_roles: texts(iam_roles),
        preferred_role: preferred.map(str::to_owned),
    };
    let acme = acts_in("acme", &[]);
    let none = Tenancy::none(Reason::DirectoryUnread);
    let all: &[&str] = &["globex:admin", "acme:admin", "beta", "free", "x:Y"];
    let table = [
        (&keep, all, &acme, GroupEdit::Keep, "the rules keep"),
        (&active, &[][..], &acme, GroupEdit::Keep, "no groups: nothing to say"),
        (&active, &["acme:admin", "beta", "x:Y"][..], &acme, GroupEdit::Keep, "none must go"),
        (
            &active,
            all,
            &acme,
            replace(&["acme:admin", "beta", "free", "x:Y"], &["arn:a", "arn:b"], Some("arn:a")),
            "another tenant's group goes with its role",
        ),
        (&active, all, &none, replace(&["beta", "free", "x:Y"], &["arn:b"], Some("arn:b")), "no tenant on doubt"),
        (&active, &["globex:admin"], &acme, replace(&[], &[], None), "the only one goes: empty is meant"),
    ];
    for (rules, groups, tenancy, expected, row) in table {
        let mut person = Person::new(tenancy.clone());
        person.groups = texts(groups);
        person.iam_roles = texts(&["arn:g", "arn:a", "arn:b"]);
        let Decision::Issue(edits) = decide(rules, &roles, person.request()) else { panic!("{row}") };
        assert_eq!(edits.groups, expected, "{row}");
    }
}

#[test]
fn a_group_joined_meanwhile_is_in_the_token_and_its_iam_role_is_not_yet() {
    let keep = rules("token_version = \"v2\"");
    let active = rules("token_version = \"v2\"\ngroups = \"active-tenant\"");
    let roles: RoleRules = toml::from_str(
        r#"
        groups = [
            { name = "acme:admin", role = "arn:a" },
            { name = "globex:admin", role = "arn:g" },
            { name = "staff", role = "arn:s" },
        ]
    "#,
    )
    .unwrap();
    let replace = |groups: &[&str], iam_roles: &[&str], preferred: Option<&str>| GroupEdit::Replace {
        groups: texts(groups),
        iam_roles: texts(iam_roles),
        preferred_role: preferred.map(str::to_owned),
    };
    let mine: &[&str] = &["acme:admin"];
    let both: &[&str] = &["globex:admin", "acme:admin"];
    let table = [
        (&keep, mine, &[][..], GroupEdit::Keep, "nothing was joined"),
        (&keep, mine, mine, GroupEdit::Keep, "the pool shows it already"),
        (&keep, mine, &["staff"], replace(&["acme:admin", "staff"], &["arn:g", "arn:a"], Some("arn:g")), "it is added"),
        (&keep, &[], &["staff"], replace(&["staff"], &["arn:g", "arn:a"], Some("arn:g")), "it is the first"),
        (&active, mine, &["globex:admin"], GroupEdit::Keep, "another tenant's does not count here"),
        (
            &active,
            both,
            &["staff", "globex:member"],
            replace(&["acme:admin", "staff"], &["arn:a"], Some("arn:a")),
            "one is added and one goes",
        ),
    ];
    for (rules, groups, joined, expected, row) in table {
        let mut person = Person::new(acts_in("acme", &[]));
        (person.groups, person.joined) = (texts(groups), texts(joined));
        person.iam_roles = texts(&["arn:g", "arn:a"]);
        let Decision::Issue(edits) = decide(rules, &roles, person.request()) else { panic!("{row}") };
        assert_eq!(edits.groups, expected, "{row}");
        let Decision::Issue(edits) = decide(rules, &roles, Request { machine: true, ..person.request() }) else {
            panic!("{row}")
        };
        assert_eq!(edits.groups, GroupEdit::Keep, "{row}, but for a machine");
    }
}

#[test]
fn conditions_see_the_groups_that_the_token_will_have() {
    let text = r#"
        token_version = "v2"
        groups = "active-tenant"
        map = [{ name = "my_groups", token = "id", from = { groups = true }, format = "text" }]
        [[scopes]]
        add = ["globex/write"]
        group = "globex:admin"
    "#;
    let mut person = Person::admin();
    person.groups = texts(&["globex:admin", "acme:admin", "beta", "beta"]);
    person.tenancy.tenants.insert(TenantId::parse("globex").unwrap());
    let edits = person.issue(&rules(text));
    assert_eq!(json(&edits.id), r#"{"my_groups":"acme:admin beta"}"#);
    assert!(edits.access.scopes_add.is_empty());
}

/// A right that comes from one tenant's group is not carried into another.
#[test]
fn a_group_of_another_tenant_is_listed_but_gives_no_right_here() {
    let text = r#"
        token_version = "v2"
        map = [{ name = "my_groups", token = "id", from = { groups = true } }]
        [[scopes]]
        add = ["items/write"]
        group = "globex:admin"
    "#;
    let mut person = Person::admin();
    person.groups = texts(&["globex:admin", "acme:member"]);
    person.tenancy.tenants.insert(TenantId::parse("globex").unwrap());
    for (active, scopes) in [("acme", vec![]), ("globex", texts(&["items/write"]))] {
        person.tenancy.active = TenantId::parse(active);
        let edits = person.issue(&rules(text));
        assert_eq!(edits.access.scopes_add, scopes, "{active}");
        assert_eq!(json(&edits.id), r#"{"my_groups":["globex:admin","acme:member"]}"#, "{active}");
    }
}

#[test]
fn the_authorizer_learns_which_claim_holds_a_membership() {
    let rules = rules(MAP);
    let table = [
        (Membership::Tenant, TokenKind::Access, Some("tenant")),
        (Membership::Roles, TokenKind::Id, Some("roles")),
        (Membership::Tenants, TokenKind::Id, Some("tenants")),
        (Membership::Tenants, TokenKind::Access, None),
    ];
    for (membership, kind, expected) in table {
        assert_eq!(rules.claim_name(membership, kind), expected, "{membership:?} {kind:?}");
    }
}
