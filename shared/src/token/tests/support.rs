//! Real keys, and tokens that are right but for what a row changes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::claims::TokenKind;
use crate::routes::Caller;
use crate::token::{
    Issuer, IssuerKind, KeySet, Refusal, RightsClaims, TokenRules, Unverified, UserPool, Verified, verify,
};

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const ISSUER_A: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA";
pub(super) const ISSUER_B: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_BBBBBBBBB";
pub(super) const CLIENT: &str = "1example23456789";
/// A client of the other pool.
pub(super) const CLIENT_B: &str = "2example23456789";

/// The pool's key.
pub(super) static KEY_A: LazyLock<Signer> = LazyLock::new(|| Signer::generate("kA1"));
/// Another trusted pool's key.
pub(super) static KEY_B: LazyLock<Signer> = LazyLock::new(|| Signer::generate("kB1"));
/// Somebody's own key, under the pool's name.
pub(super) static ATTACKER: LazyLock<Signer> = LazyLock::new(|| Signer::generate("kA1"));

pub(super) struct Signer {
    pub(super) kid: &'static str,
    pub(super) pair: KeyPair,
    pub(super) n: Vec<u8>,
    pub(super) e: Vec<u8>,
}

impl Signer {
    fn generate(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = pair.public_key().as_ref().to_vec();
        // SEQUENCE { INTEGER n, INTEGER e }, each with its tag and length.
        let (sequence, _) = element(&der);
        let (n, rest) = element(sequence);
        let (e, _) = element(rest);
        Self { kid, pair, n: n.strip_prefix(&[0]).unwrap_or(n).to_vec(), e: e.to_vec() }
    }

    pub(super) fn sign(&self, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    /// A token with these segments, whatever they hold.
    pub(super) fn token(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.sign(&signed));
        format!("{signed}.{signature}")
    }

    pub(super) fn jwk(&self) -> Value {
        json!({"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "n": encode(&self.n), "e": encode(&self.e)})
    }

    /// The public key as others write it.
    pub(super) fn spki(&self) -> Vec<u8> {
        self.pair.public_key().as_der().unwrap().as_ref().to_vec()
    }
}

/// The content of a DER element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (begin, length) = match der[1] {
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    (&der[begin..begin + length], &der[begin + length..])
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn rules() -> TokenRules {
    let names = || RightsClaims { tenant: Some("tenant".to_owned()), roles: Some("roles".to_owned()) };
    let pool = |address: &str, client: &str| Issuer {
        address: address.to_owned(),
        kind: IssuerKind::UserPool(UserPool { client_ids: vec![client.to_owned()], id: names(), access: names() }),
    };
    TokenRules {
        issuers: vec![pool(ISSUER_A, CLIENT), pool(ISSUER_B, CLIENT_B)],
        leeway_seconds: 0,
        sessions: crate::token::Sessions::Ignored,
    }
}

pub(super) fn keys_of(issuer: &str, entries: &[Value]) -> KeySet {
    KeySet::read(issuer, json!({ "keys": entries }).to_string().as_bytes()).unwrap()
}

pub(super) fn header() -> Value {
    json!({"kid": "kA1", "alg": "RS256"})
}

pub(super) fn access() -> Value {
    json!({
        "sub": "7f3c0f6e-0001-4000-8000-000000000001", "iss": ISSUER_A, "client_id": CLIENT,
        "token_use": "access", "scope": "openid items/read", "auth_time": NOW - 10, "iat": NOW - 10,
        "exp": NOW + 600, "jti": "j", "origin_jti": "o", "username": "ann", "cognito:groups": ["users"],
        "tenant": "acme", "roles": ["member"], "version": 2
    })
}

pub(super) fn id() -> Value {
    json!({
        "sub": "7f3c0f6e-0001-4000-8000-000000000001", "iss": ISSUER_A, "aud": CLIENT, "token_use": "id",
        "cognito:username": "ann", "email": "ann@acme.example", "iat": NOW - 10, "exp": NOW + 600,
        "tenant": "acme", "roles": ["member"]
    })
}

/// Signs these claims with the pool's key.
pub(super) fn signed(claims: &Value) -> String {
    KEY_A.token(header().to_string().as_bytes(), claims.to_string().as_bytes())
}

/// The access token with one claim replaced; `null` as text in Rust (`None`)
/// takes it away.
pub(super) fn with(mut claims: Value, name: &str, value: Option<Value>) -> Value {
    let members = claims.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    claims
}

pub(super) fn check_with(rules: &TokenRules, token: &str, now: u64) -> Result<Verified, Refusal> {
    static KEYS: LazyLock<KeySet> = LazyLock::new(|| keys_of(ISSUER_A, &[KEY_A.jwk()]));
    verify(rules, &Unverified::parse(token)?, &KEYS, now)
}

pub(super) fn check(token: &str) -> Result<Verified, Refusal> {
    check_with(&rules(), token, NOW)
}

/// The caller that the untouched access token proves.
pub(super) fn ann() -> Caller {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    Caller {
        subject: "7f3c0f6e-0001-4000-8000-000000000001".to_owned(),
        issuer: None,
        kind: TokenKind::Access,
        machine: false,
        tenant: crate::names::TenantId::parse("acme"),
        roles: crate::names::RoleName::parse("member").into_iter().collect(),
        groups: set(&["users"]),
        scopes: set(&["items/read", "openid"]),
    }
}
