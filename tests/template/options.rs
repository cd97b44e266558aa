//! What is there only when a parameter asks for it.

use std::collections::{BTreeMap, BTreeSet};

use shared::migration::{MigrationRules, Store};
use shared::rules::Rules;
use tests::template::{Template, members, texts};
use user_migration::OldSystem;

use super::{
    CHALLENGE_SECRET, COMMON_ACTIONS, rules, rules_file, rules_with_challenge, rules_with_revocation, set, template,
    whole, with,
};

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
