//! Documents by table, and a property: what a policy lets through is what the
//! route table allows, for every request of the caller.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::claims::TokenKind;
use crate::names::{RoleName, TenantId};
use crate::routes::{Machines, Method, RouteRule};

/// 15 January 2027, 8:00.
const UNTIL: u64 = 1_800_000_000;
const BASE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod";

fn caller(roles: &[&str]) -> Caller {
    Caller {
        subject: "ann".to_owned(),
        issuer: None,
        kind: TokenKind::Access,
        machine: false,
        tenant: TenantId::parse("acme"),
        roles: roles.iter().filter_map(|name| RoleName::parse(name)).collect(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    }
}

/// `GET /path`, or `GET /path admin` for a route that asks for that role.
fn table(routes: &[&str]) -> RouteTable {
    let rule = |text: &&str| {
        let mut words = text.split(' ');
        RouteRule {
            method: words.next().and_then(Method::parse).unwrap(),
            path: words.next().unwrap().to_owned(),
            token: TokenKind::Access,
            issuers: Vec::new(),
            groups: Vec::new(),
            roles: words.filter_map(RoleName::parse).collect(),
            scopes: Vec::new(),
            tenant: true,
            machines: Machines::No,
        }
    };
    RouteTable::compile(routes.iter().map(rule).collect())
}

fn write(table: &RouteTable, caller: &Caller, request: &str) -> (Vec<String>, Vec<String>) {
    let arn = format!("{BASE}/{request}");
    let policy = document(table, caller, &MethodArn::parse(&arn).unwrap(), UNTIL);
    let short = |text: &str| text.strip_prefix(BASE).unwrap().strip_prefix('/').unwrap().to_owned();
    (policy.allowed().map(short).collect(), policy.denied().map(short).collect())
}

#[test]
fn documents_are_as_wide_as_the_routes() {
    /// What the row shows, the routes, the request; what is allowed and denied.
    type Row<'a> = (&'a str, &'a [&'a str], &'a str, &'a [&'a str], &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        ("P01 every route of the caller", &["GET /a", "GET /b"], "GET/a", &["GET/a", "GET/b"], &[]),
        ("P02 not another's", &["GET /a", "DELETE /admin admin"], "GET/a", &["GET/a"], &[]),
        ("P02 whichever is asked for", &["GET /a", "DELETE /admin admin"], "DELETE/admin", &["GET/a"], &[]),
        ("P06 nothing at all", &["GET /a admin"], "GET/a", &[], &["*"]),
        ("P06 no route", &[], "GET/a", &[], &["*"]),
        ("the root", &["GET /"], "GET/", &["GET/"], &[]),
        (
            "P04 a place at the end",
            &["GET /items/{id}"],
            "GET/items/1",
            &["GET/items/*"],
            &["GET/items/", "GET/items/*/*"],
        ),
        (
            "P04 a place in the middle",
            &["GET /users/{id}/orders"],
            "GET/x",
            &["GET/users/*/orders"],
            &["GET/users/*/*/orders", "GET/users//orders"],
        ),
        (
            "a more specific route is closed",
            &["GET /items/{id}", "GET /items/secret admin"],
            "GET/items/1",
            &["GET/items/*"],
            &["GET/items/", "GET/items/*/*", "GET/items/secret"],
        ),
        (
            "a more specific route is open, too",
            &["GET /items/{id}", "GET /items/new"],
            "GET/items/1",
            &["GET/items/*", "GET/items/new"],
            &["GET/items/", "GET/items/*/*"],
        ),
        (
            "a denial would hit a longer route: the very path only",
            &["GET /items/{id}", "GET /items/{id}/notes"],
            "GET/items/1",
            &["GET/items/*/notes", "GET/items/1"],
            &["GET/items/*/*/notes", "GET/items//notes"],
        ),
        (
            "and none when another route is asked for",
            &["GET /items/{id}", "GET /items/{id}/notes"],
            "GET/items/1/notes",
            &["GET/items/*/notes"],
            &["GET/items/*/*/notes", "GET/items//notes"],
        ),
        (
            "another method's routes do not matter",
            &["GET /items/{id}", "PUT /items/{id}/notes"],
            "GET/x",
            &["GET/items/*", "PUT/items/*/notes"],
            &["GET/items/", "GET/items/*/*", "PUT/items/*/*/notes", "PUT/items//notes"],
        ),
        (
            "a place directly under the root, which is open",
            &["GET /", "GET /{id}"],
            "GET/",
            &["GET/", "GET/*"],
            &["GET/*/*"],
        ),
        ("the same, and the root is closed", &["GET / admin", "GET /{id}"], "GET/1", &["GET/*"], &["GET/", "GET/*/*"]),
        ("the same, and no root", &["PUT /", "GET /{id}"], "GET/1", &["GET/*", "PUT/"], &["GET/", "GET/*/*"]),
        ("the own tenant", &["GET /tenants/{tenant}"], "GET/x", &["GET/tenants/acme"], &[]),
        (
            "a closed route in place of the own tenant",
            &["GET /tenants/{tenant}", "GET /tenants/acme admin"],
            "GET/tenants/acme",
            &["GET/tenants/acme"],
            &["GET/tenants/acme"],
        ),
        (
            "a wide route beside other tenants' paths",
            &["GET /{a}/{b}", "GET /tenants/{tenant}"],
            "GET/x/y",
            &["GET/tenants/acme", "GET/x/y"],
            &[],
        ),
    ];
    for (name, routes, request, allow, deny) in rows {
        let (allowed, denied) = write(&table(routes), &caller(&[]), request);
        let mut deny = deny.to_vec();
        deny.sort_unstable();
        assert_eq!(
            (allowed, denied),
            (allow.iter().map(|s| (*s).to_owned()).collect(), deny.iter().map(|s| (*s).to_owned()).collect()),
            "{name}"
        );
    }
}

#[test]
fn a_document_has_the_form_that_iam_reads() {
    let arn = format!("{BASE}/GET/items");
    let arn = MethodArn::parse(&arn).unwrap();
    let policy = document(&table(&["GET /items", "GET /items/{id}"]), &caller(&[]), &arn, UNTIL);
    let expected = format!(
        concat!(
            r#"{{"Version":"2012-10-17","Statement":["#,
            r#"{{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["{0}/GET/items","{0}/GET/items/*"],"#,
            r#""Condition":{{"DateLessThan":{{"aws:CurrentTime":"2027-01-15T08:00:00Z"}}}}}},"#,
            r#"{{"Effect":"Deny","Action":"execute-api:Invoke","Resource":["{0}/GET/items/","{0}/GET/items/*/*"]}}]}}"#
        ),
        BASE
    );
    for _ in 0..100 {
        let again = document(&table(&["GET /items/{id}", "GET /items"]), &caller(&[]), &arn, UNTIL);
        assert_eq!(serde_json::to_string(&again).unwrap(), expected, "P15");
    }
    let text = serde_json::to_string(&policy).unwrap();
    assert_eq!(text, expected);
    // What it is taken to need is what it needs, and a little more.
    assert!((text.len()..text.len() + FRAME_BYTES).contains(&policy.bytes()), "{} {}", text.len(), policy.bytes());
    let narrow = Policy { present: Some(format!("{BASE}/GET/items/1")), ..policy.clone() };
    let text = serde_json::to_string(&narrow).unwrap();
    assert!((text.len()..text.len() + FRAME_BYTES).contains(&narrow.bytes()), "{} {}", text.len(), narrow.bytes());
    let denial = serde_json::to_string(&denial(&arn)).unwrap();
    let closed = denial.contains(r#""Effect":"Deny""#) && !denial.contains("Allow");
    assert!(closed && !denial.contains("Condition"), "P06 {denial}");
    let connect = format!("{BASE}/$connect");
    let connection = connection(&MethodArn::parse(&connect).unwrap(), UNTIL);
    assert_eq!(connection.allowed().collect::<Vec<_>>(), [connect.as_str()]);
    assert_eq!(connection.denied().count(), 0);
}

#[test]
fn what_is_too_long_is_left_out_and_never_cut() {
    let long = "a".repeat(240);
    let path = format!("/{long}/{{x}}/{{y}}");
    let long_routes = table(&[&format!("GET {path}"), "GET /short"]);
    // The wildcard fits, the literal resource of this request would not.
    let request = format!("GET/{long}/{}/{}", "b".repeat(200), "c".repeat(200));
    let (allowed, _) = write(&long_routes, &caller(&[]), &request);
    assert!(allowed.contains(&format!("GET/{long}/*/*")), "P13");
    for (count, whole) in [(30, true), (500, false)] {
        let routes: Vec<String> =
            (0..count).flat_map(|n| ["GET", "PUT", "POST"].map(|m| format!("{m} /r{n}"))).collect();
        let table = table(&routes.iter().map(String::as_str).collect::<Vec<_>>());
        let (allowed, denied) = write(&table, &caller(&[]), "PUT/r7");
        assert_eq!(allowed.len(), if whole { 90 } else { 1 }, "P14 {count} routes");
        assert!(allowed.contains(&"PUT/r7".to_owned()) && denied.is_empty(), "P14 {count} routes");
        let (allowed, denied) = write(&table, &caller(&[]), "PUT/none");
        assert_eq!((allowed.len(), denied.len()), if whole { (90, 0) } else { (0, 1) }, "P14 {count} routes");
    }
    let (allowed, denied) = {
        let table = table(&["GET /items/{id}", "GET /items/{id}/notes"]);
        write(&table, &caller(&[]), &format!("GET/items/{}", "d".repeat(480)))
    };
    assert_eq!(allowed, ["GET/items/*/notes"], "A23 the literal resource is too long");
    assert!(!denied.is_empty());
}

/// IAM's own matching: `*` stands for anything, slashes too.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|taken| glob(rest, &text[taken..])),
        Some((sign, rest)) => text.first() == Some(sign) && glob(rest, &text[1..]),
    }
}

fn passes(policy: &Policy, resource: &str) -> bool {
    let hits = |pattern: &str| glob(pattern.as_bytes(), resource.as_bytes());
    policy.allowed().any(hits) && !policy.denied().any(hits)
}

fn any_route() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        3 => Just("a"), 3 => Just("b"), 1 => Just("acme"), 3 => Just("{x}"), 1 => Just("{tenant}"), 1 => Just("globex")
    ];
    (prop_oneof![Just("GET"), Just("PUT")], prop::collection::vec(segment, 0..4), prop_oneof![Just(""), Just(" admin")])
        .prop_map(|(method, segments, role)| {
            let mut tenant = false;
            let named = segments.iter().enumerate().map(|(index, segment)| match *segment {
                "{x}" => format!("{{x{index}}}"),
                "{tenant}" if tenant => format!("{{x{index}}}"),
                "{tenant}" => {
                    tenant = true;
                    "{tenant}".to_owned()
                }
                text => text.to_owned(),
            });
            format!("{method} /{}{role}", named.collect::<Vec<_>>().join("/"))
        })
}

/// Routes that the check takes: no two alike, none of undecided order.
fn any_table() -> impl Strategy<Value = RouteTable> {
    prop::collection::vec(any_route(), 0..7).prop_map(|routes| {
        let mut kept: Vec<RouteRule> = Vec::new();
        for rule in table(&routes.iter().map(String::as_str).collect::<Vec<_>>()).rules() {
            let mut problems = crate::rules::Problems::default();
            kept.push(rule.clone());
            crate::routes::check(&kept, &mut problems);
            if !problems.is_empty() {
                kept.pop();
            }
        }
        RouteTable::compile(kept)
    })
}

/// Every path of up to four segments, also such as no client should send.
fn paths() -> Vec<String> {
    let mut all = vec![String::new()];
    for _ in 0..4 {
        let longer =
            all.iter().flat_map(|path| ["a", "b", "acme", "globex", "z", ""].map(|next| format!("{path}/{next}")));
        all = all.iter().cloned().chain(longer).collect::<BTreeSet<_>>().into_iter().collect();
    }
    all.into_iter().filter(|path| !path.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cached_policy_never_lets_through_what_the_routes_refuse(
        table in any_table(), admin in any::<bool>(), present in "/(a|b|acme|globex|z)(/(a|b|acme|globex|z)){0,3}"
    ) {
        let caller = caller(if admin { &["admin"] } else { &[] });
        let arn = format!("{BASE}/GET{present}");
        let policy = document(&table, &caller, &MethodArn::parse(&arn).unwrap(), UNTIL);
        // What is kept of another request of somebody like him says the same.
        let other = format!("{BASE}/PUT/b/z");
        let like = Caller { subject: "bob".to_owned(), ..caller.clone() };
        let kept = Reach::of(&table, &like, &MethodArn::parse(&other).unwrap());
        let again = Policy::within(Arc::new(kept), &table, &caller, &MethodArn::parse(&arn).unwrap(), UNTIL);
        prop_assert_eq!(&again, &policy);
        let document = serde_json::to_string(&policy).unwrap();
        prop_assert!(!document.contains('?'));
        for pattern in policy.allowed() {
            let of = |method| pattern.starts_with(&format!("{BASE}/{method}/"));
            prop_assert!(of("GET") || of("PUT"), "{}", pattern);
        }
        for method in ["GET", "PUT", "DELETE"] {
            for path in paths() {
                if passes(&policy, &format!("{BASE}/{method}{path}")) {
                    prop_assert!(table.decide(&caller, method, &path).is_allowed(), "{method} {path}: {document}");
                }
            }
        }
        // The present request is answered as the routes say, either way.
        prop_assert_eq!(passes(&policy, &arn), table.decide(&caller, "GET", &present).is_allowed(), "{}", document);
    }
}
