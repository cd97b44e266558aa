//! Rule files that contradict themselves, and one that does not.

use super::*;

/// A file with one of everything. Each row of the tables below changes it.
const GOOD: &str = r#"version = 1

[sign_up]
mode = "open"
allowed_domains = ["example.com", "*.example.com"]
blocked_domains = ["bad.example.com"]
required_attributes = ["email"]
forbidden_attributes = ["custom:tenant"]

[[providers]]
name = "Google"
trusts_email = true

[[providers]]
name = "loose"
trusts_email = false

[tenants]
source = "directory"

[[tenants.placements]]
tenant = "acme"
roles = ["member"]
email_domains = ["acme.example"]
providers = ["google"]

[[groups]]
name = "users"

[claims]
token_version = "v2"

[[claims.map]]
name = "tenant"
token = "both"
from = { membership = "tenant" }

[[claims.map]]
name = "roles"
token = "access"
from = { membership = "roles" }

[[routes]]
method = "GET"
path = "/items"
roles = ["admin"]
"#;

fn problems_of(text: &str) -> Vec<String> {
    match Rules::read(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_file_without_a_contradiction_becomes_rules() {
    assert_eq!(problems_of(GOOD), [""; 0]);
    assert_eq!(problems_of(&GOOD.replace('\n', "\r\n")), [""; 0]);
}

#[test]
fn what_is_no_contradiction_is_read() {
    let table = [
        // Narrower than what is allowed or blocked.
        ("\"*.example.com\"", "\"*.eu.example.com\""),
        ("[\"bad.example.com\"]", "[\"*.com.example\", \"xample.com\"]"),
        ("\"custom:tenant\"", "\"custom:tenant\", \"phone_number\""),
        // User names that could be either provider's, when that makes no difference.
        (
            "name = \"loose\"",
            "name = \"google_eu\"\nadmits = \"by-mode\"\ntrusts_email = true\n[[providers]]\nname = \"x\"",
        ),
        ("name = \"loose\"", "name = \"Googleplus\""),
        ("name = \"loose\"", "name = \"a_provider_with_a_name_of_32_byt\""),
        // Linked, by digits or by an attribute that no client may set.
        ("trusts_email = true", "trusts_email = true\nlinks = \"existing\""),
        ("trusts_email = true", "trusts_email = true\nlinks = \"create\"\nsubject_attribute = \"custom:tenant\""),
        ("trusts_email = false", "trusts_email = false\nlinks = \"never\"\nsubject_attribute = \"custom:tenant\""),
        // A tenant twice: the first that fits counts.
        ("[[groups]]", "[[tenants.placements]]\ntenant = \"acme\"\nproviders = [\"loose\"]\n[[groups]]"),
        ("[[groups]]", "[[groups]]\nname = \"users\"\nproviders = [\"LOOSE\"]\n[[groups]]"),
        ("path = \"/items\"\nroles = [\"admin\"]", "path = \"/me\"\ntoken = \"id\"\ntenant = false"),
    ];
    for (from, to) in table {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        assert_eq!(problems_of(&text), [""; 0], "{to}");
    }
}

#[test]
fn every_contradiction_is_refused_with_its_key_and_line() {
    // (what is changed, into what, how the one problem begins, what it also says)
    let table = [
        ("version = 1", "version = 2", "line 1, column 1, version:", "version 1"),
        ("\"bad.example.com\"", "\"example.com\"", "line 5, column 20, sign_up.allowed_domains[0]:", "blocked"),
        ("\"bad.example.com\"", "\"*.example.com\"", "line 5, column 35, sign_up.allowed_domains[1]:", "blocked"),
        (
            "[\"custom:tenant\"]",
            "[\"locale\", \"email\"]",
            "line 8, column 35, sign_up.forbidden_attributes[1]:",
            "required and",
        ),
        ("[\"email\"]", "[\"emial\"]", "line 7, column 24, sign_up.required_attributes[0]:", "emial"),
        ("[\"email\"]", "[\"email\", \"email\"]", "line 7, column 33, sign_up.required_attributes[1]:", "twice"),
        ("[\"email\"]", "[\"custom:\"]", "line 7, column 24, sign_up.required_attributes[0]:", "no attribute"),
        ("\"custom:tenant\"", "\"identities\"", "line 8, column 25, sign_up.forbidden_attributes[0]:", "no attribute"),
        ("\"loose\"", "\"GOOGLE\"", "line 15, column 1, providers[1].name:", "twice"),
        ("\"loose\"", "\"google_eu\"", "line 15, column 1, providers[1].name:", "\"Google\""),
        ("\"loose\"", "\"_loose\"", "line 15, column 1, providers[1].name:", "underscore"),
        ("\"loose\"", "\"a_provider_with_a_name_of_33_bytes\"", "line 15, column 1, providers[1].name:", "1 to 32"),
        ("\"loose\"", "\"lo ose\"", "line 15, column 1, providers[1].name:", "blanks"),
        (
            "name = \"loose\"",
            "name = \"google_eu\"\nadmits = \"always\"",
            "line 15, column 1, providers[1].name:",
            "\"Google\"",
        ),
        (
            "trusts_email = true\n\n[[providers]]\nname = \"loose\"\ntrusts_email = false",
            "trusts_email = true\n[[providers]]\nname = \"google_eu\"\ntrusts_email = true\nlinks = \"existing\"",
            "line 14, column 1, providers[1].name:",
            "links = \"never\"",
        ),
        (
            "trusts_email = true\n\n[[providers]]\nname = \"loose\"\ntrusts_email = false",
            "trusts_email = true\nlinks = \"existing\"\n[[providers]]\nname = \"google_eu\"\ntrusts_email = true",
            "line 15, column 1, providers[1].name:",
            "links = \"never\"",
        ),
        (
            "trusts_email = false",
            "trusts_email = false\nlinks = \"existing\"",
            "line 17, column 1, providers[1].links:",
            "trusts_email is false",
        ),
        (
            "trusts_email = true",
            "trusts_email = true\nlinks = \"create\"",
            "line 13, column 1, providers[0].links:",
            "subject_attribute",
        ),
        (
            "trusts_email = true",
            "trusts_email = true\nsubject_attribute = \"email\"",
            "line 13, column 1, providers[0].subject_attribute:",
            "\"custom:\"",
        ),
        (
            "trusts_email = true",
            "trusts_email = true\nsubject_attribute = \"custom:other\"",
            "line 13, column 1, providers[0].subject_attribute:",
            "forbidden_attributes",
        ),
        ("[\"google\"]", "[\"Okta\"]", "line 25, column 14, tenants.placements[0].providers[0]:", "[[providers]]"),
        ("[\"google\"]", "[\"loose\"]", "line 25, column 14, tenants.placements[0].providers[0]:", "trusts_email"),
        ("source = \"directory\"", "source = \"groups\"", "line 21, column 11, tenants.placements:", "[[groups]]"),
        (
            "email_domains = [\"acme.example\"]\nproviders = [\"google\"]\n",
            "",
            "line 21, column 1, tenants.placements[0]:",
            "everyone",
        ),
        ("\"users\"", "\"all users\"", "line 28, column 1, groups[0].name:", "blanks"),
        ("\"users\"", "\"users\"\nproviders = [\"x\"]", "line 29, column 14, groups[0].providers[0]:", "[[providers]]"),
        (
            "{ membership = \"tenant\" }",
            "{ attribute = \"name\" }",
            "line 43, column 1, routes[0].tenant:",
            "\"tenant\"",
        ),
        ("token = \"access\"", "token = \"id\"", "line 46, column 1, routes[0].roles:", "access token"),
    ];
    for (from, to, place, says) in table {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let problems = problems_of(&text);
        assert_eq!(problems.len(), 1, "{to}: {problems:#?}");
        assert!(problems[0].starts_with(place) && problems[0].contains(says), "{to}: {problems:#?}");
    }
}

#[test]
fn a_group_that_is_a_tenant_is_not_for_everyone() {
    let sourced = |source: &str, group: &str| {
        let text = GOOD.replace("source = \"directory\"", &format!("source = \"{source}\""));
        problems_of(&text.replace("name = \"users\"", group))
    };
    let table = [
        ("directory", "name = \"acme:admin\"", false),
        ("both", "name = \"users\"", false),
        ("both", "name = \"acme:admin\"\nemail_domains = [\"acme.example\"]", false),
        ("both", "name = \"acme:admin\"\nproviders = [\"loose\"]", false),
        ("both", "name = \"acme:admin\"", true),
    ];
    for (source, group, refused) in table {
        let problems = sourced(source, group);
        assert_eq!(
            problems.iter().any(|problem| problem.contains("groups[0].name: everyone")),
            refused,
            "{problems:?}"
        );
        assert_eq!(problems.is_empty(), !refused, "{problems:?}");
    }
}

#[test]
fn what_is_no_rule_file_is_refused_with_its_key_and_line() {
    let table = [
        ("mode = \"open\"", "mode = \"opne\"", "line 4, column 8, sign_up.mode:", "`open`, `invited`, `closed`"),
        ("mode = \"open\"", "mod = \"open\"", "line 4, column 1, sign_up.mod:", "unknown field `mod`"),
        ("mode = \"open\"", "", "line 3, column 1, sign_up:", "missing field `mode`"),
        ("mode = \"open\"", "mode = 1", "line 4, column 8, sign_up.mode:", ""),
        ("mode = \"open\"", "mode = \"open\"\nmode = \"open\"", "line 5, column 1: ", "duplicate key `mode`"),
        ("mode = \"open\"", "mode = open", "line 4, column 8, sign_up.mode:", "string values must be quoted"),
        ("[sign_up]\n", "", "line 4, column 1, allowed_domains:", "unknown field"),
        (
            "\"example.com\"",
            "\"exa mple.com\"",
            "line 5, column 20, sign_up.allowed_domains[0]:",
            "\"exa mple.com\" is no domain",
        ),
        ("\"*.example.com\"", "\"*\"", "line 5, column 35, sign_up.allowed_domains[1]:", "\"*\" is no domain"),
        (
            "\"*.example.com\"",
            "\"Example.com\"",
            "line 5, column 35, sign_up.allowed_domains[1]:",
            "\"Example.com\" is no",
        ),
        (
            "tenant = \"acme\"",
            "tenant = \"Acme\"",
            "line 22, column 10, tenants.placements[0].tenant:",
            "\"Acme\" is no tenant's name: ^[a-z0-9]",
        ),
        (
            "[\"member\"]",
            "[\"a\", \"*\"]",
            "line 23, column 15, tenants.placements[0].roles[1]:",
            "\"*\" is no role's name",
        ),
        ("trusts_email = true\n", "", "line 10, column 1, providers[0]:", "missing field `trusts_email`"),
        ("trusts_email = false", "trusts_email = \"no\"", "line 16, column 16, providers[1].trusts_email:", "boolean"),
        ("[tenants]\nsource = \"directory\"", "", "line 20, column 3, tenants", "missing field `source`"),
        ("[claims]", "[claim]", "line 30, column 2, claim:", "unknown field `claim`"),
        ("version = 1\n", "", "line 1, column 1:", "missing field `version`"),
        ("version = 1", "version = 99999999999999999999", "line 1, column 11, version:", "number is too large"),
        ("version = 1", "version = 1e999", "line 1, column 11, version:", "number is too large"),
        ("version = 1", "version = nan", "line 1, column 11, version:", "or none"),
        ("version = 1", "version = 1.5", "line 1, column 11, version:", "invalid type: floating point"),
        ("version = 1", "version = 2026-11-29", "line 1, column 11, version:", "invalid type: date"),
        ("version = 1", "version = [1]", "line 1, column 11, version:", "invalid type: sequence"),
    ];
    for (from, to, place, says) in table {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let problems = problems_of(&text);
        assert_eq!(problems.len(), 1, "{to}: {problems:#?}");
        assert!(problems[0].starts_with(place) && problems[0].contains(says), "{to}: {problems:#?}");
    }
}

#[test]
fn an_answer_that_is_kept_does_not_go_with_revocation() {
    let rules = |mode: &str, seconds: u32| {
        let fields = "[[graphql.fields]]\ntype = \"Query\"\nfield = \"items\"\n";
        format!("{GOOD}\n[revocation]\nmode = \"{mode}\"\n[graphql]\ncache_seconds = {seconds}\n{fields}")
    };
    for (mode, seconds, taken) in [("off", 60, true), ("on", 0, true), ("on", 60, false)] {
        let problems = problems_of(&rules(mode, seconds));
        assert_eq!(problems.is_empty(), taken, "{mode} {seconds}: {problems:?}");
        assert!(problems.iter().all(|one| one.contains("graphql.cache_seconds")), "{problems:?}");
    }
}

#[test]
fn all_problems_are_named_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("name = \"users\"", "name = \"all users\"")
        .replace("\"bad.example.com\"", "\"example.com\", \"*.example.com\"")
        .replace("\"google\"", "\"Okta\"");
    let lines: Vec<_> = Rules::read(&text).unwrap_err().iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [5, 5, 25, 28]);
    let shown = Rules::read(&text).unwrap_err().to_string();
    assert_eq!(shown.lines().count(), 4, "{shown}");
}

#[test]
fn columns_count_characters() {
    let text = GOOD.replace("[\"email\"]", "[\"custom:größe\", \"nope\"]");
    assert!(problems_of(&text)[0].starts_with("line 7, column 40,"), "{:?}", problems_of(&text));
}

#[test]
fn nothing_makes_the_reader_panic() {
    for text in ["", "\u{feff}", "=", "[", "[[[", "version", "version = 1", "\0", "a.b.c = [[{x = 1}]]", "[sign_up.x]"]
    {
        assert_ne!(problems_of(text), [""; 0], "{text:?}");
    }
    for end in 0..GOOD.len() {
        let _ = problems_of(GOOD.get(..end).unwrap());
    }
}
