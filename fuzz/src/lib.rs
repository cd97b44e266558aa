//! What the targets share: the shipped rules, a pool that signs, a trigger's
//! event.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;
use shared::rules::Rules;
use shell::{Event, Trigger};

/// The time of every event, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;
/// The pool that is trusted.
pub const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01";
/// Its app client.
pub const CLIENT: &str = "1example23456789";
/// The name of its key.
pub const KEY_ID: &str = "kA1";

/// The rules that ship.
pub static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::read(include_str!("../../rules/rules.toml")).expect("the shipped rules can be used"));

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).expect("a key"));

/// base64url without padding, as in tokens.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of these bytes with a good signature, so that a target gets behind it.
pub fn signed(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("a signature");
    format!("{message}.{}", encode(signature))
}

/// The header that the pool writes.
pub fn header() -> String {
    json!({ "kid": KEY_ID, "alg": "RS256" }).to_string()
}

/// The pool's key set.
pub fn key_set() -> String {
    // RSAPublicKey in DER: nine bytes of framing and a zero before the modulus.
    let n = &KEY.public_key().as_ref()[9..265];
    json!({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": encode(n), "e": "AQAB"}]}).to_string()
}

/// The token of a member of acme.
pub fn good_token() -> String {
    let claims = json!({"sub": "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01", "iss": ISSUER, "client_id": CLIENT,
        "token_use": "access", "iat": NOW - 10, "exp": NOW + 600, "username": "ann", "tenant": "acme", "roles": ["member"]});
    signed(header().as_bytes(), claims.to_string().as_bytes())
}

/// Reads bytes as the runtime hands them to a function: JSON, whatever it says.
pub fn json(data: &[u8]) -> Option<Box<RawValue>> {
    RawValue::from_string(std::str::from_utf8(data).ok()?.to_owned()).ok()
}

/// Reads an event as a trigger does, and checks that it goes back as it came.
pub fn trigger<R: DeserializeOwned + Default>(data: &[u8], decide: impl FnOnce(&Event<'_>, &Trigger<R>)) {
    let Some(raw) = json(data) else { return };
    let Ok(event) = Event::read(&raw) else { return };
    let back = event.unchanged().expect("what was read can be written");
    let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    assert_eq!(same(back.get()), same(raw.get()), "the event goes back as it came");
    if let Ok(trigger) = event.trigger::<R>() {
        decide(&event, &trigger);
    }
}
