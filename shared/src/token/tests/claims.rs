//! Group C: correctly signed tokens that must not be taken, or not so.

use serde_json::{Value, json};

use super::support::{CLIENT, ISSUER_A, ISSUER_B, NOW, access, ann, check, check_with, id, rules, signed, with};
use crate::claims::{ClaimRules, TokenKind};
use crate::names::SessionId;
use crate::token::Refusal::{
    AudienceRefused, ClientRefused, Expired, IssuerRefused, NotYetValid, RightsRefused, SubjectRefused, TenantRefused,
    TimesRefused, TokenUseRefused,
};
use crate::token::{IssuerKind, Refusal, RightsClaims, Session, Sessions};

fn refusal_of(claims: &Value) -> Option<Refusal> {
    check(&signed(claims)).err()
}

#[test]
fn times_are_whole_numbers_within_bounds() {
    let end = NOW + 600;
    let table = [
        ("C01 no exp", "exp", None, Some(TimesRefused)),
        ("C02 text", "exp", Some(json!(end.to_string())), Some(TimesRefused)),
        ("C02 null", "exp", Some(json!(null)), Some(TimesRefused)),
        ("C02 negative", "exp", Some(json!(-1)), Some(TimesRefused)),
        ("C02 list", "exp", Some(json!([end])), Some(TimesRefused)),
        ("C03 a fraction", "exp", Some(json!(end as f64 + 0.9)), Some(TimesRefused)),
        ("C03 a fraction ago", "exp", Some(json!(NOW as f64 - 0.1)), Some(TimesRefused)),
        ("C03 a fraction ahead", "exp", Some(json!(NOW as f64 + 0.4)), Some(TimesRefused)),
        ("C03 whole, written as a fraction", "exp", Some(json!(end as f64)), Some(TimesRefused)),
        ("C04 the largest", "exp", Some(json!(u64::MAX)), Some(TimesRefused)),
        ("C05 just over", "exp", Some(json!(NOW - 1)), Some(Expired)),
        ("C05 now", "exp", Some(json!(NOW)), Some(Expired)),
        ("C05 a second left", "exp", Some(json!(NOW + 1)), None),
        ("C06 a day", "exp", Some(json!(NOW - 10 + 86_400)), None),
        ("C06 a day and a second", "exp", Some(json!(NOW - 10 + 86_401)), Some(TimesRefused)),
        ("C06 ends before it begins", "exp", Some(json!(NOW - 11)), Some(TimesRefused)),
        ("C07 nbf now", "nbf", Some(json!(NOW)), None),
        ("C07 nbf a minute ahead", "nbf", Some(json!(NOW + 60)), None),
        ("C07 nbf further ahead", "nbf", Some(json!(NOW + 61)), Some(NotYetValid)),
        ("C07 nbf text", "nbf", Some(json!("0")), Some(TimesRefused)),
        ("C08 iat a minute ahead", "iat", Some(json!(NOW + 60)), None),
        ("C08 iat further ahead", "iat", Some(json!(NOW + 61)), Some(NotYetValid)),
        ("C08 no iat", "iat", None, Some(TimesRefused)),
        ("C08 iat text", "iat", Some(json!("x")), Some(TimesRefused)),
        ("C10 auth_time ahead", "auth_time", Some(json!(NOW + 3_600)), None),
        ("C10 auth_time text", "auth_time", Some(json!("x")), None),
    ];
    for (name, claim, value, expected) in table {
        assert_eq!(refusal_of(&with(access(), claim, value)), expected, "{name}");
    }
    let day_ahead = with(with(access(), "iat", Some(json!(NOW + 86_400))), "exp", Some(json!(NOW + 86_500)));
    assert_eq!(refusal_of(&day_ahead), Some(NotYetValid), "C08 a day ahead");
}

#[test]
fn leeway_moves_the_end_and_nothing_else() {
    let rules = {
        let mut rules = rules();
        rules.leeway_seconds = 60;
        rules
    };
    for (end, expected) in [(NOW - 61, Some(Expired)), (NOW - 60, Some(Expired)), (NOW - 59, None)] {
        let claims = with(with(access(), "iat", Some(json!(NOW - 600))), "exp", Some(json!(end)));
        assert_eq!(check_with(&rules, &signed(&claims), NOW).err(), expected, "C05 {end}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let token = signed(&with(access(), "iat", Some(json!(NOW))));
    let table = [
        (NOW - 30, None),
        (NOW + 30, None),
        (NOW - 60, None),
        (NOW - 61, Some(NotYetValid)),
        (NOW - 86_400, Some(NotYetValid)),
        (NOW + 86_400, Some(Expired)),
        (0, Some(NotYetValid)),
        (u64::from(u32::MAX), Some(Expired)),
        (u64::MAX, Some(Expired)),
    ];
    for (now, expected) in table {
        assert_eq!(check_with(&rules(), &token, now).err(), expected, "C11 {now}");
    }
}

#[test]
fn the_issuer_is_equal_byte_for_byte() {
    let near = [
        json!(null),
        json!(1),
        json!(""),
        json!([ISSUER_A]),
        json!({}),
        json!(format!("{ISSUER_A}/")),
        json!(ISSUER_A.to_uppercase()),
        json!(ISSUER_A.replace("https:", "http:")),
        json!(ISSUER_A.replace(".com/", ".com:443/")),
        json!(ISSUER_A.replace("cognito-idp", "Cognito-idp")),
        json!(ISSUER_A.trim_end_matches('A')),
        json!("us-east-1_AAAAAAAAA"),
        json!(ISSUER_A.replace("_A", "%5FA")),
        json!(ISSUER_A.replace('o', "о")),
        json!(ISSUER_A.replace("https://", "https://x@")),
        json!(ISSUER_A.replace("us-east-1.", "eu-west-1.")),
        json!(format!(" {ISSUER_A}")),
        json!("http://127.0.0.1:9/"),
        json!("file:///etc/passwd"),
    ];
    for issuer in near {
        assert_eq!(
            refusal_of(&with(access(), "iss", Some(issuer.clone()))),
            Some(IssuerRefused),
            "C12 to C17 {issuer}"
        );
    }
    assert_eq!(refusal_of(&with(access(), "iss", None)), Some(IssuerRefused), "C12 missing");
    let other = with(access(), "iss", Some(json!(ISSUER_B)));
    assert_eq!(refusal_of(&other), Some(IssuerRefused), "C15 a trusted issuer, with another one's keys");
    let rules = {
        let mut rules = rules();
        rules.issuers.truncate(1);
        rules
    };
    assert_eq!(check_with(&rules, &signed(&other), NOW).err(), Some(IssuerRefused), "C15 not trusted");
}

#[test]
fn the_use_is_access_or_id() {
    for value in [json!(null), json!("Access"), json!(["access"]), json!("refresh"), json!(""), json!(1)] {
        assert_eq!(refusal_of(&with(access(), "token_use", Some(value.clone()))), Some(TokenUseRefused), "C20 {value}");
    }
    assert_eq!(refusal_of(&with(access(), "token_use", None)), Some(TokenUseRefused), "C20 missing");
    assert_eq!(check(&signed(&id())).unwrap().caller().kind, TokenKind::Id, "C18, C19 the kind is told apart");
    let id_as_access = with(id(), "token_use", Some(json!("access")));
    assert_eq!(refusal_of(&id_as_access), Some(ClientRefused), "an ID token's claims are no access token's");
}

#[test]
fn the_client_is_one_of_ours() {
    let table = [
        ("C21 another client", access(), "client_id", Some(json!("2other")), Some(ClientRefused)),
        ("C22 missing", access(), "client_id", None, Some(ClientRefused)),
        ("C22 list", access(), "client_id", Some(json!([CLIENT])), Some(ClientRefused)),
        ("C22 number", access(), "client_id", Some(json!(1)), Some(ClientRefused)),
        ("C22 empty", access(), "client_id", Some(json!("")), Some(ClientRefused)),
        ("C22 case", access(), "client_id", Some(json!(CLIENT.to_uppercase())), Some(ClientRefused)),
        ("C23 one", id(), "aud", Some(json!([CLIENT])), None),
        ("C23 two", id(), "aud", Some(json!([CLIENT, "2other"])), Some(ClientRefused)),
        ("C23 none", id(), "aud", Some(json!([])), Some(ClientRefused)),
        ("C23 empty", id(), "aud", Some(json!("")), Some(ClientRefused)),
        ("C23 missing", id(), "aud", None, Some(ClientRefused)),
        ("C23 another", id(), "aud", Some(json!("2other")), Some(ClientRefused)),
        ("C24 a resource", access(), "aud", Some(json!("https://api.example")), Some(AudienceRefused)),
        ("C24 null", access(), "aud", Some(json!(null)), Some(AudienceRefused)),
        ("C24 the client again", access(), "aud", Some(json!(CLIENT)), None),
        ("C25 both, and they differ", access(), "aud", Some(json!("2other")), Some(AudienceRefused)),
        ("C25 both, and they differ", id(), "client_id", Some(json!("2other")), Some(ClientRefused)),
        ("C25 both, alike", id(), "client_id", Some(json!(CLIENT)), None),
    ];
    for (name, claims, claim, value, expected) in table {
        assert_eq!(refusal_of(&with(claims, claim, value.clone())), expected, "{name} {value:?}");
    }
}

#[test]
fn a_subject_is_a_short_plain_name() {
    let long = "a".repeat(129);
    for sub in [
        json!(null),
        json!(1),
        json!(""),
        json!(["a"]),
        json!("a b"),
        json!("a#b"),
        json!("a*"),
        json!("ä"),
        json!("a\n"),
        json!("a/b"),
        json!("${x}"),
        json!(long),
    ] {
        assert_eq!(refusal_of(&with(access(), "sub", Some(sub.clone()))), Some(SubjectRefused), "C26, P12 {sub}");
    }
    assert_eq!(refusal_of(&with(access(), "sub", None)), Some(SubjectRefused), "C26 missing");
    let spoof = with(access(), "username", Some(json!("7f3c0f6e-0002-4000-8000-000000000002")));
    assert_eq!(check(&signed(&spoof)).unwrap().caller(), &ann(), "C27 only `sub` names the caller");
}

#[test]
fn a_machine_has_its_client_as_subject_and_no_name() {
    let machine = json!({
        "sub": CLIENT, "token_use": "access", "scope": "items/read", "iss": ISSUER_A, "client_id": CLIENT,
        "iat": NOW, "exp": NOW + 600, "version": 2
    });
    assert!(check(&signed(&machine)).unwrap().caller().machine);
    assert!(!check(&signed(&access())).unwrap().caller().machine);
    let named = with(machine.clone(), "username", Some(json!("ann")));
    assert_eq!(refusal_of(&named), Some(SubjectRefused), "a user who is called like a client");
    let id = with(id(), "sub", Some(json!(CLIENT)));
    assert_eq!(refusal_of(&id), Some(SubjectRefused), "a machine has no ID token");
    let nameless = with(access(), "username", None);
    assert!(!check(&signed(&nameless)).unwrap().caller().machine, "no name alone makes no machine");
}

#[test]
fn scopes_are_split_at_one_kind_of_space() {
    let table = [
        (None, &[][..]),
        (Some(json!("")), &[]),
        (Some(json!("a")), &["a"]),
        (Some(json!("a b")), &["a", "b"]),
        (Some(json!("a\tb")), &["a\tb"]),
        (Some(json!("a\u{a0}b")), &["a\u{a0}b"]),
        (Some(json!("notadmin Admin")), &["Admin", "notadmin"]),
    ];
    for (scope, expected) in table {
        let verified = check(&signed(&with(access(), "scope", scope.clone()))).unwrap();
        let scopes: Vec<&str> = verified.caller().scopes.iter().map(String::as_str).collect();
        assert_eq!(scopes, expected, "C28 {scope:?}");
    }
    for scope in [json!(["a"]), json!(null), json!(1), json!("a  b"), json!(" a"), json!("a "), json!(" ")] {
        assert_eq!(refusal_of(&with(access(), "scope", Some(scope.clone()))), Some(RightsRefused), "C28 {scope}");
    }
}

#[test]
fn groups_and_roles_are_lists_of_names() {
    for (claim, value, expected) in [
        ("cognito:groups", json!("admin"), Some(RightsRefused)),
        ("cognito:groups", json!([1]), Some(RightsRefused)),
        ("cognito:groups", json!(null), Some(RightsRefused)),
        ("cognito:groups", json!({"admin": true}), Some(RightsRefused)),
        ("cognito:groups", json!([]), None),
        ("roles", json!(["Admin"]), Some(RightsRefused)),
        ("roles", json!([["admin"]]), Some(RightsRefused)),
        ("roles", json!("admin,member"), Some(RightsRefused)),
        ("roles", json!("admin  member"), Some(RightsRefused)),
        ("roles", json!(true), Some(RightsRefused)),
        ("roles", json!("admin member"), None),
        ("roles", json!(""), None),
        ("roles", json!([]), None),
    ] {
        assert_eq!(refusal_of(&with(access(), claim, Some(value.clone()))), expected, "C29, C30 {claim} {value}");
    }
    let as_text = check(&signed(&with(access(), "roles", Some(json!("admin member"))))).unwrap();
    let as_list = check(&signed(&with(access(), "roles", Some(json!(["member", "admin"]))))).unwrap();
    assert_eq!(as_text, as_list);
}

#[test]
fn only_the_claim_of_the_rules_names_a_tenant() {
    let no_tenant = with(access(), "tenant", None);
    for claim in ["custom:tenant", "tenants", "Tenant", "cognito:tenant"] {
        let claims = with(no_tenant.clone(), claim, Some(json!("acme")));
        assert_eq!(check(&signed(&claims)).unwrap().caller().tenant, None, "C32 {claim}");
    }
    let group = with(no_tenant, "cognito:groups", Some(json!(["acme:admin"])));
    assert_eq!(check(&signed(&group)).unwrap().caller().tenant, None, "C32 a group alone");
    let disagree = with(access(), "custom:tenant", Some(json!("globex")));
    assert_eq!(check(&signed(&disagree)).unwrap().caller(), &ann(), "C32 another source");
    let writable = with(id(), "custom:role", Some(json!("admin")));
    let caller = check(&signed(&writable)).unwrap().caller().clone();
    assert!(caller.roles.iter().all(|role| role.as_str() == "member"), "C34");
    let roles = with(access(), "cognito:roles", Some(json!(["arn:aws:iam::999999999999:role/root"])));
    assert_eq!(check(&signed(&roles)).unwrap().caller(), &ann(), "C31");
    let unnamed = {
        let mut rules = rules();
        for issuer in &mut rules.issuers {
            let IssuerKind::UserPool(pool) = &mut issuer.kind else { continue };
            pool.access = RightsClaims::default();
        }
        rules
    };
    let caller = check_with(&unnamed, &signed(&access()), NOW).unwrap().caller().clone();
    assert_eq!((caller.tenant, caller.roles.len()), (None, 0), "no such claim in the rules");
}

#[test]
fn a_tenant_is_a_tenants_name() {
    let long = "a".repeat(257);
    for tenant in ["t1#", "t1/../t2", "*", "t1*", "?", "${aws:PrincipalTag/x}", "T1", "t1 ", "ｔ1", "", "-a", &long] {
        assert_eq!(refusal_of(&with(access(), "tenant", Some(json!(tenant)))), Some(TenantRefused), "C33 {tenant:?}");
    }
    for tenant in [json!(null), json!(["acme"]), json!(1), json!({"id": "acme"})] {
        assert_eq!(refusal_of(&with(access(), "tenant", Some(tenant.clone()))), Some(TenantRefused), "C32 {tenant}");
    }
}

#[test]
fn other_claims_change_nothing() {
    for text in ["é", "e\u{301}", "\u{202e}nimda", "a\u{200d}b", "😀", "a\0b"] {
        for claim in ["name", "username", text] {
            let claims = with(access(), claim, Some(json!(text)));
            assert_eq!(check(&signed(&claims)).unwrap().caller(), &ann(), "C36 {claim:?} {text:?}");
        }
    }
}

#[test]
fn where_sessions_can_be_ended_a_users_token_says_which_is_its_own() {
    let required = {
        let mut rules = rules();
        rules.sessions = Sessions::Required;
        rules
    };
    let machine = with(with(access(), "username", None), "sub", Some(json!(CLIENT)));
    let without = |claims: Value| with(with(claims, "origin_jti", None), "auth_time", None);
    let found = |id: &str| Session { id: SessionId::parse(id), authenticated_at: NOW - 10, issued_at: NOW - 10 };
    let table = [
        ("C37 whole", access(), Ok(found("o"))),
        ("C37 a UUID", with(access(), "origin_jti", Some(json!("0f0c7f6e-2f0b"))), Ok(found("0f0c7f6e-2f0b"))),
        ("C37 no origin_jti", with(access(), "origin_jti", None), Err(Refusal::SessionMissing)),
        ("C37 an empty one", with(access(), "origin_jti", Some(json!(""))), Err(Refusal::SessionMissing)),
        ("C37 another key in it", with(access(), "origin_jti", Some(json!("o#x"))), Err(Refusal::SessionMissing)),
        ("C37 a list", with(access(), "origin_jti", Some(json!(["o"]))), Err(Refusal::SessionMissing)),
        ("C37 no auth_time", with(access(), "auth_time", None), Err(Refusal::SessionMissing)),
        ("C37 auth_time text", with(access(), "auth_time", Some(json!("1"))), Err(Refusal::SessionMissing)),
        ("C37 auth_time a fraction", with(access(), "auth_time", Some(json!(1.5))), Err(Refusal::SessionMissing)),
        ("C37 begun after it was made", with(access(), "auth_time", Some(json!(u64::MAX))), Ok(found("o"))),
        ("C37 an ID token without", id(), Err(Refusal::SessionMissing)),
        ("C37 a machine", without(machine), Ok(Session { id: None, ..found("o") })),
    ];
    for (name, claims, expected) in table {
        let verified = check_with(&required, &signed(&claims), NOW);
        let session = verified.map(|verified| verified.session().cloned().unwrap());
        assert_eq!(session, expected, "{name}");
    }
    let nobody_asks = check(&signed(&without(access()))).unwrap();
    assert_eq!(nobody_asks.session(), None);
}

#[test]
fn a_kind_of_token_carries_rights_under_the_names_that_the_rules_give_it() {
    let rules: ClaimRules = toml::from_str(
        r#"
        token_version = "v2"
        map = [
            { name = "org", token = "both", from = { membership = "tenant" } },
            { name = "org_roles", token = "access", from = { membership = "roles" } },
            { name = "plan", token = "id", from = { attribute = "custom:plan" } },
        ]
        "#,
    )
    .unwrap();
    let named = |tenant: Option<&str>, roles: Option<&str>| RightsClaims {
        tenant: tenant.map(str::to_owned),
        roles: roles.map(str::to_owned),
    };
    assert_eq!(RightsClaims::of(&rules, TokenKind::Access), named(Some("org"), Some("org_roles")));
    assert_eq!(RightsClaims::of(&rules, TokenKind::Id), named(Some("org"), None));
}
