//! What the operator reads: exit codes, texts, JSON, the report, and what must
//! never be among it.

use serde_json::{Value, json};

use crate::support::legacy_table::{LegacyTable, TABLE, create};
use crate::support::proxy::{Fate, Proxy};
use crate::support::tool::{Folder, run, sample};

/// A rule file without a word on moving users in.
const RULES: &str = r#"
    version = 1
    [sign_up]
    mode = "open"
    forbidden_attributes = ["custom:legacy_id"]
    [tenants]
    source = "directory"
    [claims]
    token_version = "v2"
    [migration.lockout]
    free_attempts = 5
    first_wait_s = 60
    longest_wait_s = 900
    overall_per_minute = 300
"#;

/// Leads nowhere: whoever tries to connect fails.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_dry_run_asks_nobody_and_writes_nothing() {
    let folder = Folder::new();
    let file = folder.sample("plain.csv");
    let run = run(NOWHERE, &["import", "--format", "csv", "--table", TABLE, "--dry-run", &file]).await;
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(run.err, "");
    assert!(run.out.contains("Written   nothing: this was a dry run"), "{}", run.out);
    assert_eq!(folder.files(), ["plain.csv"]);
}

#[tokio::test]
async fn the_report_names_every_rejected_row_and_says_why() {
    let folder = Folder::new();
    let (file, report) = (folder.sample("plain.csv"), folder.path("rejected.csv"));
    run(NOWHERE, &["import", "--format", "csv", "--dry-run", "--report", &report, &file]).await;
    let expected = "\
row,code,reason
3,NameShared,\"row 7 has the same sign-in name, apart from case\"
5,IdMissing,the user has no identifier
6,IdUnusable,the identifier is longer than 128 characters or holds # or a control character
7,NameShared,\"row 3 has the same sign-in name, apart from case\"
8,NameMissing,the user has none of the names given by --sign-in
";
    assert_eq!(std::fs::read_to_string(report).unwrap(), expected);
}

#[tokio::test]
async fn more_rejected_rows_than_the_answer_names_are_counted_and_reported() {
    let folder = Folder::new();
    let rows: String = (0..50).map(|_| ",x@example.com\n").collect();
    let file = folder.write("users.csv", format!("id,email\n{rows}"));
    let report = folder.path("rejected.csv");
    let run = run(NOWHERE, &["import", "--format", "csv", "--dry-run", "--report", &report, &file]).await;
    assert!(run.out.contains("… and 30 more"), "{}", run.out);
    assert_eq!(std::fs::read_to_string(report).unwrap().lines().count(), 51);
}

#[tokio::test]
async fn json_is_one_document_and_nothing_else() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.sample("auth0.ndjson");
    let run =
        run(table.endpoint(), &["--output", "json", "import", "--format", "auth0", "--table", TABLE, &file]).await;
    assert_eq!((run.code, run.err.as_str()), (Some(3), ""), "{run:?}");
    let mut answer: Value = serde_json::from_str(&run.out).unwrap();
    let rules = answer["rules"].take();
    let expected = json!({
        "format": "auth0", "dry_run": false, "rows": 6, "accepted": 4, "rejected": 2,
        "rejections": {"HashMalformed": 1, "Unreadable": 1},
        "first_rejected": [
            {"row": 5, "code": "HashMalformed", "reason": "the hash is malformed"},
            {"row": 6, "code": "Unreadable", "reason": "the row is not in the shape of the format"},
        ],
        "written": {"table": TABLE, "new": 4, "renewed": 0, "resumed_after_row": 0},
        "email_verified": 2, "disabled": 1, "without_hash": 1, "weak_hashes": 0,
        "hashes": {"bcrypt": 3}, "rules": null,
    });
    assert_eq!(answer, expected);
    assert!(rules.as_str().unwrap().contains("kinds = [\"bcrypt\"]\ndecoy = \"bcrypt:8\""), "{rules}");
}

#[tokio::test]
async fn what_the_rule_file_has_to_say_is_taken_as_a_rule_file() {
    let folder = Folder::new();
    let table = [("django", "django.csv"), ("keycloak", "keycloak.json"), ("cognito", "cognito.csv")];
    for (format, name) in table {
        let file = folder.sample(name);
        let mut arguments = vec!["--output", "json", "import", "--format", format, "--dry-run", &file];
        let first = run(NOWHERE, &arguments).await;
        let answer: Value = serde_json::from_str(&first.out).unwrap();
        // What no export can tell: the operator decides it.
        let decided = "\"table\"\nfinal_status = \"confirmed\"\n";
        let rules = answer["rules"].as_str().unwrap().replace("\"table\"\n", decided);
        let text = format!("{RULES}\n{rules}");
        let read = shared::rules::Rules::read(&text);
        assert!(read.is_ok(), "{format}: {:?}\n{text}", read.err());
        let rules = folder.write("rules.toml", text);
        arguments.extend(["--rules", &rules]);
        let second = run(NOWHERE, &arguments).await;
        assert_eq!(second.out, first.out, "{format}: nothing more is rejected");
    }
}

#[tokio::test]
async fn exit_codes_tell_what_happened() {
    let table = LegacyTable::start().await;
    create(&table.client(), "other", ["pk", "sk"]).await;
    let folder = Folder::new();
    let good = folder.write("good.csv", "id,email\n7,ann@example.com\n");
    let partial = folder.write("partial.csv", "id,email\n7,ann@example.com\n,bob@example.com\n");
    let broken = folder.write("broken.json", "{\"users\":[{]}");
    let empty = folder.write("empty.csv", "");
    let garbage = folder.write("state.json", "{}");
    let missing = folder.path("missing.csv");
    let nothing = folder.write("nothing.txt", "hash_config {}");
    let here = table.endpoint();
    let rules = folder.write("rules.toml", "version = 2");
    let table: &[(&str, &str, &[&str], i32, &str)] = &[
        ("all well", here, &["--format", "csv", "--table", TABLE, &good], 0, ""),
        ("a row left out", here, &["--format", "csv", "--table", TABLE, &partial], 3, ""),
        ("no table named", here, &["--format", "csv", &good], 2, "--table <NAME>"),
        ("no such format", here, &["--format", "ldif", "--dry-run", &good], 2, "possible values"),
        ("no file", here, &["--format", "csv", "--dry-run"], 2, "<FILE>"),
        ("a missing file", here, &["--format", "csv", "--dry-run", &missing], 2, "(FileUnusable)"),
        ("an empty file", here, &["--format", "csv", "--dry-run", &empty], 2, "(FileUnreadable)"),
        ("a broken document", here, &["--format", "keycloak", "--dry-run", &broken], 2, "(FileUnreadable)"),
        ("no parameters", here, &["--format", "firebase", "--dry-run", &good], 2, "--firebase-config <FILE>"),
        (
            "bad parameters",
            here,
            &["--format", "firebase", "--firebase-config", &nothing, "--dry-run", &good],
            2,
            "(ParametersMissing)",
        ),
        ("bad rules", here, &["--format", "csv", "--rules", &rules, "--dry-run", &good], 2, "(RulesUnusable)"),
        ("no such table", here, &["--format", "csv", "--table", "none", &good], 1, "(TableMissing)"),
        ("another table", here, &["--format", "csv", "--table", "other", &good], 2, "(TableUnlike)"),
        ("no DynamoDB", NOWHERE, &["--format", "csv", "--table", TABLE, &good], 1, "(TableUnusable)"),
        (
            "another's state",
            here,
            &["--format", "csv", "--table", TABLE, "--resume", "--state", &garbage, &good],
            2,
            "(StateUnlike)",
        ),
    ];
    for (name, endpoint, arguments, code, said) in table {
        let run = run(endpoint, &[&["import"], *arguments].concat()).await;
        assert_eq!(run.code, Some(*code), "{name}: {run:?}");
        assert!(run.err.contains(said), "{name}: {run:?}");
    }
}

#[tokio::test]
async fn a_failure_is_json_too_when_json_is_asked_for() {
    let table = LegacyTable::start().await;
    let folder = Folder::new();
    let file = folder.sample("plain.csv");
    let proxy = Proxy::start(table.endpoint(), |call| match call.operation.as_str() {
        "BatchWriteItem" => Fate::Refused(400, "AccessDeniedException"),
        _ => Fate::Served,
    });
    let run = run(proxy.url(), &["import", "--output", "json", "--format", "csv", "--table", TABLE, &file]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    let message = format!("these credentials may not call dynamodb:BatchWriteItem on {TABLE}");
    assert_eq!(answer, json!({"error": {"code": "NotAllowed", "message": message}}));
}

#[tokio::test]
async fn nothing_of_a_person_is_ever_printed() {
    let folder = Folder::new();
    let parameters = sample("firebase-hash.txt");
    let formats = [
        ("auth0", "auth0.ndjson"),
        ("firebase", "firebase.json"),
        ("keycloak", "keycloak.json"),
        ("django", "django.csv"),
        ("cognito", "cognito.csv"),
        ("csv", "plain.csv"),
        ("ndjson", "plain.ndjson"),
    ];
    let people = [
        "@example.com",
        "ann",
        "bob",
        "cara",
        "dora",
        "emil",
        "archer",
        "$2b$",
        "pbkdf2_",
        "jxspr8ki",
        "42xec",
        "nf65e",
        "+1555",
    ];
    let wrong =
        [("csv", "keycloak.json"), ("keycloak", "plain.csv"), ("ndjson", "plain.csv"), ("auth0", "keycloak.json")];
    for (format, name) in formats.into_iter().chain(wrong) {
        for form in ["text", "json"] {
            let report = folder.path("report.csv");
            let file = sample(name);
            let mut arguments = vec!["import", "--format", format, "--output", form, "--dry-run", "--report", &report];
            if format == "firebase" {
                arguments.extend(["--firebase-config", &parameters]);
            }
            arguments.push(&file);
            let run = run(NOWHERE, &arguments).await;
            let report = std::fs::read_to_string(&report).unwrap_or_default();
            assert!(!run.out.is_empty() || !run.err.is_empty(), "{format}");
            // Where a file is may well be said.
            let said = format!("{}{}{report}", run.out, run.err).replace(&file, "").to_lowercase();
            // Words of the tool itself that hold a name.
            let said = said.replace("cannot", "");
            for one in people {
                assert!(!said.contains(one), "{format} {name}: {one} in {said}");
            }
        }
    }
}

#[tokio::test]
async fn the_help_can_be_read() {
    let short = run(NOWHERE, &["import", "-h"]).await;
    let long = run(NOWHERE, &["import", "--help"]).await;
    assert_eq!((short.code, long.code), (Some(0), Some(0)));
    for text in [&short.out, &long.out] {
        assert!(text.contains("Exit codes:") && text.contains("--dry-run"), "{text}");
    }
    for format in ["auth0", "firebase", "keycloak"] {
        let example = format!("poolhouse import --format {format}");
        assert!(long.out.contains(&example), "{example}");
    }
    // Every example is one that the tool takes.
    for line in long.out.lines().filter_map(|line| line.trim().strip_prefix("poolhouse import ")) {
        let arguments: Vec<&str> = std::iter::once("import").chain(line.split(' ')).collect();
        let run = run(NOWHERE, &arguments).await;
        assert!(run.err.contains("(FileUnusable)"), "{line}: {run:?}");
    }
}
