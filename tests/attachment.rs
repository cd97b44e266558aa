//! Attaching to a pool changes our triggers and nothing else, for every document
//! that the service can answer with; and what can be in one is known whole.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cognitoidentityprovider::operation::get_user_pool_mfa_config::GetUserPoolMfaConfigOutput;
use aws_sdk_cognitoidentityprovider::operation::update_user_pool::UpdateUserPoolInput;
use aws_sdk_cognitoidentityprovider::types::{UserPoolClientType, UserPoolType};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared::attachment::members::{CLIENT, MFA, Members, POOL};
use shared::attachment::{
    Foreign, Memory, Plan, Slot, Snapshot, TriggerVersion, Wanted, attach, client_request, detach, differences,
    mfa_request, pool_request,
};
use tests::pool_documents::{FOREIGN, Fill, Model, paths_of};

const OURS: &str = "arn:aws:lambda:us-east-1:123456789012:function:ours";

fn model() -> Model {
    Model::read().unwrap()
}

fn known(members: &Members) -> BTreeSet<&'static str> {
    members.sent.iter().chain(members.read_only).copied().collect()
}

// ---- What can be in a document is known whole

#[test]
fn every_setting_of_the_service_model_is_sent_back_or_known_to_be_read_only() {
    let model = model();
    // The operation that reads, the one that writes, and what the latter takes besides.
    let rows = [
        (POOL, "UserPoolType", "UpdateUserPoolRequest", ["PoolName", "UserPoolId"].as_slice()),
        (MFA, "GetUserPoolMfaConfigResponse", "SetUserPoolMfaConfigRequest", &["UserPoolId"]),
        (CLIENT, "UserPoolClientType", "UpdateUserPoolClientRequest", &["PublishSecretsInAWSSecretsManager"]),
    ];
    for (members, read, written, besides) in rows {
        assert_eq!(known(&members), model.members(read), "{read} of botocore {}", model.version);
        let sent: BTreeSet<&str> = members.sent.iter().chain(besides).copied().collect();
        assert_eq!(sent, model.members(written), "{written} of botocore {}", model.version);
    }
}

/// The fields of an SDK type, as its `Debug` names them, in the API's letters.
fn fields(debug: &str) -> BTreeSet<String> {
    let inner = debug.split_once('{').unwrap().1;
    let names = inner.split(',').filter_map(|field| field.split_once(':')).map(|(name, _)| name.trim());
    names.filter(|name| !name.starts_with('_') && !name.contains(' ')).map(|name| name.replace('_', "")).collect()
}

#[test]
fn every_setting_that_the_sdk_knows_is_known_here_too() {
    let update = UpdateUserPoolInput::builder().build().unwrap();
    let rows = [
        (known(&POOL), format!("{:?}", UserPoolType::builder().build())),
        (known(&MFA), format!("{:?}", GetUserPoolMfaConfigOutput::builder().build())),
        (known(&CLIENT), format!("{:?}", UserPoolClientType::builder().build())),
        (POOL.sent.iter().copied().chain(["PoolName", "UserPoolId"]).collect(), format!("{update:?}")),
    ];
    for (known, debug) in rows {
        let known: BTreeSet<String> = known.iter().map(|name| name.to_lowercase()).collect();
        let fields = fields(&debug);
        assert!(fields.len() > 4, "no fields in {debug}");
        let new: Vec<_> = fields.difference(&known).collect();
        assert!(new.is_empty(), "the SDK has settings that are not known here: {new:?}");
    }
}

#[test]
fn the_corpus_uses_every_setting() {
    let model = model();
    let full = [0, 1, 2]
        .map(|seed| (model.pool(Fill::All, seed), model.mfa(Fill::All, seed), model.client("c", Fill::All, seed)));
    let shapes = ["UserPoolType", "GetUserPoolMfaConfigResponse", "UserPoolClientType"];
    for (index, shape) in shapes.into_iter().enumerate() {
        let all = model.paths(shape);
        let mut used = BTreeSet::new();
        for (pool, mfa, client) in &full {
            used.extend(paths_of([pool, mfa, client][index], &all));
        }
        assert_eq!(used, all, "{shape}");
    }
}

// ---- For any pool

/// A service that does as it is told, and resets what it is not told.
fn told(before: &Snapshot, request: &Value) -> Snapshot {
    let mut after = before.clone();
    let pool = after.pool.as_object_mut().unwrap();
    for name in POOL.sent {
        pool.remove(*name);
    }
    for (name, value) in request.as_object().unwrap() {
        match name.as_str() {
            "UserPoolId" => assert_eq!(pool["Id"], *value),
            "PoolName" => drop(pool.insert("Name".to_owned(), value.clone())),
            _ => drop(pool.insert(name.clone(), value.clone())),
        }
    }
    // Nobody can send or lose a reserved tag.
    let reserved: Vec<(String, Value)> = before.pool["UserPoolTags"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("aws:"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !reserved.is_empty() {
        let tags = pool.entry("UserPoolTags").or_insert_with(|| json!({}));
        tags.as_object_mut().unwrap().extend(reserved);
    }
    after
}

fn carry_out(before: &Snapshot, plan: &Plan) -> Snapshot {
    plan.update.as_ref().map_or_else(|| before.clone(), |request| told(before, request))
}

fn snapshots() -> impl Strategy<Value = Snapshot> {
    let fill = prop_oneof![1 => Just(Fill::All), 1 => Just(Fill::None), 6 => Just(Fill::Some)];
    let extra = prop_oneof![
        Just(json!({})),
        Just(json!({"UserPoolTags": {"aws:cloudformation:stack-name": "theirs", "mine": ""}})),
        Just(json!({"Policies": {"FuturePolicy": {"Deep": [1, "x"]}}, "SmsVerificationMessage": ""})),
        Just(json!({"LambdaConfig": {"FutureTrigger": {"LambdaArn": FOREIGN}}})),
        Just(json!({"LambdaConfig": null, "EmailConfiguration": {}})),
    ];
    (fill, any::<u64>(), extra).prop_map(|(fill, seed, extra)| {
        let model = model();
        let mut pool = model.pool(fill, seed);
        pool.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        Snapshot { pool, mfa: model.mfa(fill, seed), clients: BTreeMap::new() }
    })
}

fn wanted_by_anybody() -> impl Strategy<Value = Wanted> {
    let version = prop_oneof![Just(TriggerVersion::V1), Just(TriggerVersion::V2), Just(TriggerVersion::V3)];
    (proptest::sample::subsequence(Slot::ALL.to_vec(), 0..=4), version).prop_map(|(slots, version)| {
        Wanted::new(slots.into_iter().map(|slot| (slot, OURS.to_owned())).collect(), version).unwrap()
    })
}

fn triggers(snapshot: &Snapshot) -> Map<String, Value> {
    snapshot.pool["LambdaConfig"].as_object().cloned().unwrap_or_default()
}

/// The triggers that are nobody's business but their owner's.
fn of_others(snapshot: &Snapshot, wanted: &Wanted) -> Map<String, Value> {
    let mut all = triggers(snapshot);
    for slot in wanted.functions().keys() {
        all.remove(slot.name());
        if *slot == Slot::PreTokenGeneration {
            all.remove("PreTokenGenerationConfig");
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn attach_then_detach_is_the_identity(before in snapshots(), wanted in wanted_by_anybody()) {
        let plan = attach(&before, &wanted, &Memory::default(), Foreign::TakeOver).unwrap();
        let attached = carry_out(&before, &plan);
        prop_assert_eq!(differences(&before, &attached, &plan.triggers), []);
        // What is remembered goes through its text.
        let memory = Memory::read(&plan.afterwards.unwrap().text(4096)).unwrap();
        let back = carry_out(&attached, &detach(&attached, &wanted, &memory).unwrap());
        prop_assert_eq!(differences(&before, &back, &triggers(&before)), []);
        // To the byte, as far as it can be sent at all.
        let sent = |snapshot: &Snapshot| pool_request(&snapshot.pool, &triggers(&before)).unwrap();
        prop_assert_eq!(sent(&before), sent(&back));
    }

    #[test]
    fn attach_twice_is_attach_once(before in snapshots(), wanted in wanted_by_anybody()) {
        let plan = attach(&before, &wanted, &Memory::default(), Foreign::TakeOver).unwrap();
        let attached = carry_out(&before, &plan);
        // Whether the first run came to its end or was killed before it settled.
        for memory in [plan.afterwards.clone().unwrap(), plan.during.clone()] {
            let again = attach(&attached, &wanted, &memory, Foreign::Refuse).unwrap();
            prop_assert_eq!(&again.update, &None);
            prop_assert_eq!(&again.afterwards, &plan.afterwards);
        }
        // Killed before the pool was written: the same again.
        let again = attach(&before, &wanted, &plan.during, Foreign::TakeOver).unwrap();
        prop_assert_eq!((&again.update, &again.afterwards), (&plan.update, &plan.afterwards));
    }

    #[test]
    fn nothing_foreign_ever_changes(before in snapshots(), wanted in wanted_by_anybody()) {
        let taken_over = attach(&before, &wanted, &Memory::default(), Foreign::TakeOver).unwrap();
        let attached = carry_out(&before, &taken_over);
        prop_assert_eq!(of_others(&before, &wanted), of_others(&attached, &wanted));
        if let Ok(plan) = attach(&before, &wanted, &Memory::default(), Foreign::Refuse) {
            let after = carry_out(&before, &plan);
            for (name, value) in triggers(&before) {
                prop_assert_eq!(after.pool["LambdaConfig"].get(&name), Some(&value), "{}", name);
            }
        }
    }

    #[test]
    fn a_careless_update_shows(before in snapshots(), seed in any::<usize>()) {
        let plan = attach(&before, &Wanted::new(BTreeMap::from([(Slot::PreSignUp, OURS.to_owned())]), TriggerVersion::V2).unwrap(), &Memory::default(), Foreign::TakeOver).unwrap();
        if let Some(mut request) = plan.update.clone() {
            // One setting is left out, as a careless tool does.
            let settings: Vec<String> = request.as_object().unwrap().keys().filter(|name| !["UserPoolId", "PoolName", "LambdaConfig"].contains(&name.as_str())).cloned().collect();
            if let Some(name) = settings.get(seed % settings.len().max(1)) {
                let value = request.as_object_mut().unwrap().remove(name).unwrap();
                let after = told(&before, &request);
                let found = differences(&before, &after, &plan.triggers);
                let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
                let meaningful = !empty && !only_empty(&value);
                prop_assert_eq!(found.iter().any(|one| one.path.starts_with(&format!("pool.{name}"))), meaningful, "{}: {}", name, value);
            }
        }
    }

    #[test]
    fn factors_and_clients_go_back_as_they_were(seed in any::<u64>()) {
        let model = model();
        let mfa = model.mfa(Fill::Some, seed);
        let mut request = mfa_request("p", &mfa).unwrap();
        request.as_object_mut().unwrap().remove("UserPoolId");
        let as_pool = |mfa: Value| Snapshot { mfa, ..Snapshot::default() };
        prop_assert_eq!(differences(&as_pool(mfa), &as_pool(request), &Map::new()), []);
        let client = model.client("c", Fill::Some, seed);
        let mut back = client_request(&client).unwrap();
        let read_only = CLIENT.read_only.iter().filter_map(|name| Some(((*name).to_owned(), client.get(*name)?.clone())));
        back.as_object_mut().unwrap().extend(read_only);
        let as_client = |client: Value| Snapshot { clients: BTreeMap::from([("c".to_owned(), client)]), ..Snapshot::default() };
        prop_assert_eq!(differences(&as_client(client), &as_client(back), &Map::new()), []);
    }
}

fn only_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(only_empty),
        _ => false,
    }
}
