//! Triggers, clients and groups of the user pool.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::claims::{EventVersion, Source};
use tests::template::{items, members, texts};

use super::{rules, set, template};

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
