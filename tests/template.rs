//! Code and `template.yaml` hold together: every function, setting, IAM action
//! and route in one is in the other, and nothing in the template is wider or
//! laxer than the suite needs.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check fails by panicking"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use shared::claims::{EventVersion, Source};
use shared::migration::{MigrationRules, Store};
use shared::rules::Rules;
use tests::template::{Template, items, members, texts};
use tests::workspace_root;
use user_migration::OldSystem;

type Read = fn(shell::Lookup<'_>) -> Result<(), shell::SettingError>;

/// One function as the code knows it.
struct Function {
    name: &'static str,
    read: Read,
    actions: &'static [&'static str],
    tenant_actions: &'static [&'static str],
    /// What Lambda does in its name, to bring it its events.
    source_actions: &'static [&'static str],
}

/// Every function. A new one needs a row; the first test says so.
fn functions() -> Vec<Function> {
    fn row(name: &'static str, read: Read, actions: &'static [&'static str]) -> Function {
        Function { name, read, actions, tenant_actions: &[], source_actions: &[] }
    }
    vec![
        row(
            "pre-sign-up",
            |lookup| pre_sign_up::Settings::with_rules(lookup, rules_with_challenge()).map(drop),
            pre_sign_up::ACTIONS,
        ),
        row(
            "post-confirmation",
            |lookup| post_confirmation::Settings::read(lookup).map(drop),
            post_confirmation::ACTIONS,
        ),
        row(
            "pre-token-generation",
            |lookup| pre_token_generation::Settings::read(lookup).map(drop),
            pre_token_generation::ACTIONS,
        ),
        row(
            "authorizer",
            |lookup| authorizer::Settings::with_rules(lookup, rules_with_revocation()).map(drop),
            authorizer::ACTIONS,
        ),
        Function {
            tenant_actions: user_api::TENANT_ACTIONS,
            ..row(
                "user-api",
                |lookup| user_api::Settings::with_rules(lookup, &rules_with_revocation()).map(drop),
                user_api::ACTIONS,
            )
        },
        Function {
            tenant_actions: admin_api::TENANT_ACTIONS,
            ..row(
                "admin-api",
                |lookup| admin_api::Settings::with_rules(lookup, rules_with_revocation()).map(drop),
                admin_api::ACTIONS,
            )
        },
        // What it may do depends on the old system; a test of its own looks at that.
        row("user-migration", |lookup| user_migration::Settings::read(lookup).map(drop), user_migration::ACTIONS),
        // It is there only with an existing pool; a test of its own looks at what it may do.
        row("pool-attachment", |lookup| pool_attachment::Settings::read(lookup).map(drop), &[]),
        Function {
            source_actions: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            ..row(
                "guest-promotion",
                |lookup| guest_promotion::Settings::read(lookup).map(drop),
                guest_promotion::ACTIONS,
            )
        },
        Function {
            source_actions: &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
                "sqs:SendMessage",
            ],
            ..row("guest-keeper", |lookup| guest_keeper::Settings::read(lookup).map(drop), guest_keeper::ACTIONS)
        },
    ]
}

/// What every function's role may do besides: write its own log and its traces.
const COMMON_ACTIONS: [&str; 4] =
    ["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/// Settings that every function takes and none must have.
const COMMON_SETTINGS: [&str; 2] = ["LOG_LEVEL", "RULES_FILE"];

fn template() -> Template {
    Template::read().unwrap()
}

/// With what is off by default: everything that is there with these parameters.
fn with(parameters: &[(&str, &str)]) -> Template {
    Template::deployed(parameters).unwrap()
}

/// Everything that can be there at once.
fn whole() -> Template {
    with(&[
        ("OtherProviders", "CorpOIDC"),
        ("MigrationStore", "table"),
        ("MachineClient", "true"),
        ("GuestAccess", "true"),
        ("ChallengeSecretArn", CHALLENGE_SECRET),
        ("Revocation", "on"),
    ])
}

const CHALLENGE_SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:challenge-a1b2c3";

/// The shipped rules with what is off in them and has a setting.
fn rules_with_challenge() -> Rules {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let challenge = "[sign_up.challenge]\nparameter = \"captcha\"\nverify_url = \"https://verify.example/\"\n";
    Rules::read(&format!("{text}\n{challenge}")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules_with_revocation() -> Rules {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let on = text.replace("[revocation]\nmode = \"off\"", "[revocation]\nmode = \"on\"");
    assert_ne!(on, text, "the shipped file says that revocation is off");
    Rules::read(&on).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules() -> Rules {
    Rules::read(&std::fs::read_to_string(rules_file()).unwrap()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules_file() -> std::path::PathBuf {
    workspace_root().join("rules/rules.toml")
}

/// `user-api` is `UserApiFunction` in the template.
fn logical_id(name: &str) -> String {
    let word = |word: &str| word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect();
    format!("{}Function", name.split('-').map(word).collect::<Vec<String>>().concat())
}

fn role_of(template: &Template, function: &str) -> String {
    let role = &template.resource(function).unwrap()["Properties"]["Role"]["Fn::GetAtt"][0];
    role.as_str().expect("a function has a role of its own").to_owned()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

// ---- Functions, settings, actions

#[test]
fn every_function_of_the_code_is_in_the_template_and_the_other_way_round() {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(workspace_root().join("functions")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("src/main.rs").is_file() {
            folders.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    let listed: BTreeSet<String> = functions().iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(listed, folders, "the list in this file");

    let template = template();
    let mut built = BTreeSet::new();
    for (id, function) in template.of_type("AWS::Serverless::Function") {
        let name = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary").to_owned();
        assert_eq!(id, logical_id(&name));
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{name}"), "{id}");
        built.insert(name);
    }
    assert_eq!(built, folders, "the template's functions");
}

#[test]
fn every_setting_that_a_function_reads_is_set_and_no_other() {
    let template = whole();
    for function in functions() {
        let mut environment = template.environment(&logical_id(function.name)).unwrap();
        // The layer is mounted in Lambda only.
        environment.insert("RULES_FILE".to_owned(), rules_file().to_str().unwrap().to_owned());
        let asked = RefCell::new(BTreeSet::new());
        let lookup = |key: &str| {
            asked.borrow_mut().insert(key.to_owned());
            environment.get(key).cloned()
        };
        // The template's own values are ones that the function takes.
        (function.read)(&lookup).unwrap_or_else(|error| panic!("{}: {error}", function.name));
        let common = set(&COMMON_SETTINGS);
        let set: BTreeSet<String> = environment.keys().cloned().collect();
        let mut asked = asked.into_inner();
        if function.name == "user-migration" {
            asked.retain(|key| !OF_OTHER_STORES.contains(&key.as_str()));
        }
        assert_eq!(&asked - &common, &set - &common, "{}: what it reads, what the template sets", function.name);
    }
}

/// Settings of user-migration that it looks for, and that the store "table" has not.
const OF_OTHER_STORES: [&str; 4] = ["OLD_USER_POOL_ID", "OLD_CLIENT_ID", "ENDPOINT_URL", "SECRET_ARN"];

#[test]
fn a_role_may_do_exactly_what_its_function_calls() {
    let template = whole();
    let common = set(&COMMON_ACTIONS);
    let apart = ["pool-attachment", "user-migration"];
    for function in functions().iter().filter(|function| !apart.contains(&function.name)) {
        let role = role_of(&template, &logical_id(function.name));
        let statements = template.statements(&role).unwrap();
        let may: BTreeSet<String> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
        assert!(common.is_subset(&may), "{}: {may:?}", function.name);
        assert_eq!(&may - &common, &set(function.actions) | &set(function.source_actions), "{}", function.name);
        // What Lambda does in the function's name stands apart, and is about its sources alone.
        let policies = &template.resource(&role).unwrap()["Properties"]["Policies"];
        let of_source = items(policies).find(|policy| policy["PolicyName"] == "event-source");
        let of_source = of_source.map(|policy| template.resolve(&policy["PolicyDocument"]["Statement"]).unwrap());
        let of_source = items(of_source.as_ref().unwrap_or(&Value::Null)).map(|statement| texts(&statement["Action"]));
        assert_eq!(of_source.flatten().collect::<BTreeSet<_>>(), set(function.source_actions), "{}", function.name);
    }
}

#[test]
fn accounts_are_linked_only_where_there_are_providers() {
    use pre_sign_up::actions::{INVITATIONS, LINKING};
    let providers = with(&[("OtherProviders", "CorpOIDC")]);
    let rows = [(template(), set(INVITATIONS)), (providers, &set(INVITATIONS) | &set(LINKING))];
    for (template, expected) in rows {
        let statements = template.statements("PreSignUpRole").unwrap();
        let may: BTreeSet<String> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
        assert_eq!(&may - &set(&COMMON_ACTIONS), expected);
    }
}

#[test]
fn a_challenge_brings_its_setting_its_secret_and_its_marks() {
    use pre_sign_up::actions::{CHALLENGE_SECRET as SECRET, CHALLENGES, INVITATIONS};
    let settings = |template: &Template, rules| {
        let environment = template.environment("PreSignUpFunction").unwrap();
        let lookup = |key: &str| environment.get(key).cloned();
        pre_sign_up::Settings::with_rules(&lookup, rules).map(|settings| settings.challenge_secret_arn)
    };
    let (off, on) = (template(), with(&[("ChallengeSecretArn", CHALLENGE_SECRET)]));
    assert_eq!(settings(&off, rules()).unwrap(), None);
    assert_eq!(settings(&on, rules_with_challenge()).unwrap().as_deref(), Some(CHALLENGE_SECRET));
    // Template and rules that disagree do not start.
    assert!(settings(&off, rules_with_challenge()).is_err() && settings(&on, rules()).is_err());

    let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in on.statements("PreSignUpRole").unwrap() {
        let actions = &texts(&statement["Action"]) - &set(&COMMON_ACTIONS);
        if actions == set(CHALLENGES) {
            let keys = serde_json::json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["CHALLENGE#*"]}});
            assert_eq!(statement["Condition"], keys);
        }
        for resource in texts(&statement["Resource"]).into_iter().filter(|_| !actions.is_empty()) {
            may.entry(resource).or_default().extend(actions.clone());
        }
    }
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/DirectoryTable";
    let expected = [(table.to_owned(), CHALLENGES), (format!("{table}/index/by-subject"), INVITATIONS)];
    let expected = expected.into_iter().chain([(CHALLENGE_SECRET.to_owned(), SECRET)]);
    assert_eq!(may, expected.map(|(resource, actions)| (resource, set(actions))).collect());
}

#[test]
fn revocation_brings_its_table_its_rights_and_its_routes_or_nothing() {
    let (off, on) = (template(), with(&[("Revocation", "on")]));
    let of_it = ["RevocationsTable", "AuthorizerRevocation", "UserApiRevocation", "AdminTenantRevocation"];
    let routes = ["SignOutRoute", "SignMemberOutRoute"];
    for id in of_it.into_iter().chain(routes) {
        assert!(!off.is_made(off.resource(id).unwrap()).unwrap(), "{id} is there though it is off");
        assert!(on.is_made(on.resource(id).unwrap()).unwrap(), "{id}");
    }
    let table = on.resource("RevocationsTable").unwrap()["Properties"].clone();
    assert_eq!(table["TimeToLiveSpecification"], serde_json::json!({"AttributeName": "expires_at", "Enabled": true}));

    let may = |template: &Template, role: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for statement in template.statements(role).unwrap() {
            let actions = texts(&statement["Action"]);
            for resource in texts(&statement["Resource"]) {
                may.entry(resource).or_default().extend(actions.clone());
            }
        }
        may
    };
    let marks = "arn:aws:dynamodb:us-east-1:123456789012:table/RevocationsTable";
    let rows: [(&str, &[&str]); 4] = [
        ("AuthorizerRole", authorizer::ACTIONS),
        ("UserApiRole", &["dynamodb:PutItem", "dynamodb:UpdateItem"]),
        ("AdminTenantRole", &["dynamodb:UpdateItem"]),
        ("UserTenantRole", &[]),
    ];
    for (role, expected) in rows {
        let mut with_it = may(&on, role);
        assert_eq!(with_it.remove(marks).unwrap_or_default(), set(expected), "{role}");
        assert_eq!(with_it, may(&off, role), "{role} may do more or less elsewhere");
    }

    // Template and rules that disagree do not start.
    for (function, name) in
        [("AuthorizerFunction", "authorizer"), ("UserApiFunction", "user-api"), ("AdminApiFunction", "admin-api")]
    {
        for (template, is_on) in [(&off, false), (&on, true)] {
            let environment = template.environment(function).unwrap();
            let lookup = |key: &str| environment.get(key).cloned();
            let starts = |rules: Rules| match name {
                "authorizer" => authorizer::Settings::with_rules(&lookup, rules).is_ok(),
                "user-api" => user_api::Settings::with_rules(&lookup, &rules).is_ok(),
                _ => admin_api::Settings::with_rules(&lookup, rules).is_ok(),
            };
            assert_eq!(starts(rules()), !is_on, "{name}, off in the rules");
            assert_eq!(starts(rules_with_revocation()), is_on, "{name}, on in the rules");
        }
    }
    // What the gateway remembers is not asked again, so there it may remember nothing.
    let rule = &on.section("Rules")["RevocationIsAskedEachTime"];
    assert_eq!(rule["RuleCondition"]["Fn::Equals"], serde_json::json!([{"Ref": "Revocation"}, "on"]));
    let assertion = &rule["Assertions"][0]["Assert"]["Fn::Equals"];
    assert_eq!(*assertion, serde_json::json!([{"Ref": "AuthorizerCacheSeconds"}, 0]));
}

#[test]
fn user_migration_reaches_its_own_old_system_and_no_other() {
    use user_migration::actions::{ARRIVALS, ATTEMPTS, LEGACY_USERS, OLD_POOL, SECRET};
    const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Old";
    const KEYS: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-a1b2c3";
    // What is deployed, and what the function may then do and where, beside counting and laying down.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a [&'a str])]);
    let legacy = "arn:aws:dynamodb:us-east-1:123456789012:table/LegacyUsersTable";
    let pool = [("MigrationStore", "pool"), ("OldUserPoolArn", POOL), ("OldClientId", "abc")];
    let rows: [Row<'_>; 5] = [
        (&[("MigrationStore", "table")], &[(legacy, LEGACY_USERS)]),
        (&[("MigrationStore", "table"), ("MigrationSecretArn", KEYS)], &[(legacy, LEGACY_USERS), (KEYS, SECRET)]),
        (&pool, &[(POOL, OLD_POOL)]),
        (&[pool.as_slice(), &[("MigrationSecretArn", KEYS)]].concat(), &[(POOL, OLD_POOL), (KEYS, SECRET)]),
        (
            &[("MigrationStore", "endpoint"), ("MigrationEndpointUrl", "https://x"), ("MigrationSecretArn", KEYS)],
            &[(KEYS, SECRET)],
        ),
    ];
    for (parameters, of_store) in rows {
        let always = [
            ("arn:aws:dynamodb:us-east-1:123456789012:table/SignInAttemptsTable", ATTEMPTS),
            ("arn:aws:dynamodb:us-east-1:123456789012:table/DirectoryTable", ARRIVALS),
        ];
        let expected: BTreeMap<String, BTreeSet<String>> =
            always.iter().chain(of_store).map(|(resource, actions)| ((*resource).to_owned(), set(actions))).collect();
        let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for statement in with(parameters).statements("UserMigrationRole").unwrap() {
            let actions = &texts(&statement["Action"]) - &set(&COMMON_ACTIONS);
            for resource in texts(&statement["Resource"]).into_iter().filter(|_| !actions.is_empty()) {
                may.entry(resource).or_default().extend(actions.clone());
            }
        }
        assert_eq!(may, expected, "{parameters:?}");
    }
}

const EXISTING: &str = "us-east-1_Existing1";

#[test]
fn pool_attachment_reaches_one_pool_its_own_functions_and_one_parameter() {
    use pool_attachment::actions::{FUNCTIONS, MEMORY, OWNER, POOL};
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:123456789012:{rest}");
    let functions = ["PreSignUp", "PostConfirmation", "PreTokenGeneration"]
        .map(|name| (arn("lambda", &format!("function:{name}Function")), set(FUNCTIONS)));
    let always = [
        (arn("cognito-idp", &format!("userpool/{EXISTING}")), set(POOL)),
        (arn("ssm", &format!("parameter/poolhouse/attachment/stack/{EXISTING}")), set(MEMORY)),
        (arn("cloudformation", "stack/*"), set(OWNER)),
    ];
    const ROLE: &str = "arn:aws:iam::123456789012:role/sms";
    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k";
    let rows = [
        (vec![], vec![]),
        (
            vec![("ExistingSmsRoleArn", ROLE), ("ExistingKeyArn", KEY)],
            vec![(ROLE.to_owned(), set(&["iam:PassRole"])), (KEY.to_owned(), set(&["kms:CreateGrant"]))],
        ),
    ];
    for (parameters, besides) in rows {
        let template = with(&[vec![("ExistingUserPoolId", EXISTING)], parameters].concat());
        let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for statement in template.statements("PoolAttachmentRole").unwrap() {
            let actions = &texts(&statement["Action"]) - &set(&COMMON_ACTIONS);
            for resource in texts(&statement["Resource"]).into_iter().filter(|_| !actions.is_empty()) {
                may.entry(resource).or_default().extend(actions.clone());
            }
        }
        let expected = always.iter().chain(&functions).cloned().chain(besides);
        assert_eq!(may, expected.collect());
    }
}

#[test]
fn with_an_existing_pool_no_other_is_made_and_nothing_waits_for_one() {
    let own = template();
    for (id, resource) in own.resources().filter(|(id, _)| id.starts_with("PoolAttachment")) {
        assert!(!own.is_made(resource).unwrap(), "{id}");
    }
    let parameters = [
        ("ExistingUserPoolId", EXISTING),
        ("ExistingApiId", "a1b2c3"),
        ("ExistingDirectoryTable", "people"),
        ("ExistingIdentityPoolId", "us-east-1:00000000-0000-4000-8000-000000000000"),
        ("MigrationStore", "table"),
        ("OtherProviders", "CorpOIDC"),
    ];
    let template = with(&parameters);
    let gone: BTreeSet<&str> =
        template.resources().filter(|(_, resource)| !template.is_made(resource).unwrap()).map(|(id, _)| id).collect();
    for id in ["UserPool", "UsersGroup", "PreSignUpPermission", "HttpApi", "Stage", "DirectoryTable", "IdentityPool"] {
        assert!(gone.contains(id), "{id} is made beside the existing one");
    }
    let mut named = String::new();
    for (id, resource) in template.resources().filter(|(_, resource)| template.is_made(resource).unwrap()) {
        for needed in template.needs(&resource["Properties"]).unwrap() {
            assert!(!gone.contains(needed.as_str()), "{id} needs {needed}, which is not made");
        }
        named.push_str(&template.resolve(&resource["Properties"]).unwrap().to_string());
    }
    for (_, value) in parameters.iter().take(4) {
        assert!(named.contains(value), "nothing names {value}");
    }
    let attachment = template.resolve(&template.resource("PoolAttachment").unwrap()["Properties"]).unwrap();
    let triggers: BTreeSet<&str> = members(&attachment["Triggers"]).map(|(name, _)| name.as_str()).collect();
    let all = shared::attachment::Slot::ALL.map(shared::attachment::Slot::name);
    assert_eq!(triggers, all.into_iter().collect());
}

#[test]
fn user_migration_is_told_where_its_old_system_is() {
    let file = std::fs::read_to_string(rules_file()).unwrap();
    let shipped = rules().migration.expect("the shipped file says how users are moved in");
    assert!(matches!(shipped.store, Store::Table), "{file}");
    let stored = |store: Store| Some(MigrationRules { store, hashes: None, ..shipped.clone() });
    const POOL: &str = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Old";
    const KEYS: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-a1b2c3";
    let endpoint = "https://old.example/users";
    let pool = with(&[("MigrationStore", "pool"), ("OldUserPoolArn", POOL), ("OldClientId", "abc")]);
    let by_endpoint =
        with(&[("MigrationStore", "endpoint"), ("MigrationEndpointUrl", endpoint), ("MigrationSecretArn", KEYS)]);
    let rows = [
        (
            with(&[("MigrationStore", "table")]),
            Some(shipped.clone()),
            OldSystem::Table { name: "LegacyUsersTable".into() },
        ),
        (pool, stored(Store::Pool), OldSystem::Pool { id: "eu-west-1_Old".into(), client_id: "abc".into() }),
        (by_endpoint, stored(Store::Endpoint), OldSystem::Endpoint { url: endpoint.to_owned() }),
    ];
    for (template, rules, expected) in rows {
        let environment = template.environment("UserMigrationFunction").unwrap();
        let lookup = |key: &str| environment.get(key).cloned();
        let settings = user_migration::Settings::with_rules(&lookup, rules).unwrap();
        assert_eq!(settings.old_system, expected);
        // Template and rules that disagree do not start.
        let other = stored(if matches!(expected, OldSystem::Pool { .. }) { Store::Table } else { Store::Pool });
        assert!(user_migration::Settings::with_rules(&lookup, other).is_err(), "{expected:?}");
        assert!(user_migration::Settings::with_rules(&lookup, None).is_err(), "{expected:?}");
    }
}

#[test]
fn nothing_of_an_old_system_is_there_unless_it_is_asked_for() {
    let template = template();
    let pool = template.resolve(&template.resource("UserPool").unwrap()["Properties"]).unwrap();
    assert!(pool["LambdaConfig"]["UserMigration"].is_null());
    for (id, resource) in template.resources() {
        let of_it = id.starts_with("UserMigration") || ["LegacyUsersTable", "SignInAttemptsTable"].contains(&id);
        assert!(!of_it || !template.is_made(resource).unwrap(), "{id}");
    }
    let whole = whole();
    let memory = &whole.resource("UserMigrationFunction").unwrap()["Properties"]["MemorySize"];
    // Processor time grows with memory, and this is where a whole processor is reached.
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    assert_eq!(whole.resolve(memory).unwrap(), 1769);
}

#[test]
fn a_tenant_role_may_do_exactly_what_its_back_end_calls_with_it() {
    let template = template();
    for function in functions().iter().filter(|function| !function.tenant_actions.is_empty()) {
        let back_end = template.resource(&logical_id(function.name)).unwrap();
        let setting = &back_end["Properties"]["Environment"]["Variables"]["TENANT_ROLE_ARN"];
        let role = setting["Fn::GetAtt"][0].as_str().expect("a role of this template");
        let statements = template.statements(role).unwrap();
        let may: BTreeSet<String> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
        assert_eq!(may, set(function.tenant_actions), "{role}");
    }
}

#[test]
fn roles_are_as_narrow_as_their_service_allows() {
    let template = whole().with("IdentityPoolTrusts", "both").unwrap();
    let roles: Vec<&str> = template.of_type("AWS::IAM::Role").map(|(id, _)| id).collect();
    let tenant_roles = functions().iter().filter(|function| !function.tenant_actions.is_empty()).count();
    let expected = functions().len() + tenant_roles + IDENTITY_ROLES.len();
    assert_eq!(roles.len(), expected, "one role a function, one a back end for tenants, those of the identity pool");
    for role in roles {
        let properties = &template.resource(role).unwrap()["Properties"];
        assert!(properties["ManagedPolicyArns"].is_null(), "{role}: managed policies are wider than needed");
        for statement in template.statements(role).unwrap() {
            assert_eq!(statement["Effect"], "Allow", "{role}");
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty() && actions.iter().all(|action| !action.contains('*')), "{role}: {actions:?}");
            // The two kinds of actions that know no resource; the second knows a pool.
            let traces = actions.iter().all(|action| action.starts_with("xray:"));
            let of_pool = statement["Condition"]["ArnEquals"]["cognito-identity:IdentityPoolArn"].is_string();
            let anywhere = traces || of_pool && actions == set(&["cognito-identity:DeleteIdentities"]);
            for resource in texts(&statement["Resource"]) {
                // A log group's streams, and the files below a folder.
                let place = resource.trim_end_matches(":*").trim_end_matches("/*");
                let narrow = resource.starts_with("arn:") && !place.contains('*');
                assert!(narrow || anywhere && resource == "*", "{role}: {actions:?} on {resource}");
            }
            // A stream has no partitions to name: it is read whole or not at all.
            let of_stream = texts(&statement["Resource"]).iter().all(|resource| resource.contains("/stream/"));
            // The old users' table has no other readers, and names anything as key.
            let on_table = !of_stream
                && actions.iter().any(|action| action.starts_with("dynamodb:"))
                && texts(&statement["Resource"]).iter().all(|resource| !resource.ends_with("/LegacyUsersTable"));
            let operators = ["ForAllValues:StringLike", "ForAllValues:StringEquals"];
            let keys = operators.map(|operator| texts(&statement["Condition"][operator]["dynamodb:LeadingKeys"]));
            let keys: BTreeSet<String> = keys.into_iter().flatten().collect();
            assert!(!on_table || keys.iter().all(|key| key.contains('#')), "{role}: {statement}");
            assert!(!on_table || !keys.is_empty(), "{role}: {statement}");
        }
    }
}

/// Roles that people take, through the identity pool.
const IDENTITY_ROLES: [&str; 3] = ["AuthenticatedRole", "AdministratorRole", "GuestRole"];

#[test]
fn every_role_belongs_to_one_function() {
    let template = template();
    let mut users: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, _) in template.of_type("AWS::Serverless::Function") {
        users.entry(role_of(&template, id)).or_default().push(id);
    }
    for (role, users) in users {
        assert_eq!(users.len(), 1, "{role}");
        let trust = &template.resource(&role).unwrap()["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        let trusted: Vec<&Value> = items(trust).map(|statement| &statement["Principal"]).collect();
        assert_eq!(trusted, [&serde_json::json!({ "Service": "lambda.amazonaws.com" })], "{role}");
    }
}

// ---- Routes and authorizer

/// Routes that no token of the user pool opens, so that no rule can be about
/// them. A guest has no user yet: the function looks at what proves him.
const WITHOUT_USER: [&str; 1] = ["PUT /guest/claim"];

#[test]
fn the_api_has_the_routes_of_the_rule_file_and_no_other() {
    let template = template();
    let mut of_rules: BTreeSet<String> =
        rules().routes.rules().map(|rule| format!("{} {}", rule.method.as_str(), rule.path)).collect();
    for key in WITHOUT_USER {
        assert!(of_rules.insert(key.to_owned()), "{key} has a rule that nobody reads");
    }
    let routes = template.of_type("AWS::ApiGatewayV2::Route");
    let of_template: Vec<&str> = routes.map(|(_, route)| route["Properties"]["RouteKey"].as_str().unwrap()).collect();
    assert_eq!(of_template.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(), of_rules);
    assert_eq!(of_template.len(), of_rules.len(), "a route is written twice");
}

#[test]
fn no_route_goes_round_the_authorizer() {
    let template = template();
    for (id, route) in template.of_type("AWS::ApiGatewayV2::Route") {
        let properties = &route["Properties"];
        let key = properties["RouteKey"].as_str().unwrap();
        if WITHOUT_USER.contains(&key) {
            assert_eq!(properties["AuthorizationType"], "NONE", "{id}");
            assert!(properties["AuthorizerId"].is_null(), "{id}");
        } else {
            assert_eq!(properties["AuthorizationType"], "CUSTOM", "{id}");
            assert_eq!(properties["AuthorizerId"]["Ref"], "Authorizer", "{id}");
        }
        let expected = match key.split('/').nth(1) {
            Some("admin") => "integrations/AdminApiIntegration",
            Some("guest") => "integrations/GuestPromotionIntegration",
            _ => "integrations/UserApiIntegration",
        };
        assert_eq!(template.resolve(&properties["Target"]).unwrap(), expected, "{id}");
        // What belongs to guests is there with them, and nothing else hangs on them.
        assert_eq!(route["Condition"] == "HasGuests", key.contains(" /guest/"), "{id}");
        assert_eq!(route["Condition"] == "Revokes", key.ends_with("/sign-out"), "{id}");
    }
    // Whoever needs no token has a limit of his own, far below everybody's.
    let stage = template.resource("Stage").unwrap()["Properties"].clone();
    let limits = whole().resolve(&stage["RouteSettings"]).unwrap();
    assert_eq!(members(&limits).map(|(key, _)| key.as_str()).collect::<Vec<_>>(), WITHOUT_USER);
    for (key, limit) in members(&limits) {
        let per_second = limit["ThrottlingRateLimit"].as_u64().unwrap();
        assert!((1..100).contains(&per_second) && limit["ThrottlingBurstLimit"].as_u64().unwrap() < 100, "{key}");
    }
    assert!(template.resolve(&stage["RouteSettings"]).unwrap().is_null(), "settings of a route that is not there");
    // A URL of its own or an event source would be another way in.
    for (id, function) in template.of_type("AWS::Serverless::Function") {
        for way in ["Events", "FunctionUrlConfig"] {
            assert!(function["Properties"][way].is_null(), "{id} has {way}");
        }
    }
}

#[test]
fn a_remembered_answer_holds_for_one_token_one_route_and_one_path() {
    let template = template();
    let properties = template.resolve(&template.resource("Authorizer").unwrap()["Properties"]).unwrap();
    let sources = set(&["$request.header.Authorization", "$context.routeKey", "$context.path"]);
    assert_eq!(texts(&properties["IdentitySource"]), sources);
    assert_eq!(properties["AuthorizerPayloadFormatVersion"], "2.0");
    let environment = template.environment("AuthorizerFunction").unwrap();
    let is_simple = environment["ANSWER"] == "simple";
    assert_eq!(properties["EnableSimpleResponses"], is_simple);
    assert_eq!(properties["AuthorizerResultTtlInSeconds"], 0, "remembered only where it is asked for");
    // The function has to know how long, so that no answer outlives its token.
    for seconds in ["0", "300"] {
        let template = with(&[("AuthorizerCacheSeconds", seconds)]);
        let properties = template.resolve(&template.resource("Authorizer").unwrap()["Properties"]).unwrap();
        let kept = properties["AuthorizerResultTtlInSeconds"].to_string();
        assert_eq!(kept.trim_matches('"'), seconds);
        assert_eq!(template.environment("AuthorizerFunction").unwrap()["CACHE_SECONDS"], seconds);
    }
}

#[test]
fn the_authorizer_believes_the_tokens_of_every_client_and_of_nobody_else() {
    for (machines, others) in [("false", ""), ("true", ""), ("false", "CorpOIDC"), ("true", "A,B")] {
        let template = with(&[("MachineClient", machines), ("OtherProviders", others)]);
        let environment = template.environment("AuthorizerFunction").unwrap();
        let believed: BTreeSet<String> = environment["CLIENT_IDS"].split(',').map(str::to_owned).collect();
        let clients = template.of_type("AWS::Cognito::UserPoolClient");
        let clients = clients.filter(|(_, client)| template.is_made(client).unwrap());
        assert_eq!(believed, clients.map(|(id, _)| id.to_owned()).collect());
        assert!(environment["ISSUERS"].starts_with("https://cognito-idp."), "{}", environment["ISSUERS"]);
        assert_eq!(environment["KEY_SET_URL"], "", "the issuer itself is asked");
    }
}

// ---- Triggers

#[test]
fn every_trigger_may_be_called_by_this_pool_only() {
    let template = template();
    let triggers = template.resource("UserPool").unwrap()["Properties"]["LambdaConfig"].clone();
    let mut functions = BTreeSet::new();
    for (trigger, named) in members(&triggers) {
        let arn = match trigger.as_str() {
            "PreTokenGenerationConfig" => &named["LambdaArn"],
            "UserMigration" => &named["Fn::If"][1],
            _ => named,
        };
        functions.insert(arn["Fn::GetAtt"][0].as_str().expect("a function").to_owned());
    }
    let permissions: Vec<(&str, &Value)> =
        template.of_type("AWS::Lambda::Permission").map(|(id, permission)| (id, &permission["Properties"])).collect();
    for (id, permission) in &permissions {
        assert_eq!(permission["Action"], "lambda:InvokeFunction", "{id}");
        let source = template.resolve(&permission["SourceArn"]).unwrap();
        match permission["Principal"].as_str().unwrap() {
            "cognito-idp.amazonaws.com" => {
                assert_eq!(permission["SourceArn"]["Fn::GetAtt"], serde_json::json!(["UserPool", "Arn"]), "{id}");
                assert_eq!(permission["SourceAccount"]["Ref"], "AWS::AccountId", "{id}");
            }
            "apigateway.amazonaws.com" => {
                let source = source.as_str().unwrap();
                assert!(source.starts_with("arn:aws:execute-api:us-east-1:123456789012:HttpApi/"), "{id}: {source}");
            }
            other => panic!("{id} lets {other} in"),
        }
    }
    let called_by = |principal: &str| -> Vec<String> {
        let by = permissions.iter().filter(|(_, permission)| permission["Principal"] == principal);
        by.map(|(_, permission)| permission["FunctionName"]["Fn::GetAtt"][0].as_str().unwrap().to_owned()).collect()
    };
    let by_pool = called_by("cognito-idp.amazonaws.com");
    assert_eq!(by_pool.iter().cloned().collect::<BTreeSet<_>>(), functions);
    assert_eq!(by_pool.len(), functions.len(), "one permission for each trigger");
    let by_api: BTreeSet<String> = called_by("apigateway.amazonaws.com").into_iter().collect();
    assert_eq!(by_api, set(&["AuthorizerFunction", "UserApiFunction", "AdminApiFunction", "GuestPromotionFunction"]));
}

#[test]
fn the_token_event_has_one_function_and_the_version_of_the_rule_file() {
    let template = template();
    let triggers = &template.resource("UserPool").unwrap()["Properties"]["LambdaConfig"];
    assert_eq!(triggers["PreTokenGeneration"], triggers["PreTokenGenerationConfig"]["LambdaArn"]);
    let version = template.resolve(&triggers["PreTokenGenerationConfig"]["LambdaVersion"]).unwrap();
    let expected = match rules().claims.token_version {
        EventVersion::V1 => "V1_0",
        EventVersion::V2 => "V2_0",
        EventVersion::V3 => "V3_0",
    };
    assert_eq!(version, expected);
}

#[test]
fn a_trigger_answers_within_the_time_that_cognito_gives() {
    let template = template();
    let common = &template.section("Globals")["Function"]["Timeout"];
    let triggers =
        ["PreSignUpFunction", "PostConfirmationFunction", "PreTokenGenerationFunction", "UserMigrationFunction"];
    for name in triggers {
        let own = &template.resource(name).unwrap()["Properties"]["Timeout"];
        let seconds = if own.is_null() { common } else { own };
        assert_eq!(seconds, 5, "{name}");
    }
}

#[test]
fn no_resources_wait_for_each_other() {
    let template = template();
    let mut waiting: BTreeMap<String, BTreeSet<String>> =
        template.resources().map(|(id, _)| (id.to_owned(), template.named_by(id).unwrap())).collect();
    while !waiting.is_empty() {
        let ready: BTreeSet<String> =
            waiting.iter().filter(|(_, needs)| needs.is_empty()).map(|(id, _)| id.clone()).collect();
        assert!(!ready.is_empty(), "these wait for each other, or for one that does: {waiting:?}");
        waiting.retain(|id, _| !ready.contains(id));
        waiting.values_mut().for_each(|needs| needs.retain(|id| !ready.contains(id)));
    }
}

// ---- Clients and groups

/// Attributes that Cognito itself sets or proves.
const PROVED: [&str; 4] = ["email_verified", "phone_number_verified", "identities", "sub"];

#[test]
fn no_client_writes_what_decides_about_rights() {
    let (template, rules) = (template(), rules());
    let mut decisive: BTreeSet<String> = rules.sign_up.forbidden_attributes.iter().cloned().collect();
    for entry in &rules.claims.map {
        if let Source::Attribute(name) = &entry.from {
            decisive.insert(name.clone());
        }
    }
    // What a role of the identity pool is chosen by.
    decisive.extend(rules.roles.rules.iter().map(|rule| rule.claim.clone()));
    decisive.extend(set(&PROVED));
    assert!(decisive.contains("custom:plan"), "the search finds what the claim map reads");
    let schema = &template.resource("UserPool").unwrap()["Properties"]["Schema"];
    let custom: BTreeSet<String> =
        items(schema).map(|attribute| format!("custom:{}", attribute["Name"].as_str().unwrap())).collect();
    for (id, client) in template.of_type("AWS::Cognito::UserPoolClient") {
        let write = texts(&template.resolve(&client["Properties"]["WriteAttributes"]).unwrap());
        let read = texts(&template.resolve(&client["Properties"]["ReadAttributes"]).unwrap());
        // Left out, a client may write everything.
        assert!(!write.is_empty() && !read.is_empty(), "{id} leaves its attributes to the default");
        // There it is Cognito that writes it, in the name of the provider; see the client.
        let by_provider = "custom:provider_subject";
        let both: Vec<&String> =
            write.intersection(&decisive).filter(|name| id != "FederatedClient" || *name != by_provider).collect();
        assert!(both.is_empty(), "{id} may write {both:?}");
        for attribute in write.iter().chain(&read).filter(|name| name.starts_with("custom:")) {
            assert!(custom.contains(attribute), "{id} names {attribute}, which the pool does not have");
        }
    }
    let write = texts(&template.resource("WebClient").unwrap()["Properties"]["WriteAttributes"]);
    for required in &rules.sign_up.required_attributes {
        assert!(write.contains(required), "nobody could sign up: {required} is required and not writable");
    }
}

#[test]
fn clients_keep_to_the_careful_flows() {
    let template = template();
    for (id, client) in template.of_type("AWS::Cognito::UserPoolClient") {
        let client = template.resolve(&client["Properties"]).unwrap();
        assert_eq!(client["PreventUserExistenceErrors"], "ENABLED", "{id}");
        assert_eq!(client["EnableTokenRevocation"], true, "{id}");
        assert!(!texts(&client["AllowedOAuthFlows"]).contains("implicit"), "{id}");
    }
    let web = template.resource("WebClient").unwrap()["Properties"].clone();
    let resolved = template.resolve(&web).unwrap();
    assert_eq!(resolved["GenerateSecret"], false);
    assert_eq!(texts(&resolved["AllowedOAuthFlows"]), set(&["code"]));
    assert_eq!(texts(&resolved["ExplicitAuthFlows"]), set(&["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]));
    let server = template.resource("ServerClient").unwrap();
    assert_eq!(server["Properties"]["GenerateSecret"], true);
}

#[test]
fn every_group_that_the_rules_give_is_in_the_pool() {
    let template = template();
    let groups: BTreeSet<&str> = template
        .of_type("AWS::Cognito::UserPoolGroup")
        .map(|(_, group)| group["Properties"]["GroupName"].as_str().unwrap())
        .collect();
    let rules = rules();
    let of_guests = rules.guests.iter().flat_map(|guests| guests.groups.iter().map(String::as_str));
    for name in rules.groups.iter().map(|grant| grant.name.as_str()).chain(of_guests) {
        assert!(groups.contains(name), "{name}");
    }
}

// ---- The deployment as a whole

#[test]
fn data_outlives_mistakes() {
    let template = template();
    for (id, table) in template.of_type("AWS::DynamoDB::Table") {
        let properties = template.resolve(&table["Properties"]).unwrap();
        assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{id}");
        assert_eq!(properties["SSESpecification"]["SSEEnabled"], true, "{id}");
        // Counters of the last minutes are no data.
        let kept = id != "SignInAttemptsTable";
        assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true, kept, "{id}");
        assert_eq!(properties["DeletionProtectionEnabled"] == true, kept, "{id}");
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(table[policy], if kept { "Retain" } else { "Delete" }, "{id}");
        }
    }
    let pool = template.resource("UserPool").unwrap();
    assert_eq!(template.resolve(&pool["Properties"]["DeletionProtection"]).unwrap(), "ACTIVE");
    for id in ["UserPool", "FilesBucket"] {
        let resource = template.resource(id).unwrap();
        assert_eq!(resource["DeletionPolicy"], "Retain", "{id}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn every_function_has_a_log_that_ends_some_day() {
    let template = template();
    let mut logs = BTreeSet::new();
    for (id, function) in template.of_type("AWS::Serverless::Function") {
        let log = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].as_str().expect("a log group");
        assert!(logs.insert(log.to_owned()), "{id} shares {log}");
    }
    for (id, log) in template.of_type("AWS::Logs::LogGroup") {
        assert_eq!(log["Properties"]["RetentionInDays"]["Ref"], "LogRetentionDays", "{id}");
    }
}

#[test]
fn every_parameter_is_described_and_bounded() {
    let template = template();
    for (name, parameter) in members(template.section("Parameters")) {
        let described = parameter["Description"].as_str().is_some_and(|text| text.len() > 20 && text.ends_with('.'));
        assert!(described, "{name} is not described");
        assert!(!parameter["Default"].is_null(), "{name} has no default");
        let listed = !parameter["AllowedValues"].is_null();
        let bounded = match parameter["Type"].as_str().unwrap() {
            "Number" => listed || !parameter["MinValue"].is_null() && !parameter["MaxValue"].is_null(),
            "String" => listed || !parameter["AllowedPattern"].is_null(),
            // Their entries are addresses and names that Cognito checks.
            "CommaDelimitedList" => true,
            other => panic!("{name} is a {other}"),
        };
        assert!(bounded, "{name} takes anything");
    }
}

#[test]
fn nothing_has_a_name_that_two_deployments_would_fight_over() {
    let template = template();
    let names = [
        "AlarmName",
        "BucketName",
        "ClientName",
        "FilterName",
        "FunctionName",
        "IdentityPoolName",
        "LayerName",
        "LogGroupName",
        "ManagedPolicyName",
        "QueueName",
        "RoleName",
        "TableName",
        "UserPoolName",
    ];
    for (id, resource) in template.resources() {
        for name in names {
            // Those that name another resource of the template are no names of their own.
            let of_another = ["Ref", "Fn::GetAtt"].iter().any(|how| resource["Properties"][name].get(how).is_some());
            assert!(resource["Properties"][name].is_null() || of_another, "{id} has a fixed {name}");
        }
    }
}

#[test]
fn the_layer_carries_the_rule_file_and_nothing_that_runs() {
    let template = template();
    let uri = template.resource("RulesLayer").unwrap()["Properties"]["ContentUri"].as_str().unwrap().to_owned();
    let mut files: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(workspace_root().join(Path::new(&uri))).unwrap() {
        files.push(entry.unwrap().file_name().into_string().unwrap());
    }
    files.sort();
    // The cases are read by the operator's tool; in the layer they do nothing.
    assert_eq!(files, ["cases", "rules.schema.json", "rules.toml"]);
    for entry in std::fs::read_dir(workspace_root().join(Path::new(&uri)).join("cases")).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        assert!(matches!(extension, Some("toml" | "json")), "{}", path.display());
    }
    let layers = &template.section("Globals")["Function"]["Layers"];
    assert_eq!(items(layers).map(|layer| &layer["Ref"]).collect::<Vec<_>>(), ["RulesLayer"]);
}
