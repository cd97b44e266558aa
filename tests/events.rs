//! Every recorded event, put to the built function.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::pool_documents::{FOREIGN, Fill, Model};
use tests::pool_service::{PoolService, put_at};
use tests::{Audit, Case, Function, PoolUser, Reply, Services, TokenIssuer, cases, encode};

#[test]
fn every_recorded_event_gets_its_recorded_reply() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let tokens = tokens(&issuer)?;
    let mut failures = Vec::new();
    for case in cases()? {
        if let Err(error) = run(&case, &issuer, &tokens) {
            failures.push(format!("events/{}/{}: {error:#}", case.function, case.name));
        }
    }
    ensure!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

/// What stands in a case where a token would: tokens expire, recordings do not.
fn tokens(issuer: &TokenIssuer) -> Result<BTreeMap<&'static str, String>> {
    let access = issuer.access().with("tenant", "acme").with("roles", json!(["member"]));
    let admin = issuer.access().with("tenant", "acme").with("roles", json!(["admin", "member"]));
    let id = issuer.id().with("tenant", "acme").with("roles", json!(["member"]));
    let machine =
        issuer.access().without("username").with("sub", issuer.client_id.as_str()).with("scope", "items/read");
    let good = issuer.mint(&access)?;
    // A member's signature under an administrator's claims.
    let (header, rest) = good.split_once('.').context("not a token")?;
    let (_, signature) = rest.split_once('.').context("not a token")?;
    let tampered = format!("{header}.{}.{signature}", encode(admin.text()));
    Ok(BTreeMap::from([
        ("access_token", good),
        ("admin_token", issuer.mint(&admin)?),
        ("id_token", issuer.mint(&id)?),
        ("machine_token", issuer.mint(&machine)?),
        ("tampered_token", tampered),
    ]))
}

fn run(case: &Case, issuer: &TokenIssuer, tokens: &BTreeMap<&str, String>) -> Result<()> {
    let services = Services::start()?;
    for (table, items) in &case.items {
        items.iter().try_for_each(|item| services.put(table, item))?;
    }
    case.users.iter().for_each(|(name, email)| services.pool().add(PoolUser::new(name, email)));
    let mut settings = BTreeMap::from([("RULES_FILE".to_owned(), case.rules.display().to_string())]);
    settings.extend(services.settings());
    settings.extend(issuer.settings());
    settings.insert("GUEST_KEY_SET_URL".to_owned(), issuer.url());
    let account = existing_pool()?;
    if case.function == "pool-attachment" {
        settings.insert("AWS_ENDPOINT_URL".to_owned(), account.url());
        settings.insert("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER".to_owned(), account.url());
        settings.insert("ATTACHMENT_NAME".to_owned(), "poolhouse".to_owned());
    }
    settings.extend(case.settings.clone());

    let request =
        tokens.iter().fold(case.request.clone(), |text, (name, token)| text.replace(&format!("{{{{{name}}}}}"), token));
    let request = request.replace("{{answer_url}}", &account.answer_url());
    ensure!(!request.contains("{{"), "a placeholder that is not known");
    let mut function = Function::start(&case.function, settings)?;
    // A custom resource is given more time than a trigger.
    let outcome = match case.function.as_str() {
        "pool-attachment" => function.invoke_within(request, Duration::from_secs(60)),
        _ => function.invoke(request),
    };

    let mut audit = Audit::default();
    tokens.values().for_each(|token| audit.keep_token(token));
    audit.outcome(&function, &outcome)?;
    audit.printed(&function)?;
    let reply = match &outcome.reply {
        Reply::Error { error_type, message } => json!({"errorType": error_type, "errorMessage": message}),
        _ => outcome.json()?,
    };
    ensure!(agrees(&case.reply, &reply), "the reply is\n{}", serde_json::to_string_pretty(&reply)?);
    let told = account.state().answers.clone();
    let expected: Vec<&Value> = case.answer.iter().collect();
    let as_expected = told.len() == expected.len() && told.iter().zip(expected).all(|(told, one)| agrees(one, told));
    ensure!(as_expected, "CloudFormation was told\n{}", serde_json::to_string_pretty(&told)?);
    audit.text(&serde_json::to_string(&without_request(reply)).context("the reply")?)
}

/// A pool that was there before, with every setting, and somebody's own
/// pre-sign-up trigger.
fn existing_pool() -> Result<PoolService> {
    let model = Model::read()?;
    let mut pool = model.pool(Fill::All, 7);
    for name in ["PostConfirmation", "PreTokenGeneration", "PreTokenGenerationConfig", "UserMigration"] {
        put_at(&mut pool, &format!("/LambdaConfig/{name}"), Value::Null);
    }
    put_at(&mut pool, "/LambdaConfig/PreSignUp", json!(FOREIGN));
    put_at(&mut pool, "/UserPoolTier", json!("ESSENTIALS"));
    PoolService::start(pool, model.mfa(Fill::All, 7))
}

/// A reply but for the event that a trigger returns whole.
fn without_request(mut reply: Value) -> Value {
    if let Some(members) = reply.as_object_mut() {
        members.remove("request");
    }
    reply
}

/// Whether a reply is the expected one. `{{any}}` in an expected text stands
/// for any text, such as a time.
fn agrees(expected: &Value, reply: &Value) -> bool {
    match (expected, reply) {
        (Value::Object(expected), Value::Object(reply)) => {
            expected.len() == reply.len()
                && expected.iter().all(|(name, value)| reply.get(name).is_some_and(|found| agrees(value, found)))
        }
        (Value::Array(expected), Value::Array(reply)) => {
            expected.len() == reply.len() && expected.iter().zip(reply).all(|(value, found)| agrees(value, found))
        }
        (Value::String(pattern), Value::String(text)) => match pattern.split_once("{{any}}") {
            None => pattern == text,
            Some((start, end)) => {
                text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
            }
        },
        _ => expected == reply,
    }
}

#[test]
fn an_expected_reply_is_compared_whole() {
    let table = [
        (json!({"a": 1}), json!({"a": 1}), true),
        (json!({"a": 1}), json!({"a": 1, "b": null}), false),
        (json!({"a": 1, "b": null}), json!({"a": 1}), false),
        (json!([1, 2]), json!([1]), false),
        (json!("{{any}}"), json!("x"), true),
        (json!("{{any}}"), json!(1), false),
        (json!("at {{any}}!"), json!("at 7!"), true),
        (json!("at {{any}}!"), json!("at 7"), false),
        (json!("aa{{any}}a"), json!("aa"), false),
        (json!(null), json!({}), false),
    ];
    for (expected, reply, same) in table {
        assert_eq!(agrees(&expected, &reply), same, "{expected} {reply}");
    }
}
