//! The route table by tables.

use std::collections::BTreeSet;

use super::Refusal::{
    GroupMissing, MachineRefused, PathRefused, RoleMissing, RouteUnknown, ScopeMissing, TenantDiffers, TenantMissing,
    TokenKindRefused,
};
use super::{Caller, Decision, Machines, Method, RouteRule, RouteTable, check};
use crate::claims::TokenKind;
use crate::names::{IssuerName, RoleName, TenantId};
use crate::rules::Problems;

fn texts(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn caller() -> Caller {
    Caller {
        subject: "ann".to_owned(),
        issuer: None,
        kind: TokenKind::Access,
        machine: false,
        tenant: TenantId::parse("acme"),
        roles: BTreeSet::new(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    }
}

fn roles(names: &[&str]) -> BTreeSet<RoleName> {
    names.iter().filter_map(|name| RoleName::parse(name)).collect()
}

fn rule(method: Method, path: &str) -> RouteRule {
    RouteRule {
        method,
        path: path.to_owned(),
        token: TokenKind::Access,
        issuers: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        scopes: Vec::new(),
        tenant: true,
        machines: Machines::No,
    }
}

fn get(path: &str) -> RouteRule {
    rule(Method::Get, path)
}

/// Reads routes as they stand in a rule file.
fn read(text: &str) -> Vec<RouteRule> {
    #[derive(serde::Deserialize)]
    struct File {
        routes: Vec<RouteRule>,
    }
    toml::from_str::<File>(text).unwrap().routes
}

fn problems(rules: &[RouteRule]) -> Vec<(String, String)> {
    let mut problems = Problems::default();
    check(rules, &mut problems);
    problems.iter().map(|problem| (problem.path.clone(), problem.message.clone())).collect()
}

fn code(decision: Decision<'_>) -> &str {
    match decision {
        Decision::Allow { route } => route,
        Decision::Refuse(refusal) => refusal.code(),
    }
}

#[test]
fn a_path_is_taken_as_it_stands_or_not_at_all() {
    let table = RouteTable::compile(vec![get("/"), get("/items"), get("/items/{id}"), get("/v1/accounts")]);
    let rows = [
        ("/", "/"),
        ("/items", "/items"),
        ("/items/1", "/items/{id}"),
        ("/items/a.b-c_d~e:f@g+h=i,j", "/items/{id}"),
        ("/items/...", "/items/{id}"),
        ("/v1/accounts", "/v1/accounts"),
        ("/v1/accounts/", "PathRefused"),
        ("/items/", "PathRefused"),
        ("//items", "PathRefused"),
        ("/items//1", "PathRefused"),
        ("/items/.", "PathRefused"),
        ("/items/..", "PathRefused"),
        ("/items/../items", "PathRefused"),
        ("/items/%31", "PathRefused"),
        ("/%69tems", "PathRefused"),
        ("/items/%2e%2e", "PathRefused"),
        ("/items/a%2Fb", "PathRefused"),
        ("/items/1?x=y", "PathRefused"),
        ("/items/1#x", "PathRefused"),
        ("/items/1;x", "PathRefused"),
        ("/items/*", "PathRefused"),
        ("/items/${aws:username}", "PathRefused"),
        ("/items/a b", "PathRefused"),
        ("/items/a\\b", "PathRefused"),
        ("/items/\u{e9}", "PathRefused"),
        ("/items/\0", "PathRefused"),
        ("items", "PathRefused"),
        ("", "PathRefused"),
        ("/Items", "RouteUnknown"),
        ("/items/1/2", "RouteUnknown"),
        ("/v1", "RouteUnknown"),
    ];
    for (path, expected) in rows {
        assert_eq!(code(table.decide(&caller(), "GET", path)), expected, "A27 {path:?}");
    }
    let long = format!("/items/{}", "a".repeat(1_024));
    assert_eq!(table.decide(&caller(), "GET", &long), Decision::Refuse(PathRefused));
}

#[test]
fn a_method_is_compared_exactly() {
    let table = RouteTable::compile(vec![get("/a"), rule(Method::Delete, "/a")]);
    for method in ["get", "Get", "HEAD", "OPTIONS", "ANY", "*", "", "POST", "GET ", "TRACE", "CONNECT", "PROPFIND"] {
        assert_eq!(table.decide(&caller(), method, "/a"), Decision::Refuse(RouteUnknown), "A29 {method:?}");
    }
    assert!(table.decide(&caller(), "GET", "/a").is_allowed());
    assert!(table.decide(&caller(), "DELETE", "/a").is_allowed());
}

#[test]
fn every_condition_must_hold_and_none_stands_in_for_another() {
    let admin = || RouteRule { roles: vec![RoleName::parse("admin").unwrap()], ..get("/a") };
    let group = || RouteRule { groups: vec!["staff".to_owned(), "root".to_owned()], ..get("/a") };
    let scope = || RouteRule { scopes: vec!["items/read".to_owned(), "items/write".to_owned()], ..get("/a") };
    let all = || RouteRule { groups: group().groups, scopes: scope().scopes, ..admin() };
    let free = || RouteRule { tenant: false, ..get("/a") };
    let id = || RouteRule { token: TokenKind::Id, ..get("/a") };
    let nobody = Caller { tenant: None, ..caller() };
    let with_roles = |names: &[&str]| Caller { roles: roles(names), ..caller() };
    let with_groups = |names: &[&str]| Caller { groups: texts(names), ..caller() };
    let with_scopes = |names: &[&str]| Caller { scopes: texts(names), ..caller() };
    let everything = Caller {
        roles: roles(&["admin"]),
        groups: texts(&["root"]),
        scopes: texts(&["items/read", "items/write"]),
        ..caller()
    };
    let rows = [
        ("a user of a tenant", get("/a"), caller(), None),
        ("no tenant", get("/a"), nobody.clone(), Some(TenantMissing)),
        ("no tenant, and none needed", free(), nobody.clone(), None),
        ("an ID token", get("/a"), Caller { kind: TokenKind::Id, ..caller() }, Some(TokenKindRefused)),
        ("an access token", id(), caller(), Some(TokenKindRefused)),
        ("an ID token for its route", id(), Caller { kind: TokenKind::Id, ..caller() }, None),
        ("no role", admin(), caller(), Some(RoleMissing)),
        ("another role", admin(), with_roles(&["member", "admins"]), Some(RoleMissing)),
        ("the role", admin(), with_roles(&["admin", "member"]), None),
        ("a group called like the role", admin(), with_groups(&["admin"]), Some(RoleMissing)),
        ("a scope called like the role", admin(), with_scopes(&["admin"]), Some(RoleMissing)),
        ("no group", group(), caller(), Some(GroupMissing)),
        ("a group called alike", group(), with_groups(&["Staff", "staff "]), Some(GroupMissing)),
        ("one of the groups", group(), with_groups(&["root"]), None),
        ("no scope", scope(), caller(), Some(ScopeMissing)),
        ("one scope of two", scope(), with_scopes(&["items/read"]), Some(ScopeMissing)),
        ("a part of a scope", scope(), with_scopes(&["items/read", "items/writer"]), Some(ScopeMissing)),
        ("both scopes", scope(), with_scopes(&["items/read", "items/write", "openid"]), None),
        ("everything", all(), everything.clone(), None),
        ("everything but the group", all(), Caller { groups: texts(&[]), ..everything.clone() }, Some(GroupMissing)),
        ("everything but the role", all(), Caller { roles: roles(&[]), ..everything.clone() }, Some(RoleMissing)),
        ("everything but a scope", all(), Caller { scopes: texts(&[]), ..everything }, Some(ScopeMissing)),
    ];
    for (name, rule, caller, expected) in rows {
        let table = RouteTable::compile(vec![rule]);
        let expected = expected.map_or(Decision::Allow { route: "/a" }, Decision::Refuse);
        assert_eq!(table.decide(&caller, "GET", "/a"), expected, "{name}");
    }
}

#[test]
fn machines_enter_where_a_rule_says_so() {
    let machine = Caller { machine: true, tenant: None, ..caller() };
    for (machines, for_user, for_machine) in [
        (Machines::No, None, Some(MachineRefused)),
        (Machines::Yes, None, None),
        (Machines::Only, Some(MachineRefused), None),
    ] {
        let table = RouteTable::compile(vec![RouteRule { machines, tenant: false, ..get("/a") }]);
        let decide = |caller| match table.decide(caller, "GET", "/a") {
            Decision::Allow { .. } => None,
            Decision::Refuse(refusal) => Some(refusal),
        };
        assert_eq!((decide(&caller()), decide(&machine)), (for_user, for_machine), "{machines:?}");
    }
}

#[test]
fn a_tenant_in_the_path_is_the_callers_own() {
    let table = RouteTable::compile(vec![get("/tenants/{tenant}/items/{id}")]);
    for (path, expected) in [
        ("/tenants/acme/items/1", None),
        ("/tenants/globex/items/1", Some(TenantDiffers)),
        ("/tenants/ACME/items/1", Some(TenantDiffers)),
        ("/tenants/acme2/items/1", Some(TenantDiffers)),
        ("/tenants/acm/items/1", Some(TenantDiffers)),
        ("/tenants/acme,globex/items/1", Some(TenantDiffers)),
    ] {
        let expected = expected.map_or(Decision::Allow { route: "/tenants/{tenant}/items/{id}" }, Decision::Refuse);
        assert_eq!(table.decide(&caller(), "GET", path), expected, "{path}");
    }
}

#[test]
fn the_most_specific_route_decides_alone() {
    let secret = RouteRule { roles: vec![RoleName::parse("admin").unwrap()], ..get("/items/secret") };
    for rules in [vec![get("/items/{id}"), secret.clone()], vec![secret.clone(), get("/items/{id}")]] {
        let table = RouteTable::compile(rules);
        assert_eq!(table.decide(&caller(), "GET", "/items/secret"), Decision::Refuse(RoleMissing));
        assert!(table.decide(&caller(), "GET", "/items/secrets").is_allowed());
        let admin = Caller { roles: roles(&["admin"]), ..caller() };
        assert_eq!(table.decide(&admin, "GET", "/items/secret"), Decision::Allow { route: "/items/secret" });
    }
}

#[test]
fn a_rule_says_what_it_leaves_out() {
    let rules = read("[[routes]]\nmethod = \"GET\"\npath = \"/items\"\n");
    assert_eq!(rules, [get("/items")], "access token, tenant needed, no machines");
    let bad = [
        "method = \"get\"\npath = \"/\"",
        "method = \"ANY\"\npath = \"/\"",
        "method = \"GET\"\npath = \"/\"\ntoken = \"both\"",
        "method = \"GET\"\npath = \"/\"\nrole = [\"admin\"]",
        "method = \"GET\"\npath = \"/\"\nroles = [\"Admin\"]",
        "method = \"GET\"\npath = \"/\"\nmachines = true",
        "method = \"GET\"",
        "path = \"/\"",
    ];
    for text in bad {
        assert!(toml::from_str::<RouteRule>(text).is_err(), "{text}");
    }
}

#[test]
fn contradictions_are_named_by_their_place() {
    let of = |text: &str| problems(&read(text)).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let route = |path: &str, more: &str| format!("[[routes]]\nmethod = \"GET\"\npath = \"{path}\"\n{more}\n");
    let pair = |one: &str, two: &str| route(one, "") + &route(two, "");
    let rows = [
        (route("/items", ""), &[][..]),
        (route("/", ""), &[]),
        (route("/{a}/{b}/x.y~z-_", ""), &[]),
        (route("items", ""), &["routes[0].path"]),
        (route("", ""), &["routes[0].path"]),
        (route("/items/", ""), &["routes[0].path"]),
        (route("//items", ""), &["routes[0].path"]),
        (route("/items/..", ""), &["routes[0].path"]),
        (route("/items/*", ""), &["routes[0].path"]),
        (route("/items/%31", ""), &["routes[0].path"]),
        (route("/items/{id+}", ""), &["routes[0].path"]),
        (route("/items/{}", ""), &["routes[0].path"]),
        (route("/items/{id}x", ""), &["routes[0].path"]),
        (route("/{id}/{id}", ""), &["routes[0].path"]),
        (route(&"/a".repeat(17), ""), &["routes[0].path"]),
        (pair("/items/{id}", "/items/{name}"), &["routes[1].path"]),
        (pair("/items/{id}", "/items/{tenant}"), &["routes[1].path"]),
        (pair("/items", "/items"), &["routes[1].path"]),
        (pair("/items/{id}", "/items/new"), &[]),
        (pair("/a/{x}", "/{y}/b"), &["routes[1].path"]),
        (pair("/a/{x}/c", "/{y}/b/d"), &[]),
        (route("/{tenant}", "tenant = false"), &["routes[0].tenant"]),
        (route("/a", "token = \"id\"\nscopes = [\"x\"]"), &["routes[0].scopes"]),
        (route("/a", "scopes = [\"x y\"]"), &["routes[0].scopes"]),
        (route("/a", "scopes = [\"\"]"), &["routes[0].scopes"]),
        (route("/a", "groups = [\"\"]"), &["routes[0].groups"]),
        (route("/a", "machines = \"only\""), &["routes[0].machines"]),
        (route("/a", "machines = \"yes\""), &["routes[0].machines"]),
        (route("/a", "machines = \"only\"\ntenant = false"), &[]),
        (route("/a", "machines = \"yes\"\ntenant = false\ntoken = \"id\""), &["routes[0].machines"]),
        (route("/a", "machines = \"yes\"\ntenant = false\nroles = [\"admin\"]"), &["routes[0].machines"]),
        (route("/a", "machines = \"only\"\ntenant = false\ngroups = [\"x\"]"), &["routes[0].machines"]),
    ];
    for (text, expected) in rows {
        assert_eq!(of(&text), expected, "{text}");
    }
}

#[test]
fn callers_are_alike_in_all_but_their_name() {
    let ann = caller();
    let bob = Caller { subject: "bob".to_owned(), ..ann.clone() };
    assert!(ann.is_like(&bob) && bob.is_like(&ann));
    let others = [
        Caller { issuer: IssuerName::parse("corp"), ..ann.clone() },
        Caller { kind: TokenKind::Id, ..ann.clone() },
        Caller { machine: true, ..ann.clone() },
        Caller { tenant: TenantId::parse("globex"), ..ann.clone() },
        Caller { tenant: None, ..ann.clone() },
        Caller { roles: roles(&["admin"]), ..ann.clone() },
        Caller { groups: texts(&["staff"]), ..ann.clone() },
        Caller { scopes: texts(&["items/read"]), ..ann.clone() },
    ];
    for other in others {
        assert!(!ann.is_like(&other) && !other.is_like(&ann), "{other:?}");
        assert!(other.is_like(&other.clone()), "{other:?}");
    }
}

#[test]
fn an_issuer_is_let_in_where_a_rule_names_it() {
    let issuer = |name: &str| IssuerName::parse(name);
    let named = |names: &[&str]| {
        let issuers = names.iter().filter_map(|name| issuer(name)).collect();
        RouteTable::compile(vec![RouteRule { issuers, ..get("/a") }])
    };
    let table = [
        (named(&[]), None, "/a"),
        (named(&[]), issuer("corp"), "IssuerNotTaken"),
        (named(&["pool"]), None, "/a"),
        (named(&["pool"]), issuer("corp"), "IssuerNotTaken"),
        (named(&["corp"]), None, "IssuerNotTaken"),
        (named(&["corp"]), issuer("corp"), "/a"),
        (named(&["corp"]), issuer("other"), "IssuerNotTaken"),
        (named(&["corp", "pool"]), None, "/a"),
        (named(&["corp", "pool"]), issuer("corp"), "/a"),
    ];
    for (routes, issuer, expected) in table {
        let caller = Caller { issuer, ..caller() };
        assert_eq!(code(routes.decide(&caller, "GET", "/a")), expected, "{:?} {routes:?}", caller.issuer);
    }
}

#[test]
fn what_is_too_much_begins_behind_the_limit() {
    let routes = |count: usize| (0..count).map(|n| get(&format!("/r{n}"))).collect::<Vec<_>>();
    assert!(problems(&routes(2_000)).is_empty());
    assert!(problems(&routes(2_001)).iter().any(|(path, _)| path == "routes"));
    let of_segments = |count: usize| problems(&[get(&"/a".repeat(count))]).is_empty();
    assert_eq!([16, 17].map(of_segments), [true, false]);
    let of_bytes = |count: usize| problems(&[get(&format!("/{}", "a".repeat(count - 1)))]).is_empty();
    assert_eq!([256, 257].map(of_bytes), [true, false]);
    let table = RouteTable::compile(vec![get("/{id}")]);
    let asked = |count: usize| format!("/{}", "a".repeat(count - 1));
    assert_eq!(code(table.decide(&caller(), "GET", &asked(1_024))), "/{id}");
    assert_eq!(code(table.decide(&caller(), "GET", &asked(1_025))), "PathRefused");
}

#[test]
fn a_table_tells_its_rules_and_a_method_its_name() {
    let rules = vec![get("/a"), rule(Method::Put, "/b/{id}")];
    let table = RouteTable::compile(rules.clone());
    assert!(table.rules().eq(rules.iter()));
    let told: Vec<String> = table.rules().map(|rule| rule.method.to_string()).collect();
    assert_eq!(told, ["GET", "PUT"]);
}
