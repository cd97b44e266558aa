//! Tokens of an issuer that is no user pool: what its rule says, and every way in
//! which two issuers could be taken for each other.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::support::{CLIENT, ISSUER_A, KEY_A, KEY_B, NOW, access, keys_of, rules, with};
use crate::claims::TokenKind;
use crate::issuers::IssuerRule;
use crate::token::Refusal::{
    AudienceRefused, ClientRefused, Expired, HeaderRefused, IssuerRefused, KeyUnknown, RightsRefused, SignatureBad,
    SubjectRefused, TenantRefused, TimesRefused,
};
use crate::token::{Issuer, IssuerKind, KeySet, Refusal, TokenRules, Unverified, Verified, verify};

const CORP: &str = "https://login.corp.example/";
const PARTNER: &str = "https://id.partner.example";

fn issuer(text: &str) -> Issuer {
    let rule: IssuerRule = toml::from_str(text).unwrap();
    Issuer { address: rule.issuer.clone(), kind: IssuerKind::External(Box::new(rule)) }
}

/// The two pools of the other tests, a company with many tenants, and a partner
/// with one.
static RULES: LazyLock<TokenRules> = LazyLock::new(|| {
    let mut all = rules();
    all.issuers.push(issuer(
        r#"
name = "corp"
issuer = "https://login.corp.example/"
audiences = ["api://poolhouse", "https://login.corp.example/userinfo"]
client_claim = "azp"
clients = ["corp-web", "corp-job"]
tenant_claim = "org"
tenants = ["acme", "corp-*"]
roles_claim = "permissions"
roles = ["member", "auditor"]
scopes = ["items/read"]
"#,
    ));
    all.issuers.push(issuer(
        r#"
name = "partner"
issuer = "https://id.partner.example"
audiences = ["partner-api"]
types = [""]
token = "id"
tenant = "partner"
"#,
    ));
    all
});

fn claims() -> Value {
    json!({"iss": CORP, "sub": "auth0|5f", "aud": ["api://poolhouse", "https://login.corp.example/userinfo"],
        "azp": "corp-web", "iat": NOW - 10, "exp": NOW + 600, "org": "corp-eu", "scope": "openid items/read items/write",
        "permissions": ["member", "admin", "Read All"]})
}

fn header(typ: Option<&str>) -> Value {
    let header = json!({"kid": "kB1", "alg": "RS256"});
    typ.map_or(header.clone(), |typ| with(header, "typ", Some(json!(typ))))
}

/// The corporation signs with the key that the tests call B.
fn corp() -> KeySet {
    keys_of(CORP, &[KEY_B.jwk()])
}

fn put(header: &Value, claims: &Value, keys: &KeySet, now: u64) -> Result<Verified, Refusal> {
    let token = KEY_B.token(header.to_string().as_bytes(), claims.to_string().as_bytes());
    verify(&RULES, &Unverified::parse(&token)?, keys, now)
}

fn outcome(claims: &Value) -> Option<Refusal> {
    put(&header(Some("at+jwt")), claims, &corp(), NOW).err()
}

#[test]
fn a_token_proves_what_its_issuer_may_say() {
    let verified = put(&header(Some("at+JWT")), &claims(), &corp(), NOW).unwrap();
    let caller = verified.caller();
    assert_eq!(caller.subject, "corp_auth0_7c5f");
    assert_eq!(caller.issuer.as_ref().map(|name| name.as_str()), Some("corp"));
    assert_eq!((caller.kind, caller.machine), (TokenKind::Access, false));
    assert_eq!(caller.tenant.as_ref().map(|tenant| tenant.as_str()), Some("corp-eu"));
    assert_eq!(caller.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["member"], "not admin");
    assert_eq!(caller.scopes.iter().collect::<Vec<_>>(), ["items/read"], "not items/write");
    assert_eq!((verified.client_id(), verified.expires_at()), ("corp-web", NOW + 600));

    let partner = json!({"iss": PARTNER, "sub": "5f", "aud": "partner-api", "iat": NOW, "exp": NOW + 60,
        "tenant": "acme", "org": "acme", "roles": ["admin"], "cognito:groups": ["staff"], "token_use": "access"});
    let verified = put(&header(None), &partner, &keys_of(PARTNER, &[KEY_B.jwk()]), NOW).unwrap();
    let caller = verified.caller();
    assert_eq!(caller.tenant.as_ref().map(|tenant| tenant.as_str()), Some("partner"), "whatever it claims");
    assert!(caller.roles.is_empty() && caller.groups.is_empty() && caller.scopes.is_empty(), "{caller:?}");
    assert_eq!((caller.kind, verified.client_id()), (TokenKind::Id, "partner-api"));
}

#[test]
fn what_the_rule_does_not_name_is_refused() {
    let of = |name: &str, value: Value| with(claims(), name, Some(value));
    let rows = [
        ("as it is", claims(), None),
        ("one audience", of("aud", json!("api://poolhouse")), None),
        ("no audience", with(claims(), "aud", None), Some(AudienceRefused)),
        ("an empty list", of("aud", json!([])), Some(AudienceRefused)),
        ("another audience", of("aud", json!("api://other")), Some(AudienceRefused)),
        ("one of ours and a stranger", of("aud", json!(["api://poolhouse", "x"])), Some(AudienceRefused)),
        ("an audience of the other issuer", of("aud", json!("partner-api")), Some(AudienceRefused)),
        ("an audience that is no text", of("aud", json!(["api://poolhouse", 1])), Some(AudienceRefused)),
        ("a client of a pool as audience", of("aud", json!(CLIENT)), Some(AudienceRefused)),
        ("no client", with(claims(), "azp", None), Some(ClientRefused)),
        ("another client", of("azp", json!("stranger")), Some(ClientRefused)),
        ("a client of a pool", of("azp", json!(CLIENT)), Some(ClientRefused)),
        ("a list of clients", of("azp", json!(["corp-web"])), Some(ClientRefused)),
        ("a machine: the client itself", of("sub", json!("corp-web")), Some(SubjectRefused)),
        ("no subject", with(claims(), "sub", None), Some(SubjectRefused)),
        ("an empty subject", of("sub", json!("")), Some(SubjectRefused)),
        ("a subject that is too long", of("sub", json!("|".repeat(60))), Some(SubjectRefused)),
        ("a tenant that it may name", of("org", json!("acme")), None),
        ("no tenant", with(claims(), "org", None), None),
        ("a tenant that it may not name", of("org", json!("globex")), Some(TenantRefused)),
        ("a tenant that begins alike", of("org", json!("acme-2")), Some(TenantRefused)),
        ("the beginning alone", of("org", json!("corp-")), Some(TenantRefused)),
        ("a tenant that is no name", of("org", json!("corp-*")), Some(TenantRefused)),
        ("two tenants", of("org", json!(["acme"])), Some(TenantRefused)),
        ("roles that are no list", of("permissions", json!({"member": true})), Some(RightsRefused)),
        ("roles in one text", of("permissions", json!("member")), None),
        ("scopes that are no text", of("scope", json!(["items/read"])), Some(RightsRefused)),
        ("no end", with(claims(), "exp", None), Some(TimesRefused)),
        ("the end has come", of("exp", json!(NOW)), Some(Expired)),
        ("a life that is too long", of("exp", json!(NOW + 90_000)), Some(TimesRefused)),
    ];
    for (name, claims, expected) in rows {
        assert_eq!(outcome(&claims), expected, "{name}");
    }
    for (typ, expected) in [
        (Some("JWT"), None),
        (Some("at+jwt"), None),
        (None, Some(HeaderRefused)),
        (Some(""), Some(HeaderRefused)),
        (Some("logout+jwt"), Some(HeaderRefused)),
        (Some("dpop+jwt"), Some(HeaderRefused)),
    ] {
        assert_eq!(put(&header(typ), &claims(), &corp(), NOW).err(), expected, "{typ:?}");
    }
}

#[test]
fn no_issuer_is_taken_for_another() {
    // Everything is right but for who signed, who is named, and whose keys are asked.
    let of_pool = access();
    let keys_of_pool = keys_of(ISSUER_A, &[KEY_A.jwk()]);
    let typ = header(Some("JWT"));
    let rows = [
        (
            "a pool's claims under the corporation's name",
            with(of_pool.clone(), "iss", Some(json!(CORP))),
            corp(),
            Some(AudienceRefused),
        ),
        ("a pool's name, signed by the corporation", of_pool.clone(), keys_of_pool, Some(KeyUnknown)),
        ("a pool's name, with the corporation's keys", of_pool.clone(), corp(), Some(IssuerRefused)),
        (
            "the corporation's name, with a pool's keys",
            claims(),
            keys_of(ISSUER_A, &[KEY_B.jwk()]),
            Some(IssuerRefused),
        ),
        (
            "the corporation's name, with the partner's keys",
            claims(),
            keys_of(PARTNER, &[KEY_B.jwk()]),
            Some(IssuerRefused),
        ),
        (
            "the partner's name on the corporation's token",
            with(claims(), "iss", Some(json!(PARTNER))),
            keys_of(PARTNER, &[KEY_B.jwk()]),
            Some(HeaderRefused),
        ),
        (
            "the issuer without its slash",
            with(claims(), "iss", Some(json!(CORP.trim_end_matches('/')))),
            corp(),
            Some(IssuerRefused),
        ),
        (
            "the pool's key under the corporation's name",
            claims(),
            keys_of(CORP, &[with(KEY_A.jwk(), "kid", Some(json!("kB1")))]),
            Some(SignatureBad),
        ),
    ];
    for (name, claims, keys, expected) in rows {
        assert_eq!(put(&typ, &claims, &keys, NOW).err(), expected, "{name}");
    }
    // A subject of theirs that reads like a user of the pool is another one.
    let same = with(claims(), "sub", Some(of_pool["sub"].clone()));
    let theirs = put(&typ, &same, &corp(), NOW).unwrap();
    assert_eq!(theirs.caller().subject, format!("corp_{}", of_pool["sub"].as_str().unwrap()));
    // And what is escaped is not what somebody else is called.
    let subject =
        |sub: &str| put(&typ, &with(claims(), "sub", Some(json!(sub))), &corp(), NOW).unwrap().caller().subject.clone();
    assert_ne!(subject("a|b"), subject("a_7cb"));
}
