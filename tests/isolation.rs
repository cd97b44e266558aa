//! The policy documents, put to an IAM evaluator that is not ours.
//!
//! The local AWS supplies no `dynamodb:LeadingKeys` and fills in no policy
//! variables, so whether tenants are kept apart by IAM is shown here: on the
//! documents of `template.yaml`, for random tenants and keys. The policies that
//! the authorizer writes are held against the route table in the same way.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a check fails by panicking")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use iam_rs::{Context, ContextValue, Principal, PrincipalId};
use proptest::prelude::*;
use serde_json::Value;
use shared::claims::TokenKind;
use shared::names::{RoleName, TenantId};
use shared::policy::{self, MethodArn};
use shared::routes::{Caller, Refusal, RouteTable};
use shared::rules::Rules;
use tests::template::{ACCOUNT, REGION, Template, items};
use tests::workspace_root;

/// Actions that read or write a table without naming a partition, and others
/// that nothing here may do.
const NEVER: [&str; 9] = [
    "dynamodb:Scan",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
    "dynamodb:BatchWriteItem",
    "dynamodb:ExportTableToPointInTime",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "dynamodb:GetRecords",
];

/// The roles that open a tenant's data, and the tables that each may query.
const TENANT_ROLES: [(&str, &[&str]); 2] =
    [("UserTenantRole", &["ItemsTable"]), ("AdminTenantRole", &["DirectoryTable", "ItemsTable"])];

static TENANT_SESSIONS: LazyLock<Vec<(Role, &'static [&'static str])>> = LazyLock::new(|| {
    let template = Template::read().expect("the template can be read");
    TENANT_ROLES.into_iter().map(|(id, tables)| (Role::of(&template, id), tables)).collect()
});

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let text = std::fs::read_to_string(workspace_root().join("rules/rules.toml")).expect("the shipped rules");
    Rules::read(&text).expect("the shipped rules can be used")
});

/// How many random requests a property is held against: `POOLHOUSE_REQUESTS`, or
/// some thousand.
fn requests_to_try() -> u32 {
    std::env::var("POOLHOUSE_REQUESTS").map_or(8_000, |text| text.parse().expect("a number"))
}

/// A property that tries so many requests in each of its cases.
fn trying(requests: u32) -> ProptestConfig {
    ProptestConfig {
        cases: (requests_to_try() / requests).max(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What a role may do, as IAM would see it.
struct Role(tests::iam::Role);

impl Role {
    fn of(template: &Template, id: &str) -> Self {
        Self(tests::iam::Role::of(template, id).expect("the role's policies can be read"))
    }

    fn may(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.0.may(action, resource, context).expect("an evaluation")
    }

    /// Everything that the role may do to any table, wherever.
    fn table_actions(&self) -> BTreeSet<String> {
        self.0.actions().into_iter().filter(|action| action.starts_with("dynamodb:")).collect()
    }
}

fn allows(statements: &[Value], principal: &str, action: &str, resource: &str, context: &Context) -> bool {
    let principal = Principal::Aws(PrincipalId::String(principal.to_owned()));
    tests::iam::allows(statements, principal, action, resource, context).expect("an evaluation")
}

/// Whose policies are asked does not matter to a policy of a role.
fn anybody() -> Principal {
    Principal::Aws(PrincipalId::String(format!("arn:aws:iam::{ACCOUNT}:role/any")))
}

/// The partitions that a request names, if it names any.
type Partitions<'a> = Option<&'a [&'a str]>;

/// A DynamoDB request: who is tagged how, and which partitions it names.
fn request(tenant: Option<&str>, partitions: Partitions<'_>) -> Context {
    let mut context = Context::new();
    if let Some(tenant) = tenant {
        context.insert("aws:PrincipalTag/tenant".into(), ContextValue::String(tenant.to_owned()));
    }
    if let Some(partitions) = partitions {
        let partitions = partitions.iter().map(|key| (*key).to_owned()).collect();
        context.insert("dynamodb:LeadingKeys".into(), ContextValue::StringList(partitions));
    }
    context
}

fn table(id: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{id}")
}

fn index() -> String {
    format!("{}/index/by-subject", table("DirectoryTable"))
}

const TABLES: [&str; 2] = ["DirectoryTable", "ItemsTable"];

#[test]
fn a_tenant_session_opens_its_own_partitions_and_no_others() {
    let rows: [(Option<&str>, Partitions<'_>, bool); 22] = [
        (Some("acme"), Some(&["acme#members"]), true),
        (Some("acme"), Some(&["acme#items"]), true),
        (Some("acme"), Some(&["acme#"]), true),
        (Some("acme"), Some(&["acme#items", "acme#members"]), true),
        (Some("acme2"), Some(&["acme2#items"]), true),
        // The delimiter is what tells acme from acme2.
        (Some("acme"), Some(&["acme2#items"]), false),
        (Some("acme2"), Some(&["acme#items"]), false),
        (Some("acme"), Some(&["acme"]), false),
        (Some("acme"), Some(&["acme-#items"]), false),
        (Some("acme"), Some(&["Acme#items"]), false),
        (Some("acme"), Some(&[" acme#items"]), false),
        (Some("acme"), Some(&["xacme#items"]), false),
        (Some("acme"), Some(&["evil#acme#items"]), false),
        (Some("acme"), Some(&["#items"]), false),
        (Some("acme"), Some(&[""]), false),
        (Some("acme"), Some(&["USER#5f0c"]), false),
        // One foreign partition among own ones spoils the request.
        (Some("acme"), Some(&["acme#items", "evil#items"]), false),
        // Without a partition there is nothing to compare.
        (Some("acme"), None, false),
        // Without a tag there is no tenant, whatever the partition says.
        (None, Some(&["acme#items"]), false),
        (None, Some(&["#items"]), false),
        (None, Some(&[""]), false),
        (None, None, false),
    ];
    for (tenant, partitions, expected) in rows {
        for (role, tables) in TENANT_SESSIONS.iter() {
            for id in TABLES {
                let allowed = role.may("dynamodb:Query", &table(id), &request(tenant, partitions));
                assert_eq!(allowed, expected && tables.contains(&id), "tag {tenant:?}, {id}, {partitions:?}");
            }
        }
    }
}

#[test]
fn a_tenant_session_can_do_nothing_that_names_no_partition() {
    // Nor when the check is eased for an emulator: then it is the list of
    // actions alone that holds.
    let checks = ["required", "when-supplied"];
    for (check, (id, _)) in checks.into_iter().flat_map(|check| TENANT_ROLES.map(|role| (check, role))) {
        let role = Role::of(&Template::read().unwrap().with("LeadingKeysCheck", check).unwrap(), id);
        for action in NEVER {
            for partitions in [None, Some(["acme#items"].as_slice())] {
                for resource in [table("ItemsTable"), table("DirectoryTable"), index()] {
                    let context = request(Some("acme"), partitions);
                    assert!(!role.may(action, &resource, &context), "{check}: {action} {resource} {partitions:?}");
                }
            }
        }
    }
}

#[test]
fn a_tenant_session_reaches_no_index() {
    // In the index, the leading key is a person and not a tenant.
    for (role, _) in TENANT_SESSIONS.iter() {
        for key in ["acme#members", "USER#5f0c", "EMAIL#ann@acme.example"] {
            assert!(!role.may("dynamodb:Query", &index(), &request(Some("acme"), Some(&[key]))), "{key}");
        }
    }
}

#[test]
fn easing_the_check_for_an_emulator_opens_no_foreign_partition() {
    let template = Template::read().unwrap().with("LeadingKeysCheck", "when-supplied").unwrap();
    let role = Role::of(&template, "UserTenantRole");
    let rows = [(Some("acme"), "acme#items", true), (Some("acme"), "acme2#items", false), (None, "acme#items", false)];
    for (tenant, key, expected) in rows {
        let context = request(tenant, Some(&[key]));
        assert_eq!(role.may("dynamodb:Query", &table("ItemsTable"), &context), expected, "{tenant:?} {key}");
    }
    // This is what the emulator sees, and why it proves nothing about tenants.
    assert!(role.may("dynamodb:Query", &table("ItemsTable"), &request(Some("acme"), None)));
}

/// The session tags that a caller asks for.
type Tags<'a> = &'a [(&'a str, &'a str)];

/// Who may take a role, as a policy that an evaluator can be asked about.
fn trust(role: &str) -> Vec<Value> {
    let template = Template::read().expect("the template can be read");
    tests::iam::trust(&template, role).expect("the trust policy can be read")
}

#[test]
fn a_tenant_role_is_taken_by_its_back_end_alone_and_with_one_tag() {
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let tenant = ("tenant", "acme");
    let rows: [(&str, &str, Tags<'_>, bool); 11] = [
        ("UserTenantRole", "UserApiRole", &[tenant], true),
        ("UserTenantRole", "AdminApiRole", &[tenant], false),
        ("AdminTenantRole", "AdminApiRole", &[tenant], true),
        ("AdminTenantRole", "UserApiRole", &[tenant], false),
        ("AdminTenantRole", "AuthorizerRole", &[tenant], false),
        ("UserTenantRole", "PostConfirmationRole", &[tenant], false),
        ("UserTenantRole", "Someone", &[tenant], false),
        ("UserTenantRole", "UserApiRole", &[], false),
        ("UserTenantRole", "UserApiRole", &[("tenant", "")], false),
        ("UserTenantRole", "UserApiRole", &[tenant, ("department", "x")], false),
        ("AdminTenantRole", "AdminApiRole", &[], false),
    ];
    for (role, principal, tags, expected) in rows {
        let mut context = Context::new();
        for (key, value) in tags {
            context = context.with_string(format!("aws:RequestTag/{key}"), *value);
        }
        if !tags.is_empty() {
            let keys = tags.iter().map(|(key, _)| (*key).to_owned()).collect();
            context.insert("aws:TagKeys".into(), ContextValue::StringList(keys));
        }
        for action in ["sts:AssumeRole", "sts:TagSession"] {
            let allowed = allows(&trust(role), &arn(principal), action, &arn(role), &context);
            assert_eq!(allowed, expected, "{role} {principal} {tags:?} {action}");
        }
    }
}

#[test]
fn a_tenant_session_cannot_become_another_one() {
    // Row I05: with a second AssumeRole a session would choose its tag anew. Neither its own policies nor the
    // roles' trust let it.
    let session = |role: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/@acme");
    let tag = || Context::new().with_string("aws:RequestTag/tenant", "globex");
    for (own, (role, _)) in TENANT_SESSIONS.iter().zip(TENANT_ROLES) {
        for (wanted, _) in TENANT_ROLES {
            for action in ["sts:AssumeRole", "sts:TagSession"] {
                let arn = format!("arn:aws:iam::{ACCOUNT}:role/{wanted}");
                assert!(!own.0.may(action, &arn, &tag()), "I05 {role} may ask for {wanted}");
                assert!(!allows(&trust(wanted), &session(role), action, &arn, &tag()), "I05 {wanted} trusts {role}");
            }
        }
    }
}

#[test]
fn functions_reach_only_their_own_kind_of_partition() {
    let parameters = [("MigrationStore", "table"), ("GuestAccess", "true"), ("Revocation", "on")];
    let template = Template::deployed(&parameters).unwrap();
    let ended = table("RevocationsTable");
    let records = table("RecordsTable");
    let directory = table("DirectoryTable");
    let rows = [
        ("PreSignUpRole", "dynamodb:Query", index(), "EMAIL#ann@acme.example", true),
        ("PreSignUpRole", "dynamodb:Query", index(), "USER#5f0c", false),
        ("PreSignUpRole", "dynamodb:Query", directory.clone(), "acme#members", false),
        ("PreSignUpRole", "dynamodb:PutItem", directory.clone(), "acme#invitations", false),
        ("PostConfirmationRole", "dynamodb:Query", index(), "EMAIL#ann@acme.example", true),
        ("PostConfirmationRole", "dynamodb:PutItem", directory.clone(), "USER#5f0c", true),
        ("PostConfirmationRole", "dynamodb:PutItem", directory.clone(), "acme#members", true),
        ("PostConfirmationRole", "dynamodb:DeleteItem", directory.clone(), "acme#invitations", true),
        ("PostConfirmationRole", "dynamodb:PutItem", directory.clone(), "acme#items", false),
        ("PostConfirmationRole", "dynamodb:PutItem", table("ItemsTable"), "acme#members", false),
        ("PostConfirmationRole", "dynamodb:GetItem", directory.clone(), "LEGACY#u-1", true),
        ("PostConfirmationRole", "dynamodb:DeleteItem", directory.clone(), "LEGACY#u-1", true),
        ("PostConfirmationRole", "dynamodb:PutItem", directory.clone(), "LEGACY#u-1", false),
        ("PostConfirmationRole", "dynamodb:GetItem", directory.clone(), "acme#members", false),
        ("PreTokenGenerationRole", "dynamodb:GetItem", directory.clone(), "LEGACY#u-1", true),
        ("PreTokenGenerationRole", "dynamodb:GetItem", directory.clone(), "USER#5f0c", false),
        ("UserMigrationRole", "dynamodb:PutItem", directory.clone(), "LEGACY#u-1", true),
        ("UserMigrationRole", "dynamodb:PutItem", directory.clone(), "USER#5f0c", false),
        ("UserMigrationRole", "dynamodb:PutItem", directory.clone(), "acme#members", false),
        ("UserMigrationRole", "dynamodb:GetItem", directory.clone(), "LEGACY#u-1", false),
        ("UserMigrationRole", "dynamodb:UpdateItem", table("SignInAttemptsTable"), "USER#0a1b", true),
        ("UserMigrationRole", "dynamodb:UpdateItem", table("SignInAttemptsTable"), "ALL#29000000", true),
        ("UserMigrationRole", "dynamodb:UpdateItem", table("SignInAttemptsTable"), "acme#members", false),
        ("UserMigrationRole", "dynamodb:Query", table("LegacyUsersTable"), "ann@acme.example", true),
        ("UserMigrationRole", "dynamodb:DeleteItem", table("LegacyUsersTable"), "ann@acme.example", false),
        ("UserMigrationRole", "dynamodb:Query", index(), "USER#5f0c", false),
        ("PreTokenGenerationRole", "dynamodb:Query", index(), "USER#5f0c", true),
        ("PreTokenGenerationRole", "dynamodb:PutItem", directory.clone(), "USER#5f0c", true),
        ("PreTokenGenerationRole", "dynamodb:UpdateItem", directory.clone(), "acme#members", false),
        ("UserApiRole", "dynamodb:Query", index(), "USER#5f0c", true),
        ("UserApiRole", "dynamodb:Query", index(), "EMAIL#ann@acme.example", false),
        ("UserApiRole", "dynamodb:UpdateItem", directory.clone(), "USER#5f0c", true),
        ("UserApiRole", "dynamodb:UpdateItem", directory.clone(), "acme#members", false),
        ("UserApiRole", "dynamodb:ConditionCheckItem", directory.clone(), "acme#members", true),
        ("UserApiRole", "dynamodb:GetItem", directory.clone(), "acme#members", false),
        ("UserApiRole", "dynamodb:GetItem", table("ItemsTable"), "acme#items", false),
        ("AdminApiRole", "dynamodb:Query", directory.clone(), "acme#members", false),
        ("AuthorizerRole", "dynamodb:Query", index(), "USER#5f0c", false),
        ("AuthorizerRole", "dynamodb:BatchGetItem", ended.clone(), "SESSION#0f0c", true),
        ("AuthorizerRole", "dynamodb:BatchGetItem", ended.clone(), "USER#5f0c", true),
        ("AuthorizerRole", "dynamodb:BatchGetItem", ended.clone(), "acme#5f0c", true),
        ("AuthorizerRole", "dynamodb:BatchGetItem", ended.clone(), "5f0c", false),
        ("AuthorizerRole", "dynamodb:BatchGetItem", directory.clone(), "USER#5f0c", false),
        ("AuthorizerRole", "dynamodb:BatchGetItem", table("ItemsTable"), "acme#items", false),
        ("AuthorizerRole", "dynamodb:GetItem", ended.clone(), "SESSION#0f0c", false),
        ("AuthorizerRole", "dynamodb:Query", ended.clone(), "SESSION#0f0c", false),
        ("AuthorizerRole", "dynamodb:PutItem", ended.clone(), "SESSION#0f0c", false),
        ("AuthorizerRole", "dynamodb:UpdateItem", ended.clone(), "USER#5f0c", false),
        ("AuthorizerRole", "dynamodb:DeleteItem", ended.clone(), "SESSION#0f0c", false),
        ("UserApiRole", "dynamodb:PutItem", ended.clone(), "SESSION#0f0c", true),
        ("UserApiRole", "dynamodb:PutItem", ended.clone(), "USER#5f0c", false),
        ("UserApiRole", "dynamodb:UpdateItem", ended.clone(), "USER#5f0c", true),
        ("UserApiRole", "dynamodb:UpdateItem", ended.clone(), "acme#5f0c", false),
        ("UserApiRole", "dynamodb:DeleteItem", ended.clone(), "SESSION#0f0c", false),
        ("UserApiRole", "dynamodb:BatchGetItem", ended.clone(), "SESSION#0f0c", false),
        ("AdminApiRole", "dynamodb:UpdateItem", ended.clone(), "acme#5f0c", false),
        ("PreTokenGenerationRole", "dynamodb:UpdateItem", ended.clone(), "USER#5f0c", false),
        ("GuestPromotionRole", "dynamodb:Query", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestPromotionRole", "dynamodb:DeleteItem", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "USER#5f0c", true),
        ("GuestPromotionRole", "dynamodb:GetItem", records.clone(), "LEDGER#us-east-1:0a1b", true),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "KEYS#5f0c", true),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "ASIDE#us-east-1:0a1b", true),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "TENANT#acme", false),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "IDENTITY#us-east-1:0a1b", false),
        ("GuestPromotionRole", "dynamodb:PutItem", records.clone(), "PUBLIC#leaderboard", false),
        ("GuestPromotionRole", "dynamodb:UpdateItem", records.clone(), "USER#5f0c", false),
        ("GuestPromotionRole", "dynamodb:PutItem", directory.clone(), "USER#5f0c", false),
        ("GuestKeeperRole", "dynamodb:Query", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestKeeperRole", "dynamodb:UpdateItem", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestKeeperRole", "dynamodb:GetItem", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestKeeperRole", "dynamodb:GetItem", records.clone(), "LEDGER#us-east-1:0a1b", true),
        ("GuestKeeperRole", "dynamodb:GetItem", records.clone(), "USER#5f0c", false),
        ("GuestKeeperRole", "dynamodb:DeleteItem", records.clone(), "GUEST#us-east-1:0a1b", true),
        ("GuestKeeperRole", "dynamodb:DeleteItem", records.clone(), "LEDGER#us-east-1:0a1b", false),
        ("GuestKeeperRole", "dynamodb:DeleteItem", records.clone(), "USER#5f0c", false),
        ("GuestKeeperRole", "dynamodb:UpdateItem", records.clone(), "LEDGER#us-east-1:0a1b", false),
        ("GuestKeeperRole", "dynamodb:UpdateItem", records.clone(), "USER#5f0c", false),
        ("GuestKeeperRole", "dynamodb:Query", records.clone(), "USER#5f0c", false),
        ("GuestKeeperRole", "dynamodb:PutItem", records.clone(), "GUEST#us-east-1:0a1b", false),
    ];
    for (role, action, resource, key, expected) in rows {
        let allowed = Role::of(&template, role).may(action, &resource, &request(None, Some(&[key])));
        assert_eq!(allowed, expected, "{role} {action} {resource} {key}");
    }
    let roles = [
        "PreSignUpRole",
        "PostConfirmationRole",
        "PreTokenGenerationRole",
        "UserMigrationRole",
        "AuthorizerRole",
        "UserApiRole",
        "GuestPromotionRole",
        "GuestKeeperRole",
    ];
    let tables = ["DirectoryTable", "LegacyUsersTable", "RecordsTable", "RevocationsTable"];
    for role in roles {
        for (action, id) in NEVER.iter().flat_map(|action| tables.map(|id| (action, id))) {
            assert!(!Role::of(&template, role).may(action, &table(id), &request(None, None)), "{role} {action} {id}");
        }
    }
}

#[test]
fn an_administrator_ends_what_a_member_has_in_his_own_tenant() {
    let template = Template::deployed(&[("Revocation", "on")]).unwrap();
    let (admin, user) = (Role::of(&template, "AdminTenantRole"), Role::of(&template, "UserTenantRole"));
    let rows: [(Option<&str>, Partitions<'_>, bool); 10] = [
        (Some("acme"), Some(&["acme#5f0c"]), true),
        (Some("acme"), Some(&["acme2#5f0c"]), false),
        (Some("acme2"), Some(&["acme#5f0c"]), false),
        (Some("acme"), Some(&["USER#5f0c"]), false),
        (Some("acme"), Some(&["SESSION#0f0c"]), false),
        (Some("acme"), Some(&["acme#5f0c", "acme2#5f0c"]), false),
        (Some("user"), Some(&["USER#5f0c"]), false),
        (Some("session"), Some(&["SESSION#0f0c"]), false),
        (Some("acme"), None, false),
        (None, Some(&["acme#5f0c"]), false),
    ];
    let marks = table("RevocationsTable");
    for (tenant, partitions, expected) in rows {
        let context = request(tenant, partitions);
        assert_eq!(admin.may("dynamodb:UpdateItem", &marks, &context), expected, "{tenant:?} {partitions:?}");
        // To take a mark away, or to look whom it is about, is nobody's business.
        for action in ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query"] {
            assert!(!admin.may(action, &marks, &context), "{action} {tenant:?} {partitions:?}");
        }
        assert!(!user.may("dynamodb:UpdateItem", &marks, &context), "{tenant:?} {partitions:?}");
    }
}

fn tenant_names() -> impl Strategy<Value = String> {
    // Neighbours that begin alike, and anything else that is a tenant's name.
    prop_oneof![Just("acme".to_owned()), Just("acme2".to_owned()), Just("a".to_owned()), "[a-z0-9][a-z0-9-]{0,62}"]
}

fn partition_keys() -> impl Strategy<Value = String> {
    let kinds = prop_oneof![Just("members"), Just("invitations"), Just("items"), Just("")];
    prop_oneof![
        (tenant_names(), kinds).prop_map(|(tenant, kind)| format!("{tenant}#{kind}")),
        tenant_names(),
        (tenant_names(), tenant_names()).prop_map(|(one, two)| format!("{one}{two}#items")),
        "[ -~]{0,24}",
        "\\PC{0,12}",
    ]
}

proptest! {
    // Each case asks about every action of both roles at both tables: more than 30.
    #![proptest_config(trying(30))]

    /// Row I16: what opens belongs to the tenant.
    #[test]
    fn what_a_tenant_session_opens_begins_with_the_tenant(
        tenant in tenant_names(),
        keys in prop::collection::vec(partition_keys(), 1..4),
    ) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let own = keys.iter().all(|key| key.starts_with(&format!("{tenant}#")));
        let context = request(Some(&tenant), Some(&keys));
        for (role, tables) in TENANT_SESSIONS.iter() {
            let document = role.0.within(&context).expect("a document");
            for (action, id) in role.table_actions().iter().flat_map(|action| TABLES.map(|id| (action, id))) {
                let allowed = document.allows(anybody(), action, &table(id)).expect("an evaluation");
                prop_assert!(own || !allowed, "{} {} {:?} as {}", action, id, keys, tenant);
                // Reading its own is what the session is for.
                let reads = own && action == "dynamodb:Query" && tables.contains(&id);
                prop_assert!(!reads || allowed, "{} {:?} as {}", id, keys, tenant);
            }
        }
    }
}

// ---- What the authorizer writes

fn callers() -> impl Strategy<Value = Caller> {
    let tenant = prop::option::of(prop_oneof![Just("acme"), Just("acme2")]);
    let roles = prop::collection::btree_set(prop_oneof![Just("admin"), Just("member")], 0..3);
    (tenant, roles, any::<bool>(), 0..8_u8).prop_map(|(tenant, roles, machine, odds)| Caller {
        subject: "5f0c".to_owned(),
        issuer: None,
        kind: if odds == 0 { TokenKind::Id } else { TokenKind::Access },
        machine: machine && odds == 1,
        tenant: tenant.and_then(TenantId::parse),
        roles: roles.into_iter().filter_map(RoleName::parse).collect(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    })
}

fn requests() -> impl Strategy<Value = (&'static str, String)> {
    let methods = prop_oneof![Just("GET"), Just("PUT"), Just("POST"), Just("DELETE"), Just("PATCH")];
    let segments = prop_oneof![
        Just("me"),
        Just("tenant"),
        Just("tenants"),
        Just("acme"),
        Just("acme2"),
        Just("items"),
        Just("admin"),
        Just("members"),
        Just("roles"),
        Just("invitations"),
        Just("5f0c"),
        Just("x-1"),
        Just(""),
    ];
    let paths = prop_oneof![
        3 => prop::sample::select(vec![
            "/me", "/me/tenant", "/tenants/acme", "/tenants/acme2", "/items", "/items/1", "/admin/members",
            "/admin/members/5f0c/roles", "/admin/invitations", "/admin/items",
        ])
        .prop_map(str::to_owned),
        2 => prop::collection::vec(segments, 1..5).prop_map(|segments| format!("/{}", segments.join("/"))),
    ];
    (methods, paths)
}

/// The name of a request. REST APIs name their stage; HTTP APIs may have the
/// default one.
fn arn(method: &str, path: &str) -> String {
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3/prod/{method}{path}")
}

/// The end of the year 9999: what a date in a policy can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// When the token of these tests ends, unless a test says otherwise.
const UNTIL: u64 = 1_800_000_000;

/// A moment, in seconds since 1970, so that the evaluator has to read our date.
fn at(seconds: u64) -> Context {
    Context::new().with_string("aws:CurrentTime", seconds.to_string())
}

/// A rule file up to its routes.
static BASE: LazyLock<String> = LazyLock::new(|| {
    let text =
        std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml")).expect("the rules of attacks");
    text.split("[[routes]]").next().unwrap_or_default().to_owned()
});

/// A few routes that pass the check, in each other's way or not.
fn tables() -> impl Strategy<Value = RouteTable> {
    let segment = prop::sample::select(vec!["a", "b", "items", "{tenant}", "{one}"]);
    let route = (prop::sample::select(vec!["GET", "PUT"]), prop::collection::vec(segment, 0..4), any::<bool>());
    prop::collection::vec(route, 1..7).prop_filter_map("a table that contradicts itself", |routes| {
        let mut text = BASE.clone();
        let mut kept = None;
        // As many of them as go together.
        for (method, segments, admin) in routes {
            let path = segments.iter().enumerate().map(|(at, name)| match *name {
                "{one}" => format!("/{{one{at}}}"),
                other => format!("/{other}"),
            });
            let path: String = if segments.is_empty() { "/".to_owned() } else { path.collect() };
            let roles = if admin { "[\"admin\"]" } else { "[]" };
            let longer = format!("{text}[[routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nroles = {roles}\n");
            if let Ok(rules) = Rules::read(&longer) {
                (text, kept) = (longer, Some(rules.routes));
            }
        }
        kept
    })
}

/// A request for such a table.
fn small_requests() -> impl Strategy<Value = (&'static str, String)> {
    let segment = prop::sample::select(vec!["a", "b", "items", "acme", "acme2", "z", ""]);
    let path = prop::collection::vec(segment, 1..5).prop_map(|segments| format!("/{}", segments.join("/")));
    (prop::sample::select(vec!["GET", "PUT", "DELETE"]), path)
}

/// What a policy opens that was written for `first`.
struct Kept {
    statements: Vec<Value>,
}

impl Kept {
    fn of(table: &RouteTable, caller: &Caller, first: &(&str, String)) -> Self {
        let first = arn(first.0, &first.1);
        let request = MethodArn::parse(&first).expect("the name of a request");
        let document = serde_json::to_value(policy::document(table, caller, &request, UNTIL)).expect("a document");
        Self { statements: items(&document["Statement"]).cloned().collect() }
    }

    /// Whether each of these requests passes, by the evaluator.
    fn opens<'r>(&self, requests: impl Iterator<Item = &'r (&'static str, String)>) -> Vec<bool> {
        let context = at(UNTIL - 1);
        let document = tests::iam::Document::of(&self.statements, &context).expect("a document");
        let passes = |(method, path): &(&str, String)| {
            document.allows(anybody(), "execute-api:Invoke", &arn(method, path)).expect("an evaluation")
        };
        requests.map(passes).collect()
    }
}

proptest! {
    #![proptest_config(trying(8))]

    /// Row I17, with the routes that ship.
    #[test]
    fn a_kept_policy_opens_what_the_table_opens_and_nothing_else(
        caller in callers(),
        requests in prop::collection::vec(requests(), 8),
    ) {
        let table = &RULES.routes;
        let kept = Kept::of(table, &caller, &requests[0]);
        prop_assert!(!kept.statements.is_empty());
        // The first request is the one that was asked about, the others are answered from the cache. No two of
        // these routes stand in each other's way, so nothing is kept from a caller either.
        for (request, opened) in requests.iter().zip(kept.opens(requests.iter())) {
            let decided = table.decide(&caller, request.0, &request.1).is_allowed();
            prop_assert_eq!(opened, decided, "{:?} {:?} {:?}", caller, request, kept.statements);
        }
    }

    /// From the end of its token on a kept policy opens nothing, and nothing without
    /// a clock.
    #[test]
    fn a_kept_policy_ends_with_its_token(
        caller in callers(),
        first in requests(),
        until in 1..LAST_SECOND,
        early in 1..10_000_000_u64,
        late in 0..10_000_000_u64,
    ) {
        let name = arn(first.0, &first.1);
        let request = MethodArn::parse(&name).expect("the name of a request");
        let document = serde_json::to_value(policy::document(&RULES.routes, &caller, &request, until)).unwrap();
        let statements: Vec<Value> = items(&document["Statement"]).cloned().collect();
        let anybody = format!("arn:aws:iam::{ACCOUNT}:role/any");
        let opens = |context: &Context| allows(&statements, &anybody, "execute-api:Invoke", &name, context);
        let decided = RULES.routes.decide(&caller, first.0, &first.1).is_allowed();
        prop_assert_eq!(opens(&at(until.saturating_sub(early))), decided, "{:?} {:?} {}", caller, first, document);
        prop_assert!(!opens(&at(until + late)), "{} {}", until + late, document);
        prop_assert!(!opens(&Context::new()), "{}", document);
    }

    /// Rows I17 and P08, with any routes: nothing opens that the table closes, and
    /// what was asked about is answered as the table says.
    #[test]
    fn no_policy_opens_what_its_table_closes(
        table in tables(),
        caller in callers(),
        requests in prop::collection::vec(small_requests(), 8),
    ) {
        let kept = Kept::of(&table, &caller, &requests[0]);
        for (at, (request, opened)) in requests.iter().zip(kept.opens(requests.iter())).enumerate() {
            let decided = table.decide(&caller, request.0, &request.1).is_allowed();
            prop_assert!(decided || !opened, "{:?} {:?} {:?}", caller, request, kept.statements);
            prop_assert!(at > 0 || opened == decided, "{:?} {:?} {:?}", caller, request, kept.statements);
        }
        for resource in kept.statements.iter().filter(|one| one["Effect"] == "Allow").flat_map(|one| items(&one["Resource"])) {
            let resource = resource.as_str().unwrap_or_default();
            let call = resource.strip_prefix(&arn("", "")).unwrap_or("*");
            prop_assert!(!call.starts_with('*') && !call.contains('?'), "P08 {}", resource);
        }
    }
}

#[test]
fn the_table_itself_tells_the_callers_apart() {
    // Without this, the property above could hold for a table that opens nothing.
    let rules = &*RULES;
    let caller = |roles: &[&str]| Caller {
        subject: "5f0c".to_owned(),
        issuer: None,
        kind: TokenKind::Access,
        machine: false,
        tenant: TenantId::parse("acme"),
        roles: roles.iter().filter_map(|role| RoleName::parse(role)).collect(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    };
    let rows = [
        (caller(&["member"]), "/items/1", true),
        (caller(&["member"]), "/admin/members", false),
        (caller(&["admin"]), "/admin/members", true),
        (caller(&["member"]), "/tenants/acme", true),
        (caller(&["member"]), "/tenants/acme2", false),
    ];
    for (caller, path, expected) in rows {
        let decision = rules.routes.decide(&caller, "GET", path);
        assert_eq!(decision.is_allowed(), expected, "{path}");
        assert_ne!(decision, shared::routes::Decision::Refuse(Refusal::PathRefused), "{path}");
    }
}
