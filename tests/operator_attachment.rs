//! `poolhouse attach` and `poolhouse detach`, as an operator runs them, against
//! services as unforgiving as AWS.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use shared::attachment::{Snapshot, differences};
use tests::pool_documents::{FOREIGN, Fill, Model, POOL_ID};
use tests::pool_service::{PoolService, put_at};

const SIGN_UP: &str = "arn:aws:lambda:us-east-1:123456789012:function:ours-pre-sign-up";
const TOKENS: &str = "arn:aws:lambda:us-east-1:123456789012:function:ours-pre-token-generation";
const WRITES: [&str; 7] = [
    "UpdateUserPool",
    "SetUserPoolMfaConfig",
    "UpdateUserPoolClient",
    "AddPermission",
    "RemovePermission",
    "PutParameter",
    "DeleteParameter",
];

/// A pool that uses every setting, with `foreign` as its pre-sign-up trigger.
fn service(foreign: Option<&str>) -> PoolService {
    let model = Model::read().unwrap();
    let mut pool = model.pool(Fill::All, 11);
    for name in ["PostConfirmation", "PreTokenGeneration", "PreTokenGenerationConfig", "UserMigration"] {
        put_at(&mut pool, &format!("/LambdaConfig/{name}"), Value::Null);
    }
    put_at(&mut pool, "/LambdaConfig/PreSignUp", json!(foreign));
    pool["UserPoolTier"] = json!("ESSENTIALS");
    PoolService::start(pool, model.mfa(Fill::All, 11)).unwrap()
}

/// What a run of the tool left.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

const ATTACH: [&str; 7] =
    ["attach", "--pre-sign-up", SIGN_UP, "--pre-token-generation", TOKENS, "--rules", "rules/rules.toml"];

/// The built tool with an environment of its own. Its secrets must not be told.
fn command(service: &PoolService, arguments: &[&str]) -> Command {
    let mut command = Command::new(tests::binary("poolhouse").unwrap());
    command.args(arguments).args(["--pool", POOL_ID]).current_dir(tests::workspace_root()).env_clear();
    command.env("AWS_ENDPOINT_URL", service.url()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "canary-secret");
    command.env("AWS_SESSION_TOKEN", "canary-token").stdin(Stdio::null());
    command
}

fn poolhouse(service: &PoolService, arguments: &[&str]) -> Run {
    let output = command(service, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!run.out.contains("canary") && !run.err.contains("canary"), "{}{}", run.out, run.err);
    run
}

fn attach(service: &PoolService, arguments: &[&str]) -> Run {
    poolhouse(service, &[ATTACH.as_slice(), arguments].concat())
}

fn look(service: &PoolService) -> Snapshot {
    let state = service.state();
    Snapshot { pool: state.pool.clone(), mfa: state.mfa.clone(), clients: state.clients.clone() }
}

fn writes(service: &PoolService) -> Vec<String> {
    let state = service.state();
    let names = state.calls.iter().map(|(operation, _)| operation.clone());
    names.filter(|operation| WRITES.contains(&operation.as_str())).collect()
}

fn assert_as_before(service: &PoolService, before: &Snapshot) {
    assert_eq!(differences(before, &look(service), &before.triggers()), []);
    let state = service.state();
    assert!(state.permissions.is_empty() && state.parameters.is_empty(), "something is left behind");
}

#[test]
fn a_plan_shows_the_difference_and_writes_nothing() {
    let service = service(Some(FOREIGN));
    let run = attach(&service, &["--plan", "--take-over"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let expected = [
        format!("{POOL_ID}: would change"),
        format!("  - PreSignUp: {FOREIGN}"),
        format!("  + PreSignUp: {SIGN_UP}"),
        format!("  + PreTokenGeneration: {TOKENS}"),
    ];
    for line in &expected {
        assert!(run.out.lines().any(|said| said == line), "{line} is missing in\n{}", run.out);
    }
    assert!(run.out.contains("V2_0") && run.out.contains("(TakenOver)"), "{}", run.out);
    assert_eq!(writes(&service), Vec::<String>::new());
}

#[test]
fn before_there_is_a_stack_a_plan_tells_what_would_be_in_its_way() {
    let service = service(Some(FOREIGN));
    let plan = |arguments: &[&str]| poolhouse(&service, &[&["attach", "--plan"], arguments].concat());
    let run = plan(&["--rules", "rules/rules.toml"]);
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
    assert!(run.err.contains("made-up names") && run.err.contains(FOREIGN), "{}", run.err);
    let run = plan(&["--rules", "rules/rules.toml", "--take-over"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    for line in ["PreSignUp: ", "PostConfirmation: ", "PreTokenGeneration: "] {
        assert!(run.out.contains(&format!("  + {line}arn:aws:lambda:us-east-1:000000000000:function:")), "{}", run.out);
    }
    let run = poolhouse(&service, &["attach"]);
    assert_eq!(run.code, Some(2), "what is written has a name: {}{}", run.out, run.err);
    assert_eq!(writes(&service), Vec::<String>::new());
}

#[test]
fn attached_and_detached_it_is_as_it_was_and_each_is_written_once() {
    let service = service(Some(FOREIGN));
    let before = look(&service);
    let run = attach(&service, &["--take-over", "--output", "json"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&answer["planned"], answer["changes"].as_array().map(Vec::len)), (&json!(false), Some(2)), "{answer}");
    let triggers = look(&service).triggers();
    assert_eq!((&triggers["PreSignUp"], &triggers["PreTokenGeneration"]), (&json!(SIGN_UP), &json!(TOKENS)));
    assert_eq!(differences(&before, &look(&service), &triggers), []);
    let written = |service: &PoolService| writes(service).iter().filter(|name| *name == "UpdateUserPool").count();
    assert_eq!(written(&service), 1);

    let again = attach(&service, &["--take-over"]);
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    assert!(again.out.starts_with(&format!("{POOL_ID}: nothing to change")), "{}", again.out);
    assert_eq!(written(&service), 1, "attach twice is attach once");

    let plan = poolhouse(&service, &["detach", "--plan"]);
    assert!(plan.out.contains(&format!("  + PreSignUp: {FOREIGN}")), "{}", plan.out);
    assert_eq!(written(&service), 1);
    let run = poolhouse(&service, &["detach"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert_as_before(&service, &before);
    assert_eq!(written(&service), 2);
    let again = poolhouse(&service, &["detach"]);
    assert_eq!((again.code, written(&service)), (Some(0), 2), "{}{}", again.out, again.err);
}

#[test]
fn what_cannot_be_done_is_said_with_its_code_and_changes_nothing() {
    type Scene = fn(&PoolService);
    /// Name, scene, arguments, exit code, the error's code, and what it says.
    type Row<'a> = (&'a str, Scene, &'a [&'a str], i32, &'a str, &'a str);
    let nothing: Scene = |_| {};
    let unknown: Scene = |service| put_at(&mut service.state().pool, "/FutureSetting", json!({"On": true}));
    let forbidden: Scene = |service| {
        service.state().refused.insert("UpdateUserPool".to_owned(), "AccessDeniedException".to_owned());
    };
    let moving: Scene = |service| {
        let mut state = service.state();
        state.moves = vec![("/pool/Policies/PasswordPolicy/MinimumLength".to_owned(), json!(6))];
        state.moves_left = 1;
    };
    let gone: Scene = |service| service.state().pool = Value::Null;
    let table: [Row<'_>; 6] = [
        ("a foreign trigger", nothing, &[], 1, "ForeignTriggers", FOREIGN),
        ("an unknown setting", unknown, &["--take-over"], 1, "UnknownMembers", "FutureSetting"),
        ("no permission", forbidden, &["--take-over"], 1, "CallRefused", "AccessDeniedException"),
        ("a setting that moves", moving, &["--take-over"], 1, "SettingsMoved", "PasswordPolicy.MinimumLength"),
        ("no pool", gone, &["--take-over"], 1, "CallRefused", "ResourceNotFoundException"),
        ("no function's ARN", nothing, &["--user-migration", "ours"], 2, "TriggerRefused", "UserMigration"),
    ];
    for (name, scene, arguments, code, error, said) in table {
        let service = service(Some(FOREIGN));
        scene(&service);
        let before = look(&service);
        let run = attach(&service, &[arguments, &["--output", "json"]].concat());
        assert_eq!(run.code, Some(code), "{name}: {}{}", run.out, run.err);
        let answer: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(answer["error"]["code"], error, "{name}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(said), "{name}: {answer}");
        if name != "no pool" {
            assert_eq!(differences(&before, &look(&service), &before.triggers()), [], "{name}");
        }
    }
}

#[test]
fn a_place_that_is_not_ours_any_more_is_left_alone_and_told() {
    let service = service(None);
    assert_eq!(attach(&service, &[]).code, Some(0));
    put_at(&mut service.state().pool, "/LambdaConfig/PreSignUp", json!(FOREIGN));
    let run = poolhouse(&service, &["detach"]);
    assert_eq!(run.code, Some(3), "{}{}", run.out, run.err);
    assert!(run.out.contains("(LeftAlone)") && run.out.contains(FOREIGN), "{}", run.out);
    let triggers = look(&service).triggers();
    assert_eq!((triggers.get("PreSignUp"), triggers.get("PreTokenGeneration")), (Some(&json!(FOREIGN)), None));
}

#[test]
fn stopped_midway_it_goes_on_from_there() {
    let before_and_service = || {
        let service = service(Some(FOREIGN));
        (look(&service), service)
    };
    let (_, probe) = before_and_service();
    attach(&probe, &["--take-over"]);
    let calls = probe.state().calls.len();
    for at in 0..calls {
        let (before, service) = before_and_service();
        let mut command = command(&service, &[ATTACH.as_slice(), &["--take-over"]].concat());
        let mut child = {
            // The process waits for its first call until the state is free again.
            let mut state = service.state();
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            state.kill = Some((at, child.id(), at % 2 == 0));
            child
        };
        assert!(!child.wait().unwrap().success(), "it was not killed at call {at}");
        service.state().kill = None;
        assert_eq!(attach(&service, &["--take-over"]).code, Some(0), "after call {at}");
        assert_eq!(poolhouse(&service, &["detach"]).code, Some(0), "after call {at}");
        assert_as_before(&service, &before);
    }
}
