//! `poolhouse test`: cases that hold, and such as do not.

use serde_json::Value;

use crate::support::tool::{Folder, project, run};

const NOWHERE: &str = "http://127.0.0.1:1";

const CASE: &str = r#"
[[case]]
name = "a member has his items"
user.memberships = [{ tenant = "acme", roles = ["member"] }]
[case.expect]
tenant = "acme"
allow = ["GET /items"]
"#;

async fn tried(cases: &str) -> crate::support::tool::Run {
    run(NOWHERE, &["test", "--rules", &project("rules/rules.toml"), cases]).await
}

#[tokio::test]
async fn the_shipped_cases_hold() {
    let run = tried(&project("rules/cases")).await;
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.out.contains("  ok    an administrator of acme"), "{}", run.out);
    assert!(run.out.ends_with(", 0 failed\n"), "{}", run.out);
}

#[tokio::test]
async fn a_case_that_fails_says_what_was_expected_and_which_rule_has_the_say() {
    let folder = Folder::new();
    let wrong = format!("{CASE}id.has = {{ tenant = \"globex\" }}\ndeny = [\"GET /items/7\"]\n");
    let file = folder.write("wrong.toml", wrong);
    let run = tried(&file).await;
    assert_eq!(run.code, Some(4), "{run:?}");
    for words in [
        "  FAIL  a member has his items\n",
        "id.has.tenant\n          expected \"globex\"\n          found    \"acme\"\n",
        "claims.map[0] Added at ",
        "deny GET /items/7\n",
        "FAILED: 0 passed, 1 failed\n",
    ] {
        assert!(run.out.contains(words), "{words}\n{}", run.out);
    }
}

#[tokio::test]
async fn json_lists_the_cases() {
    let folder = Folder::new();
    folder.write("a.toml", CASE);
    folder.write("b.toml", CASE.replace("\"acme\"\nallow", "\"globex\"\nallow"));
    folder.write("notes.txt", "no case");
    let directory = folder.path("");
    let run = run(NOWHERE, &["--output", "json", "test", "--rules", &project("rules/rules.toml"), &directory]).await;
    let answer: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, &answer["passed"], &answer["failed"]), (Some(4), &Value::from(1), &Value::from(1)));
    let mismatch = &answer["cases"][1]["mismatches"][0];
    assert_eq!(
        (&mismatch["what"], &mismatch["expected"], &mismatch["found"]),
        (&Value::from("tenant"), &Value::from("globex"), &Value::from("acme"))
    );
}

#[tokio::test]
async fn what_is_no_case_is_refused_and_named() {
    let folder = Folder::new();
    let table = [
        ("a.toml", "[[case]]\nname = \"a\"\n", "expect"),
        ("b.toml", "[[case]]\nname = \"a\"\nexpect = { tenent = \"acme\" }\n", "tenent"),
        ("c.toml", "[[case]]\nname = \"a\"\nexpect = { allow = [\"/items\"] }\n", "is not a method and a path"),
        ("d.json", "{\"case\": [{\"name\": 1}]}", "d.json"),
    ];
    for (name, text, says) in table {
        let run = tried(&folder.write(name, text)).await;
        assert_eq!(run.code, Some(2), "{name}: {run:?}");
        assert!(run.err.contains("(CaseUnusable)") && run.err.contains(says), "{name}: {run:?}");
    }
    let empty = Folder::new();
    let run = tried(&empty.path("")).await;
    assert!(run.code == Some(2) && run.err.contains("(NoCases)"), "{run:?}");
}

#[tokio::test]
async fn rules_with_an_error_run_no_case() {
    let folder = Folder::new();
    let rules = folder.write("rules.toml", "version = 2");
    let run = run(NOWHERE, &["test", "--rules", &rules, &project("rules/cases")]).await;
    assert!(run.code == Some(2) && run.err.contains("(RulesUnusable)"), "{run:?}");
}
