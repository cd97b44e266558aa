//! What a confirmation writes, once, and makes up for.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::edit::with;
use tests::http::Response;
use tests::{DIRECTORY_TABLE, Function, Reply, Services, workspace_root};

use super::tokens::rights;
use super::{Bench, SUB, attributes, confirmation, items, token};

pub(super) fn provisioned() -> Vec<String> {
    vec![format!("USER#{SUB} PROFILE"), format!("acme#members {SUB}")]
}

#[test]
fn a_confirmed_user_is_provisioned_exactly_once() -> Result<()> {
    let mut bench = Bench::start("post-confirmation")?;
    let event = confirmation(attributes());
    // O02: nothing for a forgotten password.
    let forgot = with(event.clone(), "/triggerSource", json!("PostConfirmation_ConfirmForgotPassword"));
    ensure!(bench.answer(&forgot)? == json!({}), "O02");
    ensure!(items(&bench)?.is_empty() && bench.services.calls().is_empty(), "O02 something was provisioned");
    // O01, O03: once, and the same after each replay.
    ensure!(bench.answer(&event)? == json!({}), "O01");
    ensure!(items(&bench)? == provisioned(), "O01 {:?}", items(&bench)?);
    let first = bench.services.items(DIRECTORY_TABLE)?;
    for _ in 0..3 {
        ensure!(bench.answer(&event)? == json!({}), "O03");
    }
    ensure!(bench.services.items(DIRECTORY_TABLE)? == first, "O03 a replay changed the directory");
    let added = bench.services.calls();
    ensure!(
        added.len() == 4 && added.iter().all(|call| call.contains("AdminAddUserToGroup") && call.contains("\"users\"")),
        "O05 {added:?}"
    );
    Ok(())
}

#[test]
fn ten_at_once_provision_one_user() -> Result<()> {
    let services = Services::start()?;
    let settings: Vec<_> = services
        .settings()
        .into_iter()
        .chain([("RULES_FILE".to_owned(), workspace_root().join("tests/attacks.rules.toml").display().to_string())])
        .collect();
    services.put(DIRECTORY_TABLE, &invitation("globex", "ann@allowed.example"))?;
    // O03: ten processes, as Lambda would start them.
    let functions =
        (0..10).map(|_| Function::start("post-confirmation", settings.clone())).collect::<Result<Vec<_>>>()?;
    let answered: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = functions
            .into_iter()
            .map(|mut function| {
                scope.spawn(move || function.invoke(confirmation(attributes()).to_string()).json().is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(false)).collect()
    });
    ensure!(answered.iter().all(|answered| *answered), "O03 {answered:?}");
    let keys: Vec<Value> = services.items(DIRECTORY_TABLE)?.iter().map(|item| item["pk"].clone()).collect();
    ensure!(
        keys == [json!({"S": format!("USER#{SUB}")}), json!({"S": "acme#members"}), json!({"S": "globex#members"})],
        "O03 {keys:?}"
    );
    Ok(())
}

fn invitation(tenant: &str, address: &str) -> Value {
    json!({
        "pk": {"S": format!("{tenant}#invitations")}, "sk": {"S": address}, "subject": {"S": format!("EMAIL#{address}")},
        "tenant": {"S": tenant}, "roles": {"SS": ["admin"]}, "invited_by": {"S": SUB},
        "created_at": {"N": "1767225600"}, "expires_at": {"N": "4102444800"},
    })
}

#[test]
fn a_step_that_fails_costs_no_other_and_is_made_up_for() -> Result<()> {
    let mut bench = Bench::start("post-confirmation")?;
    let event = confirmation(attributes());
    let refusal = |kind: &str| {
        Response::new(400, "application/x-amz-json-1.1", json!({"__type": kind, "message": "not today"}).to_string())
    };
    // O04, O05: the group fails. One that the pool lacks costs nothing else; one
    // that may come later comes first, and until then the profile is missing.
    for (kind, code, written) in [
        ("UserNotFoundException", "UserMissing", Vec::new()),
        ("InternalErrorException", "PoolUnreachable", Vec::new()),
        ("ResourceNotFoundException", "GroupMissing", provisioned()),
    ] {
        bench.services.answer_groups_with(refusal(kind));
        let outcome = bench.function.invoke(event.to_string());
        ensure!(
            outcome.error() == Some("This is not possible right now, please try again"),
            "O05 {kind}: {:?}",
            outcome.reply
        );
        ensure!(
            bench.function.code_of(&outcome).as_deref() == Some(code),
            "O05 {kind}: {:?}",
            bench.function.code_of(&outcome)
        );
        ensure!(items(&bench)? == written, "O04 {kind}: {:?}", items(&bench)?);
    }
    bench.services.answer_groups_with(Response::new(200, "application/x-amz-json-1.1", "{}"));
    ensure!(bench.code(&event)? == "ProvisionedBefore", "O04");
    ensure!(items(&bench)? == provisioned(), "O04 {:?}", items(&bench)?);
    // O04: what post-confirmation left undone, the first token does, whole.
    let mut bench = Bench::start("pre-token-generation")?;
    let event = token("TokenGeneration_Authentication", json!({"userAttributes": attributes()}));
    bench.services.answer_groups_with(refusal("InternalErrorException"));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "O04 a right without its group");
    ensure!(items(&bench)?.is_empty(), "O04 {:?}", items(&bench)?);
    bench.services.answer_groups_with(Response::new(200, "application/x-amz-json-1.1", "{}"));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!("acme"), "O04");
    ensure!(items(&bench)? == provisioned(), "O04 {:?}", items(&bench)?);
    Ok(())
}

#[test]
fn without_the_directory_nothing_is_claimed_and_the_error_is_safe() -> Result<()> {
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = Bench::with("post-confirmation", services, settings)?;
    // O08: the pool has confirmed the user already; the first token makes up for it.
    let outcome = bench.send(confirmation(attributes()).to_string())?;
    ensure!(outcome.error() == Some("This is not possible right now, please try again"), "O08 {:?}", outcome.reply);
    ensure!(outcome.elapsed < Duration::from_secs(5), "O08 {:?}", outcome.elapsed);
    let services = Services::start()?;
    let settings = services.settings_without_database();
    let mut bench = Bench::with("pre-token-generation", services, settings)?;
    // N12: a sign-in goes on, a right does not.
    let event = token(
        "TokenGeneration_RefreshTokens",
        json!({"userAttributes": attributes(), "groupConfiguration": {"groupsToOverride": ["acme:admin"]}}),
    );
    let response = bench.answer(&event)?;
    ensure!(!response.to_string().contains("acme") && !response.to_string().contains("admin"), "N12 {response}");
    // T19: always before Cognito gives up, however little time is left.
    for remaining in [5_000, 800, 250, 50, 0] {
        let outcome = bench.function.invoke_within(event.to_string(), Duration::from_millis(remaining));
        let least = Duration::from_millis(remaining.clamp(600, 4_600));
        ensure!(outcome.elapsed < least, "T19 {remaining} ms left, {:?} taken", outcome.elapsed);
        ensure!(!matches!(outcome.reply, Reply::Exited | Reply::TimedOut), "T19 {:?}", outcome.reply);
    }
    Ok(())
}
