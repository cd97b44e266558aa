//! `poolhouse check`: what stands where, and what the exit code says of it.

use serde_json::Value;

use crate::support::tool::{Folder, project, run};

const NOWHERE: &str = "http://127.0.0.1:1";

/// The shipped rules with one text in the place of another.
fn changed(from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(project("rules/rules.toml")).expect("the rules are there");
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[tokio::test]
async fn the_shipped_rules_are_in_order_and_say_what_they_take() {
    let run = run(NOWHERE, &["check", "--fail-on", "warning", &project("rules/rules.toml")]).await;
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    for words in ["0 errors, 0 warnings, 0 notes", "largest user", "* v2", "TokenEventVersion=V2_0", "cannot carry"] {
        assert!(run.out.contains(words), "{words}: {}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'), "no colours where there is no terminal");
}

#[tokio::test]
async fn an_error_is_shown_with_its_line_and_a_caret_under_it() {
    let folder = Folder::new();
    let file = folder.write("rules.toml", changed("name = \"plan\"", "name = \"sub\""));
    let run = run(NOWHERE, &["check", &file]).await;
    assert_eq!(run.code, Some(4), "{run:?}");
    let line =
        changed("name = \"plan\"", "name = \"sub\"").lines().position(|line| line == "name = \"sub\"").map(|at| at + 1);
    let line = line.expect("the line is there");
    let expected = [
        "error[RulesRefused]: claims.map[3].name: \"sub\" is one of the claims that Cognito lets no trigger change\n"
            .to_owned(),
        format!("{file}:{line}:1\n"),
        format!("{line} | name = \"sub\"\n"),
        "| ^^^^\n".to_owned(),
        "1 error, 0 warnings, 0 notes\n".to_owned(),
    ];
    for words in expected {
        assert!(run.out.contains(&words), "{words}\n{}", run.out);
    }
}

#[tokio::test]
async fn a_warning_counts_only_where_it_is_asked_for() {
    let folder = Folder::new();
    let odd = folder.write("odd.toml", changed("match = \"equals\"", "match = \"contains\""));
    let table: [(&[&str], i32); 4] =
        [(&[], 0), (&["--fail-on", "error"], 0), (&["--fail-on", "warning"], 4), (&["--plan", "lite"], 4)];
    for (arguments, code) in table {
        let run = run(NOWHERE, &[&["check"], arguments, &[odd.as_str()]].concat()).await;
        assert_eq!(run.code, Some(code), "{arguments:?} {run:?}");
        assert!(run.out.contains("warning[RoleRuleLoose]"), "{}", run.out);
    }
}

#[tokio::test]
async fn json_names_each_place_and_sarif_ties_each_to_it() {
    let folder = Folder::new();
    let odd = folder.write("odd.toml", changed("match = \"equals\"", "match = \"contains\""));
    let json: Value =
        serde_json::from_str(&run(NOWHERE, &["check", "--output", "json", &odd]).await.out).expect("JSON");
    let finding = &json["files"][0]["findings"][0];
    assert_eq!(finding["code"], "RoleRuleLoose");
    assert_eq!(finding["subject"], "roles.rules[0].match");
    assert!(finding["line"].as_u64().is_some_and(|line| line > 100), "{finding}");
    assert_eq!(json["files"][0]["versions"][1]["chosen"], true);
    let sarif: Value =
        serde_json::from_str(&run(NOWHERE, &["check", "--output", "sarif", &odd]).await.out).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&Value::from("RoleRuleLoose"), &Value::from("warning")));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], finding["line"]);
    assert_eq!(place["artifactLocation"]["uri"], odd.as_str());
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("a list");
    let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).expect("an index");
    assert_eq!(rules[index]["id"], "RoleRuleLoose");
}

#[tokio::test]
async fn what_cannot_be_answered_says_why() {
    let missing = Folder::new().path("none.toml");
    let run_missing = run(NOWHERE, &["check", &missing]).await;
    assert_eq!(run_missing.code, Some(2), "{run_missing:?}");
    assert!(run_missing.err.contains("(FileUnusable)"), "{run_missing:?}");
    let table: [&[&str]; 2] = [&["--output", "sarif", "test"], &["--output", "sarif", "explain"]];
    for arguments in table {
        let run = run(NOWHERE, arguments).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.out.contains("FormUnsupported"), "{run:?}");
    }
}

#[tokio::test]
async fn every_shell_gets_a_script_that_knows_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = run(NOWHERE, &["completions", shell]).await;
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["check", "explain", "doctor", "import", "fail-on"] {
            assert!(run.out.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn each_subcommand_has_examples_that_the_tool_takes() {
    let root = project("");
    let exists = |text: &str| std::path::Path::new(&root).join(text).exists();
    for subcommand in ["check", "test", "explain", "doctor", "import", "completions"] {
        let help = run(NOWHERE, &[subcommand, "--help"]).await;
        assert_eq!(help.code, Some(0), "{subcommand}");
        assert!(help.out.contains("Examples:") && help.out.contains("Exit codes:"), "{subcommand}: {}", help.out);
        let start = format!("poolhouse {subcommand}");
        let examples: Vec<&str> = help.out.lines().map(str::trim).filter(|line| line.starts_with(&start)).collect();
        assert!(!examples.is_empty(), "{subcommand}");
        // One of them would leave a file behind.
        for example in examples.into_iter().filter(|example| !example.contains(" --save ")) {
            let arguments = words(example.split(" > ").next().unwrap_or_default());
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            let named = arguments.iter().filter(|word| word.contains('/') && !word.contains(' '));
            let here = named.clone().filter(|word| word.starts_with("rules/") || word.starts_with("events/"));
            here.for_each(|word| assert!(exists(word), "{example}: {word} is not in this project"));
            let run = run(NOWHERE, &arguments).await;
            // A wrong flag or value would be a matter for clap, which has no code of ours.
            assert!(!run.err.contains("Usage:"), "{example}: {run:?}");
        }
    }
}

/// The words of a command line, with single quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| {
        if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
    });
    words.collect()
}
