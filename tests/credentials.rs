//! What the identity pool's temporary credentials open, by an IAM evaluator that
//! is not ours: its roles, with the tags and the identity that Cognito vouches
//! for, against the folders and partitions of others.

#![expect(clippy::expect_used, reason = "a check fails by panicking")]

use std::sync::LazyLock;

use iam_rs::{Context, ContextValue, Principal, PrincipalId};
use proptest::prelude::*;
use serde_json::{Value, json};
use tests::iam::{self, Role};
use tests::template::{ACCOUNT, IDENTITY_POOL, REGION, Template};

/// The roles, in the order in which the tables below say what each may do.
const ROLES: [&str; 3] = ["AuthenticatedRole", "AdministratorRole", "GuestRole"];

const IDENTITY: &str = "us-east-1:0a1b2c3d-0000-4000-8000-000000000001";
const OTHER_IDENTITY: &str = "us-east-1:0a1b2c3d-0000-4000-8000-000000000002";

/// Read or write a table without naming a partition, or reach beyond the data.
const NEVER_ON_TABLES: [&str; 10] = [
    "dynamodb:Scan",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ExportTableToPointInTime",
    "dynamodb:UpdateTable",
    "dynamodb:DeleteTable",
];

/// Change who may read a file, or bring back what was deleted.
const NEVER_ON_FILES: [&str; 7] = [
    "s3:PutObjectAcl",
    "s3:GetObjectVersion",
    "s3:DeleteObjectVersion",
    "s3:PutBucketPolicy",
    "s3:ListBucketVersions",
    "s3:PutObjectTagging",
    "s3:BypassGovernanceRetention",
];

static SESSIONS: LazyLock<[Role; 3]> = LazyLock::new(|| {
    let template = deployed(&[("GuestAccess", "true")]);
    ROLES.map(|role| Role::of(&template, role).expect("the role's policies can be read"))
});

fn deployed(parameters: &[(&str, &str)]) -> Template {
    Template::deployed(parameters).expect("the template can be read")
}

/// The partitions that a request names, if it names any.
type Partitions<'a> = Option<&'a [&'a str]>;

/// What is known of somebody: the tags of his session, and his identity.
#[derive(Clone, Copy, Debug, Default)]
struct Session<'a> {
    subject: Option<&'a str>,
    tenant: Option<&'a str>,
    identity: Option<&'a str>,
}

const ANN: Session<'_> = Session { subject: Some("ann-1"), tenant: Some("acme"), identity: Some(IDENTITY) };

impl Session<'_> {
    fn context(self) -> Context {
        let mut context = Context::new();
        let known = [
            ("aws:PrincipalTag/subject", self.subject),
            ("aws:PrincipalTag/tenant", self.tenant),
            ("cognito-identity.amazonaws.com:sub", self.identity),
        ];
        for (key, value) in known {
            if let Some(value) = value {
                context = context.with_string(key, value);
            }
        }
        context
    }

    /// Whether he may do something to a file.
    fn file(self, role: &Role, action: &str, key: &str) -> bool {
        may(role, action, &format!("arn:aws:s3:::filesbucket/{key}"), &self.context())
    }

    /// Whether he may list what begins so.
    fn listing(self, role: &Role, prefix: Option<&str>) -> bool {
        let mut context = self.context();
        if let Some(prefix) = prefix {
            context = context.with_string("s3:prefix", prefix);
        }
        may(role, "s3:ListBucket", "arn:aws:s3:::filesbucket", &context)
    }

    /// Whether he may do something to partitions of the table of records.
    fn records(self, role: &Role, action: &str, keys: Partitions<'_>) -> bool {
        self.of_table(role, action, "RecordsTable", keys)
    }

    /// The same, by a request that names attributes.
    fn writes(self, role: &Role, action: &str, keys: Partitions<'_>, attributes: &[&str]) -> bool {
        let mut context = self.context();
        let attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
        context.insert("dynamodb:Attributes".into(), ContextValue::StringList(attributes));
        Self::on_table(context, role, action, "RecordsTable", keys)
    }

    fn of_table(self, role: &Role, action: &str, table: &str, keys: Partitions<'_>) -> bool {
        Self::on_table(self.context(), role, action, table, keys)
    }

    fn on_table(mut context: Context, role: &Role, action: &str, table: &str, keys: Partitions<'_>) -> bool {
        if let Some(keys) = keys {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            context.insert("dynamodb:LeadingKeys".into(), ContextValue::StringList(keys));
        }
        may(role, action, &format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"), &context)
    }
}

fn may(role: &Role, action: &str, resource: &str, context: &Context) -> bool {
    role.may(action, resource, context).expect("an evaluation")
}

/// What each role answers to the same question.
fn each(question: impl Fn(&Role) -> bool) -> [bool; 3] {
    SESSIONS.each_ref().map(question)
}

const NOBODY: [bool; 3] = [false, false, false];
const EVERYBODY: [bool; 3] = [true, true, true];
const SIGNED_IN: [bool; 3] = [true, true, false];
const ADMINISTRATORS: [bool; 3] = [false, true, false];
const GUESTS: [bool; 3] = [false, false, true];

// ---- Files

#[test]
fn files_are_reached_by_their_owner_their_tenant_and_nobody_else() {
    let rows = [
        ("users/ann-1/a.txt", "s3:GetObject", SIGNED_IN),
        ("users/ann-1/a.txt", "s3:PutObject", SIGNED_IN),
        ("users/ann-1/a/b/c.txt", "s3:DeleteObject", SIGNED_IN),
        ("users/bob-2/a.txt", "s3:GetObject", NOBODY),
        ("users/bob-2/a.txt", "s3:PutObject", NOBODY),
        // The slash is what tells ann-1 from ann-10.
        ("users/ann-10/a.txt", "s3:GetObject", NOBODY),
        ("users/ann-1", "s3:GetObject", NOBODY),
        ("users/Ann-1/a.txt", "s3:GetObject", NOBODY),
        ("users/a.txt", "s3:GetObject", NOBODY),
        ("users//a.txt", "s3:GetObject", NOBODY),
        ("xusers/ann-1/a.txt", "s3:GetObject", NOBODY),
        // To S3 two dots are two characters: nothing leads out of a folder or into one.
        ("users/ann-1/../bob-2/a.txt", "s3:GetObject", SIGNED_IN),
        ("users/bob-2/../ann-1/a.txt", "s3:GetObject", NOBODY),
        ("public/../users/bob-2/a.txt", "s3:PutObject", NOBODY),
        ("../users/ann-1/a.txt", "s3:GetObject", NOBODY),
        ("tenants/acme/plan.txt", "s3:GetObject", SIGNED_IN),
        ("tenants/acme/plan.txt", "s3:PutObject", ADMINISTRATORS),
        ("tenants/acme/plan.txt", "s3:DeleteObject", ADMINISTRATORS),
        ("tenants/acme2/plan.txt", "s3:GetObject", NOBODY),
        ("tenants/acme2/plan.txt", "s3:PutObject", NOBODY),
        ("tenants/globex/plan.txt", "s3:DeleteObject", NOBODY),
        ("tenants/acme", "s3:GetObject", NOBODY),
        ("tenants/acme/../globex/plan.txt", "s3:PutObject", ADMINISTRATORS),
        ("public/logo.svg", "s3:GetObject", EVERYBODY),
        ("public/logo.svg", "s3:PutObject", NOBODY),
        ("public/logo.svg", "s3:DeleteObject", NOBODY),
        ("public", "s3:GetObject", NOBODY),
        ("publicity/a.txt", "s3:GetObject", NOBODY),
        ("ann-1/a.txt", "s3:GetObject", NOBODY),
    ];
    for (key, action, expected) in rows {
        assert_eq!(each(|role| ANN.file(role, action, key)), expected, "{action} {key}");
    }
    let identity = format!("identities/{IDENTITY}/a.txt");
    assert_eq!(
        each(|role| ANN.file(role, "s3:GetObject", &identity)),
        NOBODY,
        "users of the pool have their own folder"
    );
}

#[test]
fn nothing_but_the_content_of_the_one_bucket_is_reached() {
    for action in NEVER_ON_FILES {
        for key in ["users/ann-1/a.txt", "tenants/acme/a.txt", "public/a.txt"] {
            assert_eq!(each(|role| ANN.file(role, action, key)), NOBODY, "{action} {key}");
        }
        assert_eq!(each(|role| may(role, action, "arn:aws:s3:::filesbucket", &ANN.context())), NOBODY, "{action}");
    }
    for bucket in ["other", "filesbucket2", "xfilesbucket"] {
        for key in ["users/ann-1/a.txt", "public/a.txt"] {
            let file = format!("arn:aws:s3:::{bucket}/{key}");
            assert_eq!(each(|role| may(role, "s3:GetObject", &file, &ANN.context())), NOBODY, "{file}");
        }
    }
}

#[test]
fn lists_show_ones_own_folder_and_the_tenants() {
    let rows = [
        (Some("users/ann-1/"), SIGNED_IN),
        (Some("users/ann-1/a/"), SIGNED_IN),
        (Some("tenants/acme/"), SIGNED_IN),
        (Some("users/ann-1"), NOBODY),
        (Some("users/ann-10/"), NOBODY),
        (Some("users/"), NOBODY),
        (Some("users//"), NOBODY),
        (Some("tenants/acme"), NOBODY),
        (Some("tenants/acme2/"), NOBODY),
        (Some("tenants/"), NOBODY),
        (Some("public/"), NOBODY),
        (Some(""), NOBODY),
        (None, NOBODY),
    ];
    for (prefix, expected) in rows {
        assert_eq!(each(|role| ANN.listing(role, prefix)), expected, "{prefix:?}");
    }
}

// ---- Records

#[test]
fn records_are_reached_by_their_owner_their_tenant_and_nobody_else() {
    const READ: &[&str] = &["dynamodb:GetItem", "dynamodb:Query"];
    const WRITE: &[&str] = &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
    let own_identity = format!("IDENTITY#{IDENTITY}");
    let guest = format!("GUEST#{IDENTITY}");
    let other_guest = format!("GUEST#{OTHER_IDENTITY}");
    let rows: [(&[&str], Partitions<'_>, [bool; 3]); 32] = [
        (READ, Some(&["USER#ann-1"]), SIGNED_IN),
        (WRITE, Some(&["USER#ann-1"]), SIGNED_IN),
        (READ, Some(&["USER#ann-1", "USER#ann-1"]), SIGNED_IN),
        (READ, Some(&["USER#bob-2"]), NOBODY),
        (WRITE, Some(&["USER#bob-2"]), NOBODY),
        (READ, Some(&["USER#ann-10"]), NOBODY),
        (READ, Some(&["USER#ann-"]), NOBODY),
        (READ, Some(&["USER#"]), NOBODY),
        (READ, Some(&["user#ann-1"]), NOBODY),
        (READ, Some(&["xUSER#ann-1"]), NOBODY),
        (READ, Some(&["TENANT#acme"]), SIGNED_IN),
        (WRITE, Some(&["TENANT#acme"]), ADMINISTRATORS),
        (READ, Some(&["TENANT#acme2"]), NOBODY),
        (WRITE, Some(&["TENANT#acme2"]), NOBODY),
        (READ, Some(&["TENANT#"]), NOBODY),
        (READ, Some(&["TENANT#acme#members"]), NOBODY),
        // One foreign partition among own ones spoils the request.
        (READ, Some(&["USER#ann-1", "USER#bob-2"]), NOBODY),
        (WRITE, Some(&["TENANT#acme", "TENANT#globex"]), NOBODY),
        // Everybody reads it; its writer is none of these roles.
        (READ, Some(&["PUBLIC#leaderboard"]), EVERYBODY),
        (WRITE, Some(&["PUBLIC#leaderboard"]), NOBODY),
        (READ, Some(&["PUBLIC#"]), NOBODY),
        (READ, Some(&["PUBLIC#leaderboard2"]), NOBODY),
        (READ, Some(&["PUBLIC#leaderboard", "USER#bob-2"]), NOBODY),
        (READ, Some(&[&own_identity]), NOBODY),
        (READ, Some(&[&guest]), GUESTS),
        (&["dynamodb:DeleteItem"], Some(&[&guest]), GUESTS),
        (READ, Some(&[&other_guest]), NOBODY),
        (WRITE, Some(&[&other_guest]), NOBODY),
        (READ, Some(&[&guest, &other_guest]), NOBODY),
        (READ, Some(&["GUEST#"]), NOBODY),
        // A guest's write that says nothing of what it writes is not let through.
        (&["dynamodb:PutItem", "dynamodb:UpdateItem"], Some(&[&guest]), NOBODY),
        // Without a partition there is nothing to compare.
        (READ, None, NOBODY),
    ];
    for (actions, keys, expected) in rows {
        for action in actions {
            assert_eq!(each(|role| ANN.records(role, action, keys)), expected, "{action} {keys:?}");
        }
    }
}

#[test]
fn a_guest_writes_his_own_records_and_never_when_they_end() {
    let own = format!("GUEST#{IDENTITY}");
    let other = format!("GUEST#{OTHER_IDENTITY}");
    let ledger = format!("LEDGER#{IDENTITY}");
    let rows: [(&[&str], &str, bool); 14] = [
        (&["pk", "sk", "data", "tenant", "updated_at"], &own, true),
        (&["pk", "sk", "data"], &own, true),
        (&["pk", "sk"], &own, true),
        (&["pk", "sk", "data", "expires_at"], &own, false),
        (&["expires_at"], &own, false),
        (&["pk", "sk", "data", "Expires_at"], &own, false),
        (&["pk", "sk", "data", "role"], &own, false),
        (&["pk", "sk", "data "], &own, false),
        (&["pk", "sk", "data"], &other, false),
        (&["pk", "sk", "data"], "GUEST#", false),
        (&["pk", "sk", "data"], "USER#ann-1", false),
        (&["pk", "sk", "data"], &ledger, false),
        (&["pk", "sk", "data"], "PUBLIC#leaderboard", false),
        (&["pk", "sk", "data"], &format!("IDENTITY#{IDENTITY}"), false),
    ];
    let [_, _, guest] = &*SESSIONS;
    let nobody = Session::default();
    for (attributes, key, expected) in rows {
        for action in ["dynamodb:PutItem", "dynamodb:UpdateItem"] {
            assert_eq!(ANN.writes(guest, action, Some(&[key]), attributes), expected, "{action} {attributes:?} {key}");
            // One item of somebody else's spoils a transaction, and no partition at all is none of his.
            assert!(!ANN.writes(guest, action, Some(&[key, &other]), attributes), "{action} {key}");
            assert!(!ANN.writes(guest, action, None, attributes), "{action}");
            assert!(!nobody.writes(guest, action, Some(&[key]), attributes), "{action} {key}");
        }
    }
    // Those who are signed in write what they like into what is theirs: it has no end.
    assert!(SESSIONS.iter().take(2).all(|role| ANN.writes(
        role,
        "dynamodb:PutItem",
        Some(&["USER#ann-1"]),
        &["expires_at"]
    )));
}

#[test]
fn a_guest_may_do_a_handful_of_things_and_nothing_else() {
    let [_, _, guest] = &*SESSIONS;
    let tables = ["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"].map(|name| format!("dynamodb:{name}"));
    let expected = tables.into_iter().chain(["s3:GetObject".to_owned()]).collect();
    assert_eq!(guest.actions(), expected);
}

#[test]
fn no_request_goes_past_the_partitions() {
    // Nor when the check is eased for an emulator: then it is the list of
    // actions alone that holds.
    for check in ["required", "when-supplied"] {
        let parameters = [("LeadingKeysCheck", check), ("GuestAccess", "true"), ("IdentityPoolTrusts", "both")];
        let template = deployed(&parameters);
        for role in ROLES.map(|role| Role::of(&template, role).expect("a role")) {
            for action in NEVER_ON_TABLES {
                for keys in [None, Some(["USER#ann-1"].as_slice()), Some(&["TENANT#acme"])] {
                    assert!(!ANN.records(&role, action, keys), "{check}: {action} {keys:?}");
                }
            }
            // Eased or not, a foreign partition that is named stays closed.
            let (guest, ledger) = (format!("GUEST#{OTHER_IDENTITY}"), format!("LEDGER#{IDENTITY}"));
            for key in ["USER#bob-2", "TENANT#acme2", "PUBLIC#other", &guest, &ledger, "KEYS#ann-1"] {
                assert!(!ANN.records(&role, "dynamodb:Query", Some(&[key])), "{check}: {key}");
            }
            for table in ["DirectoryTable", "ItemsTable", "LegacyUsersTable", "SignInAttemptsTable"] {
                for key in ["USER#ann-1", "TENANT#acme", "acme#items", "acme#members", "EMAIL#ann@acme.example"] {
                    assert!(!ANN.of_table(&role, "dynamodb:Query", table, Some(&[key])), "{check}: {table} {key}");
                    assert!(!ANN.of_table(&role, "dynamodb:GetItem", table, Some(&[key])), "{check}: {table} {key}");
                }
            }
        }
    }
}

// ---- Who lacks a tag

#[test]
fn without_a_tag_nothing_of_its_kind_is_open() {
    let nobody = Session::default();
    let without_tenant = Session { tenant: None, ..ANN };
    let without_subject = Session { subject: None, ..ANN };
    let files = [
        (nobody, "users//a.txt", NOBODY),
        (nobody, "users/ann-1/a.txt", NOBODY),
        (nobody, "users/None/a.txt", NOBODY),
        (nobody, "tenants//a.txt", NOBODY),
        (nobody, "tenants/acme/a.txt", NOBODY),
        (nobody, "public/a.txt", EVERYBODY),
        (without_tenant, "users/ann-1/a.txt", SIGNED_IN),
        (without_tenant, "tenants//a.txt", NOBODY),
        (without_tenant, "tenants/acme/a.txt", NOBODY),
        (without_subject, "users//a.txt", NOBODY),
        (without_subject, "tenants/acme/a.txt", SIGNED_IN),
    ];
    for (session, key, expected) in files {
        assert_eq!(each(|role| session.file(role, "s3:GetObject", key)), expected, "{session:?} {key}");
    }
    for prefix in ["users//", "tenants//", "users/ann-1/", "tenants/acme/", ""] {
        assert_eq!(each(|role| nobody.listing(role, Some(prefix))), NOBODY, "{prefix}");
    }
    assert_eq!(each(|role| without_tenant.file(role, "s3:PutObject", "tenants//a.txt")), NOBODY);
    let records = [
        (nobody, "USER#", NOBODY),
        (nobody, "USER#ann-1", NOBODY),
        (nobody, "TENANT#", NOBODY),
        (without_tenant, "TENANT#", NOBODY),
        (without_tenant, "TENANT#acme", NOBODY),
        (without_tenant, "USER#ann-1", SIGNED_IN),
        (without_subject, "USER#", NOBODY),
        (without_subject, "TENANT#acme", SIGNED_IN),
    ];
    for (session, key, expected) in records {
        assert_eq!(each(|role| session.records(role, "dynamodb:Query", Some(&[key]))), expected, "{session:?} {key}");
    }
}

// ---- Whom a provider has signed in directly

#[test]
fn an_identity_has_its_own_things_where_external_providers_are_trusted() {
    let direct = Session { identity: Some(IDENTITY), ..Session::default() };
    let other = Session { identity: Some(OTHER_IDENTITY), ..Session::default() };
    let nobody = Session::default();
    for (trusts, opens) in [("user-pool", false), ("external", true), ("both", true)] {
        let template = deployed(&[("IdentityPoolTrusts", trusts), ("GuestAccess", "true")]);
        let role = Role::of(&template, "AuthenticatedRole").expect("a role");
        let (file, folder) = (format!("identities/{IDENTITY}/a.txt"), format!("identities/{IDENTITY}/"));
        let partition = format!("IDENTITY#{IDENTITY}");
        for action in ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] {
            assert_eq!(direct.file(&role, action, &file), opens, "{trusts} {action}");
            assert!(!other.file(&role, action, &file), "{trusts} {action}");
            for key in ["identities//a.txt", "identities/a.txt", &format!("identities/{IDENTITY}0/a.txt")] {
                assert!(
                    !direct.file(&role, action, key) && !nobody.file(&role, action, key),
                    "{trusts} {action} {key}"
                );
            }
            // A provider's subject may be anything, a user's of the pool too.
            assert!(!direct.file(&role, action, "users/ann-1/a.txt"), "{trusts} {action}");
        }
        assert_eq!(direct.listing(&role, Some(&folder)), opens, "{trusts}");
        assert!(!other.listing(&role, Some(&folder)) && !direct.listing(&role, Some("identities/")), "{trusts}");
        for action in ["dynamodb:Query", "dynamodb:PutItem"] {
            assert_eq!(direct.records(&role, action, Some(&[&partition])), opens, "{trusts} {action}");
            assert!(!other.records(&role, action, Some(&[&partition])), "{trusts} {action}");
            assert!(!direct.records(&role, action, None), "{trusts} {action}");
            for key in ["IDENTITY#", "USER#ann-1", &format!("GUEST#{IDENTITY}")] {
                assert!(!direct.records(&role, action, Some(&[key])), "{trusts} {action} {key}");
                assert!(!nobody.records(&role, action, Some(&[key])), "{trusts} {action} {key}");
            }
        }
        // A guest has an identity, too, and it opens nothing of this.
        let guest = Role::of(&template, "GuestRole").expect("a role");
        assert!(
            !direct.file(&guest, "s3:GetObject", &file)
                && !direct.records(&guest, "dynamodb:Query", Some(&[&partition]))
        );
    }
}

// ---- Who may take the roles

#[test]
fn a_role_is_taken_through_this_identity_pool_alone() {
    let template = deployed(&[("GuestAccess", "true")]);
    let cognito = "cognito-identity.amazonaws.com";
    let signed_in: &[&str] = &["authenticated", "cognito-idp.us-east-1.amazonaws.com/us-east-1_UserPool"];
    let guest: &[&str] = &["unauthenticated"];
    // Who calls, for which pool, signed in how; what each role's trust says.
    type Row<'a> = (&'a str, Option<&'a str>, &'a [&'a str], [bool; 3]);
    let rows: [Row<'_>; 8] = [
        (cognito, Some(IDENTITY_POOL), signed_in, [true, true, false]),
        (cognito, Some(IDENTITY_POOL), guest, [false, false, true]),
        (cognito, Some("us-east-1:someone-elses"), signed_in, NOBODY),
        (cognito, Some("us-east-1:someone-elses"), guest, NOBODY),
        (cognito, None, signed_in, NOBODY),
        (cognito, Some(IDENTITY_POOL), &[], NOBODY),
        (cognito, Some(IDENTITY_POOL), &["graph.facebook.com"], NOBODY),
        ("accounts.google.com", Some(IDENTITY_POOL), signed_in, NOBODY),
    ];
    for (caller, audience, methods, expected) in rows {
        let mut context = Context::new();
        if let Some(audience) = audience {
            context = context.with_string("cognito-identity.amazonaws.com:aud", audience);
        }
        if !methods.is_empty() {
            let methods = methods.iter().map(|method| (*method).to_owned()).collect();
            context.insert("cognito-identity.amazonaws.com:amr".into(), ContextValue::StringList(methods));
        }
        for (role, expected) in ROLES.into_iter().zip(expected) {
            let trust = iam::trust(&template, role).expect("a trust policy");
            let asked = |action: &str| {
                let principal = Principal::Federated(PrincipalId::String(caller.to_owned()));
                let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
                iam::allows(&trust, principal, action, &arn, &context).expect("an evaluation")
            };
            assert_eq!(asked("sts:AssumeRoleWithWebIdentity"), expected, "{role} {caller} {audience:?} {methods:?}");
            // Tags are what the identity pool says of users; of guests it says nothing.
            // https://docs.aws.amazon.com/cognito/latest/developerguide/using-afac-with-cognito-identity-pools.html
            assert_eq!(asked("sts:TagSession"), expected && role != "GuestRole", "{role} {methods:?}");
            assert!(!asked("sts:AssumeRole") && !asked("sts:AssumeRoleWithSAML"), "{role}");
        }
    }
}

#[test]
fn the_roles_trust_nobody_else() {
    let template = deployed(&[("GuestAccess", "true")]);
    for role in ROLES {
        let trust = iam::trust(&template, role).expect("a trust policy");
        let principals: Vec<&Value> = trust.iter().filter_map(|statement| statement.get("Principal")).collect();
        assert_eq!(principals, [&json!({ "Federated": "cognito-identity.amazonaws.com" })], "{role}");
    }
}

// ---- Anything

fn names() -> impl Strategy<Value = String> {
    // Neighbours that begin alike, and anything else that may be a name.
    prop_oneof![Just("acme".to_owned()), Just("acme2".to_owned()), Just("a".to_owned()), "[a-z0-9][a-z0-9-]{0,20}"]
}

fn places() -> impl Strategy<Value = String> {
    let kinds = prop_oneof![Just("users/"), Just("tenants/"), Just("public/"), Just("identities/"), Just("")];
    (kinds, names(), prop_oneof![Just("/"), Just(""), Just("/../"), Just("//")], "[ -~&&[^*?]]{0,12}")
        .prop_map(|(kind, name, between, rest)| format!("{kind}{name}{between}{rest}"))
}

fn partitions() -> impl Strategy<Value = String> {
    let kinds =
        prop_oneof![Just("USER#"), Just("TENANT#"), Just("GUEST#"), Just("PUBLIC#"), Just("IDENTITY#"), Just("")];
    prop_oneof![
        3 => (kinds, names(), "[ -~]{0,3}").prop_map(|(kind, name, rest)| format!("{kind}{name}{rest}")),
        1 => prop_oneof![
            Just("PUBLIC#leaderboard".to_owned()),
            Just(format!("GUEST#{IDENTITY}")),
            Just(format!("GUEST#{OTHER_IDENTITY}")),
            Just(format!("LEDGER#{IDENTITY}")),
        ],
    ]
}

/// What a guest may write, here by hand: the rule file's list is held against the role elsewhere.
const WRITABLE: [&str; 5] = ["pk", "sk", "data", "tenant", "updated_at"];

fn attributes() -> impl Strategy<Value = Vec<String>> {
    let names = prop_oneof![
        6 => prop::sample::select(WRITABLE.to_vec()).prop_map(str::to_owned),
        1 => Just("expires_at".to_owned()),
        1 => "[a-z_#]{0,6}",
    ];
    prop::collection::vec(names, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_open_is_ones_own_ones_tenants_or_public(
        subject in prop::option::of(names()),
        tenant in prop::option::of(names()),
        place in places(),
        keys in prop::collection::vec(partitions(), 1..3),
        attributes in attributes(),
    ) {
        let session = Session { subject: subject.as_deref(), tenant: tenant.as_deref(), identity: Some(IDENTITY) };
        let below = |folder: &str, name: &Option<String>| {
            name.as_ref().is_some_and(|name| place.starts_with(&format!("{folder}/{name}/")))
        };
        let own = below("users", &subject);
        let (tenants, public) = (below("tenants", &tenant), place.starts_with("public/"));
        let is = |kind: &str, name: &Option<String>| {
            name.as_ref().is_some_and(|name| keys.iter().all(|key| *key == format!("{kind}#{name}")))
        };
        let is_all = |wanted: &str| keys.iter().all(|key| key == wanted);
        let (leaderboard, guests) = (is_all("PUBLIC#leaderboard"), is_all(&format!("GUEST#{IDENTITY}")));
        let writable = attributes.iter().all(|name| WRITABLE.contains(&name.as_str()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
        for (role, (admin, guest)) in SESSIONS.iter().zip([(false, false), (true, false), (false, true)]) {
            prop_assert_eq!(session.file(role, "s3:GetObject", &place), public || !guest && (own || tenants));
            prop_assert_eq!(session.file(role, "s3:PutObject", &place), !guest && (own || admin && tenants));
            let (own, tenants) = (is("USER", &subject), is("TENANT", &tenant));
            let reads = leaderboard || guest && guests || !guest && (own || tenants);
            prop_assert_eq!(session.records(role, "dynamodb:Query", Some(&keys)), reads);
            let writes = guest && guests && writable || !guest && (own || admin && tenants);
            prop_assert_eq!(session.writes(role, "dynamodb:PutItem", Some(&keys), &attributes), writes);
        }
    }
}
