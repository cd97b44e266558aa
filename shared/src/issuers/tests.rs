//! Issuers that may be in a rule file, and those that may not.

use crate::rules::Rules;

const BASE: &str = r#"
version = 1
[sign_up]
mode = "open"
[tenants]
source = "directory"
[claims]
token_version = "v2"
[[claims.map]]
name = "tenant"
token = "both"
from = { membership = "tenant" }
[[issuers]]
name = "corp"
issuer = "https://login.corp.example/"
audiences = ["api"]
tenant = "acme"
[[routes]]
method = "GET"
path = "/items"
issuers = ["pool", "corp"]
"#;

/// The keys of the problems in the base, with one text in the place of another.
fn problems(from: &str, to: &str) -> Vec<String> {
    assert!(BASE.contains(from), "{from}");
    let text = BASE.replacen(from, to, 1);
    Rules::read(&text).err().iter().flat_map(|all| all.iter()).map(|one| one.path.clone()).collect()
}

#[test]
fn an_issuer_that_could_say_anything_is_refused() {
    let tenant = "tenant = \"acme\"\n";
    let second = "[[routes]]";
    let rows: &[(&str, &str, &[&str])] = &[
        ("", "", &[]),
        ("name = \"corp\"", "name = \"pool\"", &["issuers[0].name", "routes[0].issuers"]),
        ("\"pool\", \"corp\"", "\"pool\", \"korp\"", &["routes[0].issuers"]),
        ("https://login.corp.example/\"", "http://login.corp.example/\"", &["issuers[0].issuer"]),
        ("https://login.corp.example/\"", "https://x@login.corp.example/\"", &["issuers[0].issuer"]),
        ("https://login.corp.example/\"", "https://login.corp.example/?a\"", &["issuers[0].issuer"]),
        ("https://login.corp.example/\"", "http://127.0.0.1:9/\"", &[]),
        (tenant, "tenant = \"acme\"\nkey_set = \"https://keys.corp.example/k\"\n", &[]),
        (tenant, "tenant = \"acme\"\nkey_set = \"http://keys.corp.example/k\"\n", &["issuers[0].key_set"]),
        ("audiences = [\"api\"]", "audiences = []", &["issuers[0].audiences"]),
        ("audiences = [\"api\"]", "audiences = [\"api\"]\ntypes = []", &["issuers[0].types"]),
        (tenant, "client_claim = \"azp\"\n", &["issuers[0].client_claim"]),
        (tenant, "clients = [\"web\"]\n", &["issuers[0].clients"]),
        (tenant, "client_claim = \"azp\"\nclients = [\"web\"]\n", &[]),
        (tenant, "tenant_claim = \"org\"\n", &["issuers[0].tenant_claim"]),
        (tenant, "tenants = [\"acme\"]\n", &["issuers[0].tenants"]),
        (tenant, "tenant_claim = \"org\"\ntenants = [\"acme\", \"corp-*\"]\n", &[]),
        (tenant, "tenant_claim = \"org\"\ntenants = [\"acme*\"]\n", &["issuers[0].tenants"]),
        (tenant, "tenant_claim = \"org\"\ntenants = [\"*\"]\n", &["issuers[0].tenants"]),
        (tenant, "tenant = \"a\"\ntenant_claim = \"org\"\ntenants = [\"acme\"]\n", &["issuers[0].tenant"]),
        (tenant, "roles_claim = \"r\"\n", &["issuers[0].roles_claim"]),
        (tenant, "roles = [\"admin\"]\n", &["issuers[0].roles"]),
        (tenant, "roles_claim = \"r\"\nroles = [\"admin\"]\n", &[]),
        (tenant, "scopes = [\"a b\"]\n", &["issuers[0].scopes"]),
        (tenant, "algorithm = \"HS256\"\n", &["issuers[0].algorithm"]),
        (
            second,
            "[[issuers]]\nname = \"corp\"\nissuer = \"https://login.corp.example/\"\naudiences = [\"api\"]\n[[routes]]",
            &["issuers[1].name", "issuers[1].issuer"],
        ),
        ("issuers = [\"pool\", \"corp\"]", "issuers = [\"corp\"]\ngroups = [\"x\"]", &["routes[0].groups"]),
        (
            "issuers = [\"pool\", \"corp\"]",
            "issuers = [\"corp\"]\ntenant = false\nmachines = \"yes\"",
            &["routes[0].machines"],
        ),
    ];
    for (from, to, expected) in rows {
        assert_eq!(problems(from, to), *expected, "{to}");
    }
}
