//! The deployment as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tests::template::{items, members};
use tests::workspace_root;

use super::template;

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
