//! Tokens. A text with a line end is a header and a payload, which are signed.
#![no_main]

use std::sync::LazyLock;

use fuzz::{CLIENT, ISSUER, NOW, key_set, signed};
use libfuzzer_sys::fuzz_target;
use shared::token::{
    Issuer, IssuerKind, KeySet, MAX_TOKEN_BYTES, RightsClaims, Sessions, TokenRules, Unverified, UserPool, verify,
};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| KeySet::read(ISSUER, key_set().as_bytes()).expect("a key set"));
static TRUST: LazyLock<TokenRules> = LazyLock::new(|| {
    let names = || RightsClaims { tenant: Some("tenant".to_owned()), roles: Some("roles".to_owned()) };
    let pool = UserPool { client_ids: vec![CLIENT.to_owned()], id: names(), access: names() };
    let issuer = Issuer { address: ISSUER.to_owned(), kind: IssuerKind::UserPool(pool) };
    TokenRules { issuers: vec![issuer], leeway_seconds: 0, sessions: Sessions::Ignored }
});

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (first, second) = (lines.next().unwrap_or_default(), lines.next());
    let is_ours = second.is_some();
    let text = match second {
        Some(payload) => signed(first, payload),
        None => String::from_utf8_lossy(first).into_owned(),
    };
    let Ok(token) = Unverified::parse(&text) else { return };
    assert!(text.len() <= MAX_TOKEN_BYTES && text.split('.').count() == 3);
    let Ok(verified) = verify(&TRUST, &token, &KEYS, NOW) else { return };
    assert!(is_ours, "a token that nobody signed: {text}");
    assert!(verified.client_id() == CLIENT && verified.expires_at() > NOW);
    assert!(!verified.caller().subject.is_empty());
});
