//! Contradictions, one per row, with the key that is named.

use super::*;
use crate::rules::Problems;

fn problems(text: &str) -> Vec<(String, String)> {
    let mut problems = Problems::default();
    rules(text).check(&mut problems);
    problems.iter().map(|problem| (problem.path.clone(), problem.message.clone())).collect()
}

fn entry(text: &str) -> String {
    format!("token_version = \"v2\"\nmap = [{{ {text} }}]")
}

fn v1(text: &str) -> String {
    format!("token_version = \"v1\"\nmap = [{{ {text} }}]")
}

#[test]
fn a_map_without_contradictions_is_taken() {
    let texts = [
        "token_version = \"v1\"".to_owned(),
        entry(r#"name = "aud", token = "access", from = { constant = "web" }, when = { client = "web" }"#),
        entry(r#"name = "address", token = "access", from = { list = ["a b"] }"#),
        entry(r#"name = "address", token = "id", from = { list = ["a"] }, format = "text""#),
        v1(r#"name = "roles", token = "id", from = { membership = "roles" }, format = "text""#),
        v1(r#"name = "level", token = "id", from = { constant = "3" }"#),
        r#"
        token_version = "v3"
        suppress = { id = ["dev:x", "phone_number"], access = ["department"] }
        map = [
          { name = "tenant", token = "id", from = { membership = "tenant" } },
          { name = "tenant", token = "access", from = { membership = "tenant" } },
          { name = "plan", token = "id", from = { constant = 1.5 }, when = { group = "a" } },
          { name = "plan", token = "id", from = { constant = false } },
        ]
        scopes = [{ add = ["a/b"] }, { suppress = ["openid"], client = "web" }]
        "#
        .to_owned(),
    ];
    for text in texts {
        assert_eq!(problems(&text), [], "{text}");
    }
}

#[test]
fn each_contradiction_is_named_with_its_key() {
    let in_map = |pairs: &str| format!("token_version = \"v2\"\nmap = [\n{pairs}\n]");
    let table = [
        (entry(r#"name = "", token = "id", from = { constant = 1 }"#), "claims.map[0].name", "without blanks"),
        (entry(r#"name = "a b", token = "id", from = { constant = 1 }"#), "claims.map[0].name", "without blanks"),
        (entry(r#"name = "aud", token = "id", from = { constant = "x" }"#), "claims.map[0].name", "access token only"),
        (
            entry(r#"name = "aud", token = "both", from = { constant = "x" }"#),
            "claims.map[0].name",
            "access token only",
        ),
        (
            entry(r#"name = "aud", token = "access", from = { attribute = "x" }"#),
            "claims.map[0].from",
            "id of the app client",
        ),
        (
            entry(r#"name = "aud", token = "access", from = { constant = "a" }, when = { client = "b" }"#),
            "claims.map[0].from",
            "id of the app client",
        ),
        (entry(r#"name = "dev:x", token = "id", from = { constant = 1 }"#), "claims.map[0].name", "only be suppressed"),
        (
            entry(r#"name = "scope", token = "access", from = { constant = "x" }"#),
            "claims.map[0].name",
            "claims.scopes",
        ),
        (
            entry(r#"name = "address", token = "both", from = { list = ["x"] }"#),
            "claims.map[0].from",
            "must not be a list",
        ),
        (entry(r#"name = "x", token = "id", from = { groups = false }"#), "claims.map[0].from.groups", "must be true"),
        (entry(r#"name = "x", token = "id", from = { attribute = "" }"#), "claims.map[0].from.attribute", "name"),
        (entry(r#"name = "x", token = "id", from = { constant = nan }"#), "claims.map[0].from.constant", "JSON"),
        (entry(r#"name = "x", token = "id", from = { list = [] }"#), "claims.map[0].from.list", "not be empty"),
        (
            entry(r#"name = "x", token = "id", from = { list = ["a b"] }, format = "text""#),
            "claims.map[0].from.list",
            "blank",
        ),
        (
            entry(r#"name = "x", token = "id", from = { constant = 1 }, format = "list""#),
            "claims.map[0].format",
            "lists",
        ),
        (
            entry(r#"name = "x", token = "id", from = { membership = "tenant" }, format = "text""#),
            "claims.map[0].format",
            "lists",
        ),
        (
            entry(r#"name = "x", token = "id", from = { membership = "roles" }, priority = 1"#),
            "claims.map[0].priority",
            "never dropped",
        ),
        (
            entry(r#"name = "x", token = "id", from = { constant = 1 }, when = {}"#),
            "claims.map[0].when",
            "no condition",
        ),
        (
            entry(r#"name = "x", token = "id", from = { constant = 1 }, when = { group = "" }"#),
            "claims.map[0].when.group",
            "empty",
        ),
        (
            entry(r#"name = "x", token = "id", from = { constant = 1 }, when = { source = "HostedAuth" }"#),
            "claims.map[0].when.source",
            "TokenGeneration_",
        ),
        (v1(r#"name = "x", token = "both", from = { constant = "a" }"#), "claims.map[0].token", "v1"),
        (v1(r#"name = "x", token = "access", from = { constant = "a" }"#), "claims.map[0].token", "v1"),
        (v1(r#"name = "x", token = "id", from = { constant = 1 }"#), "claims.map[0].from.constant", "v1"),
        (v1(r#"name = "x", token = "id", from = { list = ["a"] }"#), "claims.map[0].from", "format = \"text\""),
        (v1(r#"name = "x", token = "id", from = { membership = "roles" }"#), "claims.map[0].from", "format = \"text\""),
        (v1(r#"name = "x", token = "id", from = { groups = true }"#), "claims.map[0].from", "format = \"text\""),
        ("token_version = \"v1\"\nscopes = [{ add = [\"a\"] }]".to_owned(), "claims.scopes[0]", "v1"),
        ("token_version = \"v1\"\nsuppress = { access = [\"a\"] }".to_owned(), "claims.suppress.access", "v1"),
        ("token_version = \"v2\"\nsuppress = { id = [\"sub\"] }".to_owned(), "claims.suppress.id[0]", "no trigger"),
        (
            "token_version = \"v2\"\nsuppress = { id = [\"cognito:roles\"] }".to_owned(),
            "claims.suppress.id[0]",
            "Cognito",
        ),
        (
            "token_version = \"v2\"\nsuppress = { access = [\"x\", \"aud\"] }".to_owned(),
            "claims.suppress.access[1]",
            "aud",
        ),
        (
            "token_version = \"v2\"\nsuppress = { access = [\"scope\"] }".to_owned(),
            "claims.suppress.access[0]",
            "scope",
        ),
        ("token_version = \"v2\"\nsuppress = { id = [\"a\", \"a\"] }".to_owned(), "claims.suppress.id[1]", "once"),
        ("token_version = \"v2\"\nbudget_bytes = { id = 0 }".to_owned(), "claims.budget_bytes.id", "zero"),
        (
            format!(
                "budget_bytes = {{ id = 9 }}\n{}",
                entry(r#"name = "x", token = "id", from = { constant = "abcd" }"#)
            ),
            "claims.budget_bytes.id",
            "take 11",
        ),
        (
            format!(
                "suppress = {{ id = [\"x\"] }}\n{}",
                entry(r#"name = "x", token = "both", from = { constant = 1 }"#)
            ),
            "claims.map[0].name",
            "always wins",
        ),
        ("token_version = \"v2\"\nscopes = [{ group = \"a\" }]".to_owned(), "claims.scopes[0]", "add or suppress"),
        (
            "token_version = \"v2\"\nscopes = [{ add = [\"a\", \"b c\"] }]".to_owned(),
            "claims.scopes[0].add[1]",
            "not a scope",
        ),
        (
            "token_version = \"v2\"\nscopes = [{ suppress = [\"\"] }]".to_owned(),
            "claims.scopes[0].suppress[0]",
            "not a scope",
        ),
        (
            "token_version = \"v2\"\nscopes = [{ add = [\"a\"], suppress = [\"a\"] }]".to_owned(),
            "claims.scopes[0].add[0]",
            "same entry",
        ),
        (
            "token_version = \"v2\"\nscopes = [{ add = [\"a\"], client = \"\" }]".to_owned(),
            "claims.scopes[0].client",
            "empty",
        ),
        (
            in_map(
                r#"{ name = "x", token = "both", from = { constant = 1 } },
                   { name = "x", token = "access", from = { constant = 2 } }"#,
            ),
            "claims.map[1].name",
            "claims.map[0] already",
        ),
        (
            in_map(
                r#"{ name = "x", token = "id", from = { constant = 1 } },
                   { name = "x", token = "id", from = { constant = 2 }, when = { group = "a" } }"#,
            ),
            "claims.map[1].name",
            "claims.map[0] already",
        ),
        (
            in_map(
                r#"{ name = "tenant", token = "access", from = { membership = "tenant" } },
                   { name = "tenant", token = "id", from = { attribute = "custom:tenant" } }"#,
            ),
            "claims.map[1].name",
            "nothing else may fill it",
        ),
        (
            in_map(
                r#"{ name = "tenant", token = "id", from = { constant = "acme" }, when = { group = "a" } },
                   { name = "tenant", token = "id", from = { membership = "tenant" } }"#,
            ),
            "claims.map[0].name",
            "nothing else may fill it",
        ),
        (
            in_map(
                r#"{ name = "x", token = "id", from = { membership = "tenant" }, when = { group = "a" } },
                   { name = "x", token = "id", from = { membership = "roles" } }"#,
            ),
            "claims.map[1].name",
            "nothing else may fill it",
        ),
    ];
    for (text, path, words) in table {
        let found = problems(&text);
        let [(found_path, message)] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!(found_path, path, "{text}");
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn the_claims_that_belong_to_cognito_are_refused_in_both_tokens_and_as_suppression() {
    let reserved = [
        "acr",
        "amr",
        "at_hash",
        "auth_time",
        "azp",
        "client_id",
        "cognito:groups",
        "cognito:preferred_role",
        "cognito:roles",
        "cognito:username",
        "cognito:anything",
        "device_key",
        "event_id",
        "exp",
        "iat",
        "identities",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "scope",
        "sub",
        "token_use",
        "username",
        "version",
    ];
    for name in reserved {
        for token in ["id", "access", "both"] {
            let text = entry(&format!("name = \"{name}\", token = \"{token}\", from = {{ constant = \"x\" }}"));
            assert_eq!(problems(&text).len(), 1, "{text}");
        }
        for list in ["id", "access"] {
            let text = format!("token_version = \"v2\"\nsuppress = {{ {list} = [\"{name}\"] }}");
            assert_eq!(problems(&text).len(), 1, "{text}");
        }
    }
}

#[test]
fn a_section_that_cannot_be_read_says_what_is_wrong() {
    let table = [
        ("", "token_version"),
        ("token_version = \"v4\"", "v4"),
        ("token_version = \"v2\"\nx = 1", "unknown field"),
        (&entry(r#"name = "x", token = "id", from = { membership = "tenant", constant = 1 }"#), "exactly 1"),
        (&entry(r#"name = "x", token = "id", from = {}"#), "exactly 1"),
        (&entry(r#"name = "x", token = "id", from = { metadata = "tenant" }"#), "metadata"),
        (&entry(r#"name = "x", token = "id", from = { constant = [1] }"#), "a text, a number or a boolean"),
        (&entry(r#"name = "x", token = "id", from = { constant = 2026-01-01 }"#), "a text, a number or a boolean"),
        (&entry(r#"name = "x", token = "id", from = { constant = 1 }, when = { tenant = "Acme" }"#), "tenant"),
        (&entry(r#"name = "x", token = "id", from = { constant = 1 }, when = { metadata = "x" }"#), "unknown field"),
    ];
    for (text, words) in table {
        let error = toml::from_str::<ClaimRules>(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}
