//! Recorded events, as the triggers get them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use shared::attributes::Attributes;
use shared::claims::EventVersion;
use shared::explanation::{Situation, User};

use super::{Question, directory};
use crate::output::Failure;

/// What is read of an event; absent and `null` are alike.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    version: Option<String>,
    trigger_source: String,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    caller_context: Option<CallerContext>,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallerContext {
    #[serde(default)]
    client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    user_attributes: Attributes,
    #[serde(default)]
    group_configuration: Option<Groups>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    #[serde(default)]
    groups_to_override: Option<Vec<String>>,
    #[serde(default)]
    iam_roles_to_override: Option<Vec<String>>,
    #[serde(default)]
    preferred_role: Value,
}

/// Reads an event, and the items beside it.
pub(super) fn read(path: &Path) -> Result<Question, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let unlike = |what: &str| Failure::usage("EventUnusable", format!("{}: {what}", path.display()));
    let event: Event = serde_json::from_str(&text).map_err(|error| unlike(&error.to_string()))?;
    let trigger = event.trigger_source.split('_').next().unwrap_or_default().to_owned();
    if !["PreSignUp", "PostConfirmation", "TokenGeneration"].contains(&trigger.as_str()) {
        let known = "events of pre-sign-up, post-confirmation and pre-token-generation can be explained";
        return Err(unlike(&format!("{} is none of the triggers: {known}", event.trigger_source)));
    }
    let mut question = question(event, &trigger);
    if let Some(items) = items_beside(path)? {
        directory::add(&items, &mut question.situation.user)
            .map_err(|what| unlike(&format!("the items beside it: {what}")))?;
    }
    Ok(question)
}

fn question(event: Event, trigger: &str) -> Question {
    let groups = event.request.group_configuration.unwrap_or_default();
    let user = User {
        user_name: event.user_name,
        attributes: event.request.user_attributes,
        groups: groups.groups_to_override.unwrap_or_default(),
        iam_roles: groups.iam_roles_to_override,
        preferred_role: groups.preferred_role.as_str().filter(|role| !role.is_empty()).map(str::to_owned),
        new: trigger == "PostConfirmation",
        ..User::default()
    };
    let usual = Situation::of(user);
    let is_token = trigger == "TokenGeneration";
    let situation = Situation {
        client_id: event.caller_context.and_then(|caller| caller.client_id).unwrap_or(usual.client_id),
        source: if is_token { event.trigger_source.clone() } else { usual.source },
        event_version: is_token.then(|| version(event.version.as_deref())),
        scopes: if is_token { event.request.scopes.unwrap_or_default() } else { usual.scopes },
        ..Situation::of(usual.user)
    };
    let sign_up = (trigger == "PreSignUp").then_some(event.trigger_source);
    Question { situation, sign_up, has_tokens: trigger != "PreSignUp" }
}

/// Some emulators write "0".
fn version(text: Option<&str>) -> EventVersion {
    match text {
        Some("2") => EventVersion::V2,
        Some("3") => EventVersion::V3,
        _ => EventVersion::V1,
    }
}

/// The directory's items that belong to the event: `<case>.items.json`.
fn items_beside(path: &Path) -> Result<Option<Vec<Value>>, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(case) = name.strip_suffix(".request.json") else { return Ok(None) };
    let beside: PathBuf = path.with_file_name(format!("{case}.items.json"));
    if !beside.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&beside).map_err(|error| Failure::file(&beside, error))?;
    let tables: Value = serde_json::from_str(&text).map_err(|error| Failure::file(&beside, error))?;
    Ok(tables.get("directory").and_then(Value::as_array).cloned())
}
