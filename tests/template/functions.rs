//! Every function with its settings, and each role as narrow as its function needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::template::{items, texts};
use tests::workspace_root;

use super::{COMMON_ACTIONS, COMMON_SETTINGS, functions, logical_id, role_of, rules_file, set, template, whole};

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
