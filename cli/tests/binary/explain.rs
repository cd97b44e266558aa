//! `poolhouse explain`: from flags, files, recorded events and a pool.

use serde_json::{Value, json};

use crate::support::services::{Answers, Reply, Services};
use crate::support::tool::{Folder, project, run};

const NOWHERE: &str = "http://127.0.0.1:1";

async fn explained(endpoint: &str, arguments: &[&str]) -> Value {
    let rules = project("rules/rules.toml");
    let run = run(endpoint, &[&["explain", "--output", "json", "--rules", &rules], arguments].concat()).await;
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    serde_json::from_str(&run.out).expect("JSON")
}

#[tokio::test]
async fn flags_describe_a_person_and_the_tree_says_why() {
    let rules = project("rules/rules.toml");
    let arguments = ["explain", "--rules", &rules, "--member", "acme=admin", "--request", "GET /tenants/globex"];
    let run = run(NOWHERE, &arguments).await;
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    for words in [
        "Tenant  acme  OnlyMembership\n",
        "├─ + tenant           \"acme\"  claims.map[0] line ",
        "plan             NoValue  claims.map[3] line ",
        "IAM role  AdministratorRole  Rule  roles.rules[0] line ",
        "yes  GET    /tenants/{tenant} ",
        "in acme only",
        "GET /tenants/globex\n├─ no   with the access token  TenantDiffers\n",
    ] {
        assert!(run.out.contains(words), "{words}\n{}", run.out);
    }
}

#[tokio::test]
async fn a_recorded_event_is_explained_as_the_function_answers_it() {
    let events = std::fs::read_dir(project("events/pre-token-generation")).expect("the events are there");
    let mut compared = 0;
    for entry in events {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        let Some(case) = name.strip_suffix(".request.json") else { continue };
        // What the function writes down first, only a directory can tell.
        let heals = name.contains("first-token") || std::path::Path::new(&format!("{case}.rules.toml")).exists();
        if heals {
            continue;
        }
        let told = explained(NOWHERE, &["--event", &name]).await;
        let reply = std::fs::read_to_string(format!("{case}.reply.json")).expect("a reply");
        let reply: Value = serde_json::from_str(&reply).expect("JSON");
        for (kind, token) in [("id", "idTokenGeneration"), ("access", "accessTokenGeneration")] {
            let v2 = &reply["response"]["claimsAndScopeOverrideDetails"][token]["claimsToAddOrOverride"];
            let v1 = &reply["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"];
            let added = if kind == "id" && v2.is_null() { v1 } else { v2 };
            let entries = told["explanation"]["claims"].as_array().expect("a list");
            let entries = entries.iter().filter(|entry| entry["token"] == kind && entry["outcome"] == "Added");
            let ours: serde_json::Map<String, Value> = entries
                .map(|entry| (entry["claim"].as_str().unwrap_or_default().to_owned(), entry["value"].clone()))
                .collect();
            let theirs = added.as_object().cloned().unwrap_or_default();
            assert_eq!(ours, theirs, "{case} {kind}");
            compared += theirs.len();
        }
    }
    assert!(compared > 50, "{compared} claims compared");
}

#[tokio::test]
async fn events_of_a_sign_up_are_explained_too() {
    let event = |name: &str| project(&format!("events/{name}.request.json"));
    let table = [
        ("pre-sign-up/sign-up", json!("accept")),
        ("pre-sign-up/sign-up-blocked-domain", json!("DomainBlocked")),
        ("pre-sign-up/sign-up-forbidden-attribute", json!("AttributeForbidden")),
        ("pre-sign-up/external-provider-unknown", json!("UnknownProvider")),
    ];
    for (name, expected) in table {
        let told = explained(NOWHERE, &["--event", &event(name)]).await;
        assert_eq!(told["newcomer"]["sign_up"], expected, "{name}");
        assert!(told.get("explanation").is_none(), "{name}");
    }
    let told = explained(NOWHERE, &["--event", &event("post-confirmation/confirm-sign-up")]).await;
    assert_eq!(told["explanation"]["groups"]["groups"], json!(["users"]));
    let other = run(NOWHERE, &["explain", "--event", &event("user-migration/authentication")]).await;
    assert_eq!(other.code, Some(2), "{other:?}");
}

#[tokio::test]
async fn a_user_of_a_pool_is_read_and_nothing_is_written() {
    let sub = "aaaaaaaa-0000-4000-8000-000000000001";
    let key = format!("USER#{sub}");
    let answers = Answers::from([
        (
            "AdminGetUser".to_owned(),
            Reply::Json(json!({"Username": "ann", "UserAttributes": [
                {"Name": "sub", "Value": sub}, {"Name": "email", "Value": "ann@acme.example"},
            ]})),
        ),
        (
            "AdminListGroupsForUser".to_owned(),
            Reply::Json(json!({"Groups": [{"GroupName": "users", "Precedence": 1}]})),
        ),
        (
            "Query".to_owned(),
            Reply::Json(json!({"Count": 2, "Items": [
                {"pk": {"S": key}, "sk": {"S": "PROFILE"}, "subject": {"S": key}, "version": {"N": "1"}},
                {"pk": {"S": "acme#members"}, "sk": {"S": sub}, "subject": {"S": key}, "tenant": {"S": "acme"},
                 "status": {"S": "active"}, "roles": {"SS": ["admin"]}},
            ]})),
        ),
    ]);
    let services = Services::start(answers);
    let pool = ["--pool", "us-east-1_AbCdEfGhI", "--user-name", "ann"];
    let told = explained(services.url(), &[pool.as_slice(), &["--table", "directory"]].concat()).await;
    assert_eq!(told["explanation"]["iam_role"]["role"], "AdministratorRole");
    assert_eq!(told["explanation"]["groups"]["groups"], json!(["users"]));
    assert_eq!(services.calls(), ["AdminGetUser", "AdminListGroupsForUser", "Query"]);
    let alone = explained(services.url(), &pool).await;
    assert_eq!(alone["explanation"]["tenancy"]["reason"], "NoMembership");
}

#[tokio::test]
async fn what_cannot_be_explained_says_why() {
    let services =
        Services::start(Answers::from([("AdminGetUser".to_owned(), Reply::Error(400, "UserNotFoundException"))]));
    let folder = Folder::new();
    let user = folder.write("user.toml", "memberships = [{ tenant = \"Acme\" }]");
    let rules = project("rules/rules.toml");
    let table: [(&[&str], i32, &str); 6] = [
        (&["--pool", "us-east-1_a", "--user-name", "ann"], 1, "(UserMissing)"),
        (&["--pool", "us-east-1_a"], 2, "--user-name"),
        (&["--user", &user], 2, "(UserUnusable)"),
        (&["--member", "Acme"], 2, "(ArgumentUnusable)"),
        (&["--attribute", "email"], 2, "(ArgumentUnusable)"),
        (&["--request", "/items"], 2, "(ArgumentUnusable)"),
    ];
    for (arguments, code, says) in table {
        let run = run(services.url(), &[&["explain", "--rules", &rules], arguments].concat()).await;
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.err.contains(says), "{arguments:?}: {run:?}");
    }
}
