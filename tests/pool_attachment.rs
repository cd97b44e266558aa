//! The built pool-attachment against services as unforgiving as AWS: whatever
//! happens, the stack gets an answer, and nothing but our triggers moves.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use shared::attachment::{Snapshot, differences};
use tests::pool_documents::{FOREIGN, Fill, Model, POOL_ARN, POOL_ID};
use tests::pool_service::{PoolService, put_at};
use tests::{Function, Outcome, Reply, workspace_root};

const STACK: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/ours/1";

fn ours(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:ours-{name}")
}

fn triggers() -> Value {
    json!({
        "PreSignUp": ours("pre-sign-up"),
        "PostConfirmation": ours("post-confirmation"),
        "PreTokenGeneration": ours("pre-token-generation"),
    })
}

/// A pool that uses every setting, with no trigger in our places.
fn pool() -> Value {
    let mut pool = Model::read().unwrap().pool(Fill::All, 7);
    for name in ["PreSignUp", "PostConfirmation", "PreTokenGeneration", "PreTokenGenerationConfig", "UserMigration"] {
        put_at(&mut pool, &format!("/LambdaConfig/{name}"), Value::Null);
    }
    pool["UserPoolTier"] = json!("ESSENTIALS");
    pool
}

fn service(pool: Value) -> PoolService {
    let model = Model::read().unwrap();
    let service = PoolService::start(pool, model.mfa(Fill::All, 7)).unwrap();
    let mut client = model.client("web", Fill::All, 7);
    client["WriteAttributes"] = json!(["email"]);
    client["ClientSecret"] = json!("canary-client-secret");
    service.state().clients.insert("web".to_owned(), client);
    service
}

fn start(service: &PoolService) -> Function {
    let rules = workspace_root().join("rules/rules.toml");
    let settings = [
        ("AWS_ENDPOINT_URL", service.url()),
        ("ATTACHMENT_NAME", "ours".to_owned()),
        ("RULES_FILE", rules.to_str().unwrap().to_owned()),
    ];
    Function::start("pool-attachment", settings).unwrap()
}

fn event(service: &PoolService, kind: &str) -> Value {
    json!({
        "RequestType": kind, "ResponseURL": service.answer_url(), "StackId": STACK, "RequestId": "request-1",
        "ResourceType": "Custom::PoolAttachment", "LogicalResourceId": "PoolAttachment",
        "PhysicalResourceId": if kind == "Create" { Value::Null } else { json!(format!("poolhouse-attachment:{POOL_ID}")) },
        "ResourceProperties": {
            "ServiceToken": "arn", "UserPoolId": POOL_ID, "Triggers": triggers(), "TokenEventVersion": "V2_0",
        },
    })
}

/// Sends one event; what CloudFormation got, if anything.
fn send(function: &mut Function, service: &PoolService, event: &Value) -> (Outcome, Option<Value>) {
    let before = service.state().answers.len();
    let outcome = function.invoke_within(event.to_string(), Duration::from_secs(60));
    let state = service.state();
    assert!(state.answers.len() <= before + 1, "answered twice");
    (outcome, state.answers.get(before).cloned())
}

fn succeed(function: &mut Function, service: &PoolService, event: &Value) -> Value {
    let (_, answer) = send(function, service, event);
    let answer = answer.unwrap_or_else(|| panic!("no answer: {:?}", function.lines()));
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    answer
}

fn fail(function: &mut Function, service: &PoolService, event: &Value, reason: &str) -> Value {
    let (outcome, answer) = send(function, service, event);
    let answer = answer.unwrap_or_else(|| panic!("no answer: {:?}", function.lines()));
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    let said = answer["Reason"].as_str().unwrap();
    assert!(said.contains(reason), "{said}");
    // An answered call has not failed: Lambda would only make it again.
    assert!(matches!(outcome.reply, Reply::Answer(_)), "{outcome:?}");
    answer
}

fn look(service: &PoolService) -> Snapshot {
    let state = service.state();
    let mut clients = state.clients.clone();
    clients.values_mut().for_each(|client| put_at(client, "/ClientSecret", Value::Null));
    Snapshot { pool: state.pool.clone(), mfa: state.mfa.clone(), clients }
}

fn updates(service: &PoolService) -> Vec<Value> {
    let state = service.state();
    state.calls.iter().filter(|(operation, _)| operation == "UpdateUserPool").map(|(_, body)| body.clone()).collect()
}

fn assert_attached(service: &PoolService, before: &Snapshot) {
    let mut wanted = before.triggers();
    wanted.extend(triggers().as_object().unwrap().clone());
    let config = json!({"LambdaArn": ours("pre-token-generation"), "LambdaVersion": "V2_0"});
    wanted.insert("PreTokenGenerationConfig".to_owned(), config);
    assert_eq!(differences(before, &look(service), &wanted), []);
    let state = service.state();
    for name in ["pre-sign-up", "post-confirmation", "pre-token-generation"] {
        let statement = &state.permissions[&(format!("ours-{name}"), format!("poolhouse-{POOL_ID}"))];
        let expected = json!({
            "StatementId": format!("poolhouse-{POOL_ID}"), "Action": "lambda:InvokeFunction",
            "Principal": "cognito-idp.amazonaws.com", "SourceArn": POOL_ARN, "SourceAccount": "123456789012",
        });
        assert_eq!(*statement, expected);
    }
}

fn assert_as_before(service: &PoolService, before: &Snapshot) {
    assert_eq!(differences(before, &look(service), &before.triggers()), []);
    let state = service.state();
    assert!(state.permissions.is_empty() && state.parameters.is_empty(), "something is left behind");
}

#[test]
fn what_was_attached_and_detached_is_as_it_was_and_written_once_each() {
    let service = service(pool());
    let before = look(&service);
    let mut function = start(&service);
    let created = succeed(&mut function, &service, &event(&service, "Create"));
    for (name, value) in [("StackId", STACK), ("RequestId", "request-1"), ("LogicalResourceId", "PoolAttachment")] {
        assert_eq!(created[name], value);
    }
    assert_eq!(created["PhysicalResourceId"], format!("poolhouse-attachment:{POOL_ID}"));
    assert_attached(&service, &before);
    assert_eq!(updates(&service).len(), 1);

    let again = succeed(&mut function, &service, &event(&service, "Update"));
    assert_eq!(again["PhysicalResourceId"], created["PhysicalResourceId"]);
    assert_eq!(updates(&service).len(), 1, "attach twice is attach once");

    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_as_before(&service, &before);
    assert_eq!(updates(&service).len(), 2);
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_eq!(updates(&service).len(), 2, "detach twice is detach once");
    let lines = format!("{:?}", function.lines());
    for secret in ["canary", "Signature="] {
        assert!(!lines.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_foreign_trigger_stops_it_or_is_put_back() {
    let mut taken = pool();
    taken["LambdaConfig"]["PreSignUp"] = json!(FOREIGN);
    let service = service(taken);
    let before = look(&service);
    let mut function = start(&service);
    let refused = fail(&mut function, &service, &event(&service, "Create"), "ForeignTriggers");
    assert!(refused["Reason"].as_str().unwrap().contains(FOREIGN));
    assert_as_before(&service, &before);
    // CloudFormation rolls back by deleting what was never attached.
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_as_before(&service, &before);

    let mut take_over = event(&service, "Create");
    take_over["ResourceProperties"]["ForeignTriggers"] = json!("take-over");
    let answer = succeed(&mut function, &service, &take_over);
    assert!(answer["Data"]["Warnings"].as_str().unwrap().contains("TakenOver: PreSignUp"), "{answer}");
    assert_attached(&service, &before);
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_as_before(&service, &before);
}

#[test]
fn what_is_not_ours_any_more_stays_as_it_is() {
    let service = service(pool());
    let mut function = start(&service);
    succeed(&mut function, &service, &event(&service, "Create"));
    service.state().pool["LambdaConfig"]["PreSignUp"] = json!(FOREIGN);
    succeed(&mut function, &service, &event(&service, "Delete"));
    let state = service.state();
    assert_eq!(state.pool["LambdaConfig"]["PreSignUp"], FOREIGN);
    assert!(state.pool["LambdaConfig"].get("PostConfirmation").is_none());
}

#[test]
fn a_setting_that_cannot_be_sent_back_is_named_before_anything_is_written() {
    for (place, mfa) in [("/FutureSetting", false), ("/FutureFactor", true)] {
        let service = service(pool());
        {
            let state = &mut *service.state();
            put_at(if mfa { &mut state.mfa } else { &mut state.pool }, place, json!({"On": true}));
        }
        let before = look(&service);
        let mut function = start(&service);
        fail(&mut function, &service, &event(&service, "Create"), place.trim_start_matches('/'));
        assert_eq!(updates(&service).len(), 0);
        assert_as_before(&service, &before);
    }
    // Inside a setting that is sent back it is not lost.
    let service = service(pool());
    put_at(&mut service.state().pool, "/Policies/FuturePolicy", json!({"On": true}));
    let before = look(&service);
    succeed(&mut start(&service), &service, &event(&service, "Create"));
    assert_attached(&service, &before);
}

#[test]
fn whatever_else_moves_is_put_back_and_told() {
    let rows = [
        ("/pool/Policies/PasswordPolicy/MinimumLength", json!(6), "pool.Policies.PasswordPolicy.MinimumLength"),
        ("/pool/DeletionProtection", Value::Null, "pool.DeletionProtection"),
        ("/pool/UserPoolTags", json!({}), "pool.UserPoolTags"),
        ("/clients/web/WriteAttributes", json!(["email", "custom:plan"]), "client web.WriteAttributes"),
    ];
    for (place, value, told) in rows {
        let service = service(pool());
        let before = look(&service);
        service.state().moves = vec![(place.to_owned(), value)];
        service.state().moves_left = 1;
        let mut function = start(&service);
        let answer = fail(&mut function, &service, &event(&service, "Create"), "SettingsMoved");
        assert!(answer["Reason"].as_str().unwrap().contains(told), "{answer}");
        assert!(answer["Reason"].as_str().unwrap().contains("all was put back"), "{answer}");
        assert_as_before(&service, &before);
    }
    // What cannot be put back is told apart.
    let service = service(pool());
    service.state().moves = vec![("/pool/DeletionProtection".to_owned(), json!("ELSE"))];
    fail(&mut start(&service), &service, &event(&service, "Create"), "could not be put back: pool.DeletionProtection");
}

#[test]
fn factors_that_an_update_takes_along_are_set_again() {
    let service = service(pool());
    let before = look(&service);
    service.state().moves = vec![
        ("/mfa/SoftwareTokenMfaConfiguration".to_owned(), Value::Null),
        ("/mfa/MfaConfiguration".to_owned(), json!("OPTIONAL")),
    ];
    let mut function = start(&service);
    succeed(&mut function, &service, &event(&service, "Create"));
    assert_attached(&service, &before);
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_as_before(&service, &before);
}

#[test]
fn another_update_under_way_is_waited_for_and_not_undone() {
    let service = service(pool());
    service.state().busy = 3;
    service.state().meanwhile = Some(("/Policies/PasswordPolicy/MinimumLength".to_owned(), json!(42)));
    let mut function = start(&service);
    succeed(&mut function, &service, &event(&service, "Create"));
    assert_eq!(updates(&service).len(), 4);
    assert_eq!(service.state().pool["Policies"]["PasswordPolicy"]["MinimumLength"], 42);
    service.state().busy = 2;
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_eq!(service.state().pool["Policies"]["PasswordPolicy"]["MinimumLength"], 42);
}

#[test]
fn a_refused_call_is_told_by_its_name() {
    for operation in
        ["DescribeUserPool", "GetUserPoolMfaConfig", "UpdateUserPool", "AddPermission", "PutParameter", "GetParameter"]
    {
        let service = service(pool());
        let before = look(&service);
        service.state().refused.insert(operation.to_owned(), "AccessDeniedException".to_owned());
        let mut function = start(&service);
        fail(
            &mut function,
            &service,
            &event(&service, "Create"),
            &format!("{operation} was refused: AccessDeniedException"),
        );
        assert_eq!(differences(&before, &look(&service), &before.triggers()), []);
        service.state().refused.clear();
        succeed(&mut function, &service, &event(&service, "Delete"));
        assert_as_before(&service, &before);
    }
}

#[test]
fn warnings_reach_the_stack() {
    let mut lite = pool();
    lite["UserPoolTier"] = json!("LITE");
    let service = service(lite);
    service.state().stack = Some("their-stack".to_owned());
    put_at(service.state().clients.get_mut("web").unwrap(), "/WriteAttributes", json!(["email", "custom:plan"]));
    let mut function = start(&service);
    let answer = succeed(&mut function, &service, &event(&service, "Create"));
    let said = answer["Data"]["Warnings"].as_str().unwrap();
    for part in ["OwnedByStack", "their-stack", "PlanLacksVersion", "V2_0", "ClientWritesRights", "web", "custom:plan"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // It cannot be asked: said, and no reason to stop.
    service.state().refused.insert("DescribeStackResources".to_owned(), "AccessDenied".to_owned());
    let answer = succeed(&mut function, &service, &event(&service, "Update"));
    assert!(answer["Data"]["Warnings"].as_str().unwrap().contains("OwnerUnknown"), "{answer}");
}

#[test]
fn a_pool_that_is_gone_is_detached() {
    let service = service(pool());
    let mut function = start(&service);
    succeed(&mut function, &service, &event(&service, "Create"));
    service.state().pool = Value::Null;
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert!(service.state().permissions.is_empty() && service.state().parameters.is_empty());
    fail(&mut function, &service, &event(&service, "Create"), "ResourceNotFoundException");
}

#[test]
fn the_time_is_up_before_lambda_ends_the_call_and_that_is_an_answer() {
    let service = service(pool());
    let before = look(&service);
    service.state().slow.insert("DescribeUserPool".to_owned(), Duration::from_secs(3));
    let mut function = start(&service);
    let outcome = function.invoke_within(event(&service, "Create").to_string(), Duration::from_secs(7));
    assert!(outcome.elapsed < Duration::from_secs(7), "{outcome:?}");
    // The answer waits behind the slow call; this server takes one at a time.
    let answer = service.state().answers.last().cloned();
    let answer = answer.unwrap_or_else(|| panic!("no answer: {:?}", function.lines()));
    assert_eq!(answer["Status"], "FAILED");
    assert!(answer["Reason"].as_str().unwrap().contains("OutOfTime"), "{answer}");
    service.state().slow.clear();
    succeed(&mut function, &service, &event(&service, "Delete"));
    assert_as_before(&service, &before);
}

#[test]
fn what_cannot_be_understood_is_answered_where_somebody_listens() {
    let service = service(pool());
    let mut function = start(&service);
    let mut unknown = event(&service, "Create");
    unknown["RequestType"] = json!("Recreate");
    fail(&mut function, &service, &unknown, "RequestTypeUnknown");
    let mut wrong = event(&service, "Create");
    wrong["ResourceProperties"] = json!({"UserPoolId": "not a pool", "Triggers": triggers()});
    fail(&mut function, &service, &wrong, "PoolIdRefused");
    wrong["RequestType"] = json!("Delete");
    succeed(&mut function, &service, &wrong);
    wrong["RequestType"] = json!("Create");
    wrong["ResourceProperties"] = json!("x");
    let answer = fail(&mut function, &service, &wrong, "PropertyRefused");
    wrong["RequestType"] = json!("Delete");
    wrong["PhysicalResourceId"] = answer["PhysicalResourceId"].clone();
    succeed(&mut function, &service, &wrong);
    for url in [json!("http://example.com/x"), json!("x"), Value::Null] {
        let mut nobody = event(&service, "Create");
        nobody["ResponseURL"] = url.clone();
        let (outcome, answer) = send(&mut function, &service, &nobody);
        assert_eq!(answer, None, "{url}");
        assert_eq!(outcome.error(), Some("The request could not be understood"), "{url}");
    }
    assert_eq!(updates(&service).len(), 0);
}

#[test]
fn unusable_settings_are_answered_too() {
    let service = service(pool());
    let mut function = Function::start("pool-attachment", [("AWS_ENDPOINT_URL", service.url())]).unwrap();
    fail(&mut function, &service, &event(&service, "Create"), "ATTACHMENT_NAME");
}

/// Kills the function at every one of its calls, before the call is carried out
/// or after, and lets Lambda call again.
#[test]
fn killed_at_any_call_it_goes_on_from_there() {
    let mut taken = pool();
    taken["LambdaConfig"]["PreSignUp"] = json!(FOREIGN);
    let mut killed = 0;
    for kind in ["Create", "Delete"] {
        for carried_out in [false, true] {
            for call in 0.. {
                let service = service(taken.clone());
                let before = look(&service);
                let mut create = event(&service, "Create");
                create["ResourceProperties"]["ForeignTriggers"] = json!("take-over");
                if kind == "Delete" {
                    succeed(&mut start(&service), &service, &create);
                }
                let sent = if kind == "Create" { create } else { event(&service, "Delete") };
                let mut function = start(&service);
                let at = service.state().calls.len() + call;
                service.state().kill = Some((at, function.process(), carried_out));
                let (outcome, _) = send(&mut function, &service, &sent);
                if outcome.reply != Reply::Exited {
                    assert!(call > 8, "only {call} calls");
                    break;
                }
                killed += 1;
                // An answer that got out before the end is given again.
                service.state().answers.clear();
                succeed(&mut start(&service), &service, &sent);
                if kind == "Create" {
                    assert_attached(&service, &before);
                    succeed(&mut start(&service), &service, &event(&service, "Delete"));
                }
                assert_as_before(&service, &before);
            }
        }
    }
    assert!(killed > 40, "killed only {killed} times");
}

#[test]
fn what_moved_in_a_run_that_was_killed_is_told_by_the_next() {
    let service = service(pool());
    service.state().moves = vec![("/pool/DeletionProtection".to_owned(), json!("ELSE"))];
    let mut function = start(&service);
    // The write itself: the first call of its name.
    let calls_before = {
        let probe = self::service(pool());
        succeed(&mut start(&probe), &probe, &event(&probe, "Create"));
        let state = probe.state();
        state.calls.iter().position(|(operation, _)| operation == "UpdateUserPool").unwrap()
    };
    service.state().kill = Some((calls_before, function.process(), true));
    let (outcome, _) = send(&mut function, &service, &event(&service, "Create"));
    assert_eq!(outcome.reply, Reply::Exited);
    service.state().kill = None;
    fail(&mut start(&service), &service, &event(&service, "Create"), "pool.DeletionProtection");
    // It is told once: nobody knows the value that was lost.
    succeed(&mut start(&service), &service, &event(&service, "Create"));
}
