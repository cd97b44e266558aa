use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::rules::Rules;

const OURS: &str = "arn:aws:lambda:eu-west-1:123456789012:function:ours";
const NEWER: &str = "arn:aws:lambda:eu-west-1:123456789012:function:ours-2";
const THEIRS: &str = "arn:aws:lambda:eu-west-1:123456789012:function:theirs";

fn wanted(slots: &[Slot], arn: &str) -> Wanted {
    Wanted::new(slots.iter().map(|slot| (*slot, arn.to_owned())).collect(), TriggerVersion::V2).unwrap()
}

fn all(arn: &str) -> Wanted {
    wanted(&Slot::ALL, arn)
}

fn pool(triggers: &Value) -> Snapshot {
    let pool = json!({
        "Id": "eu-west-1_Abc", "Name": "people", "Arn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Abc",
        "LambdaConfig": triggers, "MfaConfiguration": "OFF", "SmsVerificationMessage": "",
        "Policies": {"PasswordPolicy": {"MinimumLength": 9, "TemporaryPasswordValidityDays": 4}},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true, "UnusedAccountValidityDays": 4},
        "UserPoolTags": {"team": "", "aws:made-by": "x"}, "LastModifiedDate": 1.5,
    });
    Snapshot { pool, mfa: json!({"MfaConfiguration": "OFF"}), clients: BTreeMap::new() }
}

/// The pool after the plan was carried out by a service that does as it is told.
fn carried_out(before: &Snapshot, plan: &Plan) -> Snapshot {
    let mut after = before.clone();
    after.pool["LambdaConfig"] = json!(plan.triggers);
    after
}

fn attached(before: &Snapshot, wanted: &Wanted, memory: &Memory) -> (Snapshot, Memory, Plan) {
    let plan = attach(before, wanted, memory, Foreign::TakeOver).unwrap();
    (carried_out(before, &plan), plan.afterwards.clone().unwrap(), plan)
}

#[test]
fn the_request_is_the_document_with_nothing_but_the_triggers_changed() {
    let plan =
        attach(&pool(&json!({"CustomMessage": THEIRS})), &all(OURS), &Memory::default(), Foreign::Refuse).unwrap();
    let expected = json!({
        "UserPoolId": "eu-west-1_Abc", "PoolName": "people", "MfaConfiguration": "OFF",
        "Policies": {"PasswordPolicy": {"MinimumLength": 9, "TemporaryPasswordValidityDays": 4}},
        // The old name of the days is refused beside the new one, and a reserved tag always.
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true}, "UserPoolTags": {"team": ""},
        "LambdaConfig": {
            "CustomMessage": THEIRS, "PreSignUp": OURS, "PostConfirmation": OURS, "PreTokenGeneration": OURS,
            "PreTokenGenerationConfig": {"LambdaArn": OURS, "LambdaVersion": "V2_0"}, "UserMigration": OURS,
        },
    });
    assert_eq!(plan.update, Some(expected));
}

#[test]
fn a_setting_that_cannot_be_sent_back_is_a_refusal_that_names_it() {
    let table = [
        (json!({"FutureSetting": {"On": true}}), Some("FutureSetting")),
        (json!({"FutureSetting": false}), Some("FutureSetting")),
        (json!({"FutureSetting": []}), Some("FutureSetting")),
        (json!({"FutureSetting": null}), None),
        // Within a setting that is sent it is carried along.
        (json!({"Policies": {"FuturePolicy": 1}}), None),
    ];
    for (members, refused) in table {
        let mut before = pool(&json!({}));
        before.pool.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let result = attach(&before, &all(OURS), &Memory::default(), Foreign::TakeOver);
        match refused {
            Some(name) => {
                let error = result.unwrap_err();
                assert_eq!(error.code(), "UnknownMembers", "{members}");
                assert!(error.to_string().contains(name), "{error}");
            }
            None => assert!(result.is_ok(), "{members}"),
        }
    }
    let mut before = pool(&json!({}));
    before.pool["Policies"]["FuturePolicy"] = json!({"Deep": [1, null]});
    let plan = attach(&before, &all(OURS), &Memory::default(), Foreign::TakeOver).unwrap();
    assert_eq!(plan.update.unwrap()["Policies"], before.pool["Policies"]);
    before = pool(&json!({}));
    before.mfa["FutureFactor"] = json!({"Enabled": true});
    let error = attach(&before, &all(OURS), &Memory::default(), Foreign::TakeOver).unwrap_err();
    assert!(
        error.to_string().contains("GetUserPoolMfaConfig") && error.to_string().contains("FutureFactor"),
        "{error}"
    );
    // Where nothing is written nothing can be lost.
    before.pool["LambdaConfig"] = json!({"PreSignUp": OURS});
    let plan = attach(&before, &wanted(&[Slot::PreSignUp], OURS), &Memory::default(), Foreign::Refuse);
    assert_eq!(plan.unwrap().update, None);
}

#[test]
fn a_foreign_trigger_stays_unless_it_may_be_taken_over_and_comes_back() {
    let token = json!({"PreTokenGeneration": THEIRS, "PreTokenGenerationConfig": {"LambdaArn": THEIRS, "LambdaVersion": "V3_0"}});
    for triggers in [json!({"PreSignUp": THEIRS}), json!({"PreTokenGeneration": THEIRS}), token] {
        let before = pool(&triggers);
        let refused = attach(&before, &all(OURS), &Memory::default(), Foreign::Refuse).unwrap_err();
        assert_eq!(refused.code(), "ForeignTriggers");
        assert!(refused.to_string().contains(THEIRS), "{refused}");
        let (after, memory, plan) = attached(&before, &all(OURS), &Memory::default());
        assert_eq!(plan.changes.iter().filter(|change| change.taken_over).count(), 1, "{triggers}");
        let back = detach(&after, &all(OURS), &memory).unwrap();
        assert_eq!(json!(back.triggers), triggers);
        assert_eq!(back.afterwards, None);
        // Both were written before, so an interruption before the write forgets nothing.
        assert_eq!(back.during.replaced, memory.replaced);
        assert_eq!(plan.during.replaced, memory.replaced);
    }
}

#[test]
fn only_what_is_still_ours_is_taken_out() {
    let (mut after, memory, _) = attached(&pool(&json!({"PreSignUp": THEIRS})), &all(OURS), &Memory::default());
    let other = "arn:aws:lambda:eu-west-1:123456789012:function:other";
    after.pool["LambdaConfig"]["PreSignUp"] = json!(other);
    after.pool["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaArn"] = json!(other);
    let plan = detach(&after, &all(OURS), &memory).unwrap();
    let kept = json!({"PreSignUp": other, "PreTokenGeneration": OURS, "PreTokenGenerationConfig": {"LambdaArn": other, "LambdaVersion": "V2_0"}});
    assert_eq!(json!(plan.triggers), kept);
    assert_eq!(
        plan.left.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
        [Slot::PreSignUp, Slot::PreTokenGeneration]
    );
    // Another version of the event is still our function.
    let (mut after, memory, _) = attached(&pool(&json!({})), &all(OURS), &Memory::default());
    after.pool["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaVersion"] = json!("V1_0");
    assert_eq!(json!(detach(&after, &all(OURS), &memory).unwrap().triggers), json!({}));
}

#[test]
fn detaching_what_was_never_attached_writes_nothing() {
    for triggers in [json!({}), Value::Null, json!({"PreSignUp": THEIRS, "KMSKeyID": "k"})] {
        let plan = detach(&pool(&triggers), &all(OURS), &Memory::default()).unwrap();
        assert_eq!(plan.update, None, "{triggers}");
    }
}

#[test]
fn a_function_is_replaced_by_its_successor_and_a_place_that_is_not_wanted_is_given_back() {
    let (after, memory, _) = attached(&pool(&json!({"UserMigration": THEIRS})), &all(OURS), &Memory::default());
    let next = wanted(&[Slot::PreSignUp, Slot::PostConfirmation, Slot::PreTokenGeneration], NEWER);
    let plan = attach(&after, &next, &memory, Foreign::Refuse).unwrap();
    assert_eq!(plan.triggers["PreSignUp"], NEWER);
    assert_eq!(plan.triggers["UserMigration"], THEIRS);
    // Killed before or after the write, both are known as ours.
    assert_eq!(plan.during.ours[&Slot::PreSignUp], BTreeSet::from([OURS.to_owned(), NEWER.to_owned()]));
    let again = attach(&after, &next, &plan.during, Foreign::Refuse).unwrap();
    assert_eq!((again.update, again.afterwards.clone()), (plan.update.clone(), plan.afterwards.clone()));
    let done = attach(&carried_out(&after, &plan), &next, &plan.during, Foreign::Refuse).unwrap();
    assert_eq!((done.update, &done.afterwards, done.left), (None, &plan.afterwards, vec![]));
    assert!(!done.afterwards.unwrap().ours.contains_key(&Slot::UserMigration));
}

#[test]
fn what_was_remembered_is_forgotten_when_its_place_was_emptied_by_somebody() {
    let (mut after, memory, _) = attached(&pool(&json!({"PreSignUp": THEIRS})), &all(OURS), &Memory::default());
    after.pool["LambdaConfig"].as_object_mut().unwrap().remove("PreSignUp");
    let plan = attach(&after, &all(OURS), &memory, Foreign::Refuse).unwrap();
    assert!(plan.during.replaced.is_empty() && plan.afterwards.unwrap().replaced.is_empty());
}

#[test]
fn a_token_trigger_without_a_version_has_the_first() {
    let before = pool(&json!({"PreTokenGeneration": OURS}));
    for (version, writes) in [(TriggerVersion::V1, false), (TriggerVersion::V2, true)] {
        let functions = BTreeMap::from([(Slot::PreTokenGeneration, OURS.to_owned())]);
        let wanted = Wanted::new(functions, version).unwrap();
        let plan = attach(&before, &wanted, &Memory::default(), Foreign::Refuse).unwrap();
        assert_eq!(plan.update.is_some(), writes, "{version:?}");
    }
}

#[test]
fn a_trigger_is_the_arn_of_a_function() {
    let table = [
        (OURS, true),
        ("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f", true),
        ("arn:aws:lambda:eu-west-1:123456789012:function:f:live", true),
        ("arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST", true),
        ("arn:aws:lambda:eu-west-1:123456789012:function:f:1:2", false),
        ("arn:aws:lambda:eu-west-1:123456789012:layer:f", false),
        ("arn:aws:lambda:eu-west-1:12345678901:function:f", false),
        ("arn:aws:lambda:eu-west-1:123456789012:function:", false),
        ("arn:aws:lambda:eu-west-1:123456789012:function:a/../b", false),
        ("arn:aws:sns:eu-west-1:123456789012:function:f", false),
        ("f", false),
        ("", false),
    ];
    for (arn, expected) in table {
        let made = Wanted::new(BTreeMap::from([(Slot::PreSignUp, arn.to_owned())]), TriggerVersion::V2);
        assert_eq!(made.is_ok(), expected, "{arn}");
    }
}

#[test]
fn every_field_that_moved_is_named_and_what_moves_by_itself_is_not() {
    let rows: [(&str, Value, &[&str]); 15] = [
        ("/LastModifiedDate", json!(9), &[]),
        ("/SmsVerificationMessage", Value::Null, &[]),
        ("/SmsVerificationMessage", json!("code {####}"), &["pool.SmsVerificationMessage"]),
        ("/DeviceConfiguration", json!({}), &[]),
        ("/AutoVerifiedAttributes", json!([]), &[]),
        ("/AutoVerifiedAttributes", json!(["email"]), &["pool.AutoVerifiedAttributes"]),
        ("/Policies/PasswordPolicy/MinimumLength", json!(8), &["pool.Policies.PasswordPolicy.MinimumLength"]),
        ("/Policies/PasswordPolicy/MinimumLength", json!("9"), &["pool.Policies.PasswordPolicy.MinimumLength"]),
        (
            "/Policies",
            Value::Null,
            &[
                "pool.Policies.PasswordPolicy.MinimumLength",
                "pool.Policies.PasswordPolicy.TemporaryPasswordValidityDays",
            ],
        ),
        ("/AdminCreateUserConfig/UnusedAccountValidityDays", Value::Null, &[]),
        (
            "/AdminCreateUserConfig/UnusedAccountValidityDays",
            json!(7),
            &["pool.AdminCreateUserConfig.UnusedAccountValidityDays"],
        ),
        ("/UserPoolTags/team", Value::Null, &["pool.UserPoolTags.team"]),
        ("/UserPoolTags/aws:made-by", json!("y"), &["pool.UserPoolTags.aws:made-by"]),
        ("/FutureSetting", json!(1), &["pool.FutureSetting"]),
        ("/LambdaConfig/CustomMessage", json!(THEIRS), &["pool.LambdaConfig.CustomMessage"]),
    ];
    let before = pool(&json!({}));
    for (place, value, expected) in rows {
        let mut after = before.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let members = after.pool.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() && place.contains("Tags") {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value.clone());
        }
        let found = differences(&before, &after, &before.triggers());
        assert_eq!(found.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), expected, "{place} = {value}");
        let moved = moved_since(&fingerprints(&before), &after);
        // Whole members, and the triggers apart; the old name of the days counts there.
        let relevant = expected.iter().any(|path| !path.contains("LambdaConfig"));
        assert!(
            moved.is_empty() != relevant || place.ends_with("UnusedAccountValidityDays"),
            "{place} = {value}: {moved:?}"
        );
    }
}

#[test]
fn lists_are_sets_and_factors_and_clients_count_too() {
    let mut before = pool(&json!({}));
    before.pool["AutoVerifiedAttributes"] = json!(["email", "phone_number"]);
    before.clients.insert("c".to_owned(), json!({"ClientId": "c", "WriteAttributes": ["email"]}));
    before.clients.insert("gone".to_owned(), json!({"ClientId": "gone"}));
    let mut after = before.clone();
    after.pool["AutoVerifiedAttributes"] = json!(["phone_number", "email"]);
    after.clients.remove("gone");
    assert_eq!(differences(&before, &after, &before.triggers()), []);
    after.mfa["SoftwareTokenMfaConfiguration"] = json!({"Enabled": true});
    after.clients.get_mut("c").unwrap()["WriteAttributes"] = json!(["email", "custom:plan"]);
    let found = differences(&before, &after, &before.triggers());
    assert_eq!(difference_paths(&found), "mfa.SoftwareTokenMfaConfiguration.Enabled, client c.WriteAttributes");
    assert_eq!(moved_since(&fingerprints(&before), &after), ["mfa"]);
    assert!(!format!("{found:?}").contains("plan"), "values are not for logs");
}

#[test]
fn the_factors_go_back_as_they_were_and_never_beside_off() {
    let totp = json!({"Enabled": true});
    let table = [
        (
            json!({"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": totp}),
            json!({"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": totp}),
        ),
        (json!({"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": totp}), json!({"MfaConfiguration": "OFF"})),
        (
            json!({"WebAuthnConfiguration": {"RelyingPartyId": "x"}}),
            json!({"MfaConfiguration": "OFF", "WebAuthnConfiguration": {"RelyingPartyId": "x"}}),
        ),
    ];
    for (read, sent) in table {
        let mut expected = sent;
        expected["UserPoolId"] = json!("p");
        assert_eq!(mfa_request("p", &read).unwrap(), expected);
    }
}

#[test]
fn a_memory_is_read_as_it_was_written_and_fits() {
    let (_, _, plan) = attached(&pool(&json!({"PreSignUp": THEIRS})), &all(OURS), &Memory::default());
    assert!(plan.during.pending.is_some());
    assert_eq!(Memory::read(&plan.during.text(4096)), Ok(plan.during.clone()));
    let small = Memory::read(&plan.during.text(100)).unwrap();
    assert_eq!(small, Memory { pending: None, ..plan.during });
    for text in
        ["", "{}", "[]", r#"{"version":2}"#, r#"{"version":1,"future":1}"#, r#"{"version":1,"ours":{"Other":[]}}"#]
    {
        assert_eq!(Memory::read(text), Err(MemoryUnreadable), "{text}");
    }
    assert_eq!(Memory::read(r#"{"version":1}"#), Ok(Memory::default()));
}

const RULES: &str = r#"
version = 1
[sign_up]
mode = "open"
forbidden_attributes = ["custom:tenant"]
[tenants]
source = "directory"
[claims]
token_version = "v2"
[[claims.map]]
name = "plan"
token = "id"
from = { attribute = "custom:plan" }
[[claims.map]]
name = "called"
token = "id"
from = { attribute = "nickname" }
[[claims.map]]
name = "department"
token = "id"
from = { attribute = "zoneinfo" }
[roles]
type = "rules"
authenticated_role = "arn:aws:iam::123456789012:role/r"
ambiguous = "authenticated"
[[roles.rules]]
claim = "department"
match = "equals"
value = "x"
role = "arn:aws:iam::123456789012:role/r"
"#;

#[test]
fn warnings_say_what_may_hurt_later() {
    let rules = Rules::read(RULES).unwrap_or_else(|problems| panic!("{problems}"));
    let mut before = pool(&json!({"PreSignUp": THEIRS}));
    before.pool["UserPoolTier"] = json!("LITE");
    let clients: [(&str, Value); 5] = [
        ("bare", json!({})),
        ("good", json!({"WriteAttributes": ["email", "nickname"]})),
        ("plans", json!({"WriteAttributes": ["email", "custom:plan"]})),
        ("role", json!({"WriteAttributes": ["zoneinfo"]})),
        ("tenant", json!({"WriteAttributes": ["custom:tenant", "nickname"]})),
    ];
    before.clients = clients.map(|(id, client)| (id.to_owned(), client)).into();
    let plan = attach(&before, &all(OURS), &Memory::default(), Foreign::TakeOver).unwrap();
    let owner = Owner::Stack("their-stack".to_owned());
    let said = warnings(&before, &owner, Some(&all(OURS)), Some(&rules), &plan);
    let writes = |client: &str, name: &str| Warning::ClientWritesRights {
        client: client.to_owned(),
        attributes: vec![name.to_owned()],
    };
    let expected = [
        Warning::OwnedByStack("their-stack".to_owned()),
        Warning::PlanLacksVersion(TriggerVersion::V2),
        writes("bare", "zoneinfo"),
        writes("plans", "custom:plan"),
        writes("role", "zoneinfo"),
        writes("tenant", "custom:tenant"),
        Warning::TakenOver(Slot::PreSignUp, THEIRS.to_owned()),
    ];
    assert_eq!(said, expected);
    // The same pool with a plan that can, no stack, and nothing in the way.
    let mut before = pool(&json!({}));
    before.pool["UserPoolTier"] = json!("ESSENTIALS");
    let plan = attach(&before, &all(OURS), &Memory::default(), Foreign::TakeOver).unwrap();
    assert_eq!(warnings(&before, &Owner::Nobody, Some(&all(OURS)), Some(&rules), &plan), []);
    assert_eq!(warnings(&before, &Owner::Unknown, Some(&all(OURS)), None, &plan), [Warning::OwnerUnknown]);
    before.pool["UserPoolTier"] = json!("LITE");
    let first = Wanted::new(all(OURS).functions().clone(), TriggerVersion::V1).unwrap();
    assert_eq!(warnings(&before, &Owner::Nobody, Some(&first), Some(&rules), &plan), []);
}
