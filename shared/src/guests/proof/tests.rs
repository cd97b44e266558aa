//! Tables of proofs. Rows R are those of `attacks.md`.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::ProofRefusal::{
    IdentityRefused, MethodsRefused, NamesAnotherSecret, NamesAnotherUser, NotWritten, OtherPool, Registered, Token,
    TooOld,
};
use super::*;
use crate::guests::claim::ClaimSecret;
use crate::names::Subject;
use crate::token::{KeySet, MAX_TOKEN_BYTES, Profile, Refusal};

const NOW: u64 = 1_800_000_000;
const POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";
const OTHER_POOL: &str = "us-east-1:11111111-2222-4333-8444-666666666666";
const GUEST: &str = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";
const POOL_ARN: &str = "https://cognito-identity.amazonaws.com/identity-pool-arn";

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static ANOTHER: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

fn rules() -> ProofRules {
    ProofRules { pool: pool(), most_age_s: 600 }
}

fn pool() -> IdentityPoolId {
    IdentityPoolId::parse(POOL).unwrap()
}

/// The key set in the form that AWS publishes.
fn keys(issuer: &str) -> KeySet {
    // SEQUENCE { INTEGER n (2048 bits, so with a zero in front), INTEGER e }.
    let der = KEY.public_key().as_ref();
    let (n, e) = (STANDARD.encode(&der[8..9 + 256]), STANDARD.encode(&der[9 + 256 + 2..]));
    let jwk = json!({"kty": "RSA", "alg": "RS512", "use": "sig", "kid": "us-east-12", "n": n, "e": e});
    KeySet::read_as(Profile::IdentityPool, issuer, json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap()
}

fn sign(pair: &KeyPair, claims: &Value) -> String {
    let header = json!({"kid": "us-east-12", "typ": "JWS", "alg": "RS512"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What the pool says of a guest.
fn guest() -> Value {
    json!({"sub": GUEST, "aud": POOL, "amr": ["unauthenticated"], "iss": ISSUER, "iat": NOW - 10, "exp": NOW + 590,
        POOL_ARN: format!("arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{POOL}")})
}

fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = guest();
    match value {
        Some(value) => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
        None => claims.as_object_mut().unwrap().remove(name),
    };
    claims
}

fn check(token: &str) -> Result<VerifiedGuest, ProofRefusal> {
    prove(&rules(), &UnverifiedProof::parse(token)?, &keys(ISSUER), NOW)
}

#[test]
fn a_token_of_the_pool_proves_its_guest() {
    let claims = [("as issued", guest()), ("before there was an ARN", with(POOL_ARN, None))];
    for (name, claims) in claims {
        let proved = check(&sign(&KEY, &claims));
        assert_eq!(proved.as_ref().map(|guest| guest.identity().as_str()), Ok(GUEST), "{name}");
    }
}

#[test]
fn a_token_that_is_not_that_of_a_guest_of_this_pool_proves_nothing() {
    let arn = |pool: &str| Some(json!(format!("arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool}")));
    let user = ["authenticated", "cognito-idp.us-east-1.amazonaws.com/us-east-1_A"];
    let issuer = Token(Refusal::IssuerRefused);
    let table = [
        ("no issuer", "iss", None, issuer),
        ("a user pool's", "iss", Some(json!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A")), issuer),
        ("almost the issuer", "iss", Some(json!(format!("{ISSUER}/"))), issuer),
        ("a list of issuers", "iss", Some(json!([ISSUER])), issuer),
        ("R04 another pool", "aud", Some(json!(OTHER_POOL)), OtherPool),
        ("R04 two pools", "aud", Some(json!([POOL, OTHER_POOL])), OtherPool),
        ("R04 in a list", "aud", Some(json!([POOL])), OtherPool),
        ("R04 no pool", "aud", None, OtherPool),
        ("R04 another pool by its ARN", POOL_ARN, arn(OTHER_POOL), OtherPool),
        ("R04 an ARN that is no text", POOL_ARN, Some(json!(null)), OtherPool),
        ("R04 an ARN that is none", POOL_ARN, Some(json!(POOL)), OtherPool),
        ("R03 another region", "sub", Some(json!(GUEST.replace("us-east-1", "eu-west-1"))), IdentityRefused),
        ("R05 the pool itself", "sub", Some(json!(POOL)), IdentityRefused),
        ("no identity", "sub", None, IdentityRefused),
        ("not an identity", "sub", Some(json!("7f3c0f6e-0001-4000-8000-000000000001")), IdentityRefused),
        ("upper case", "sub", Some(json!(GUEST.to_uppercase())), IdentityRefused),
        ("a key's separator", "sub", Some(json!(format!("{GUEST}#x"))), IdentityRefused),
        ("R08 a user", "amr", Some(json!(user)), Registered),
        ("R08 a user alone", "amr", Some(json!(["authenticated"])), Registered),
        ("R08 a user first", "amr", Some(json!(["authenticated", "unauthenticated"])), Registered),
        ("R08 a user last", "amr", Some(json!(["unauthenticated", "authenticated"])), Registered),
        ("R08 in capitals", "amr", Some(json!(["Authenticated"])), MethodsRefused),
        ("a guest with a provider", "amr", Some(json!(["unauthenticated", "x.example"])), MethodsRefused),
        ("a guest twice", "amr", Some(json!(["unauthenticated", "unauthenticated"])), MethodsRefused),
        ("a guest in capitals", "amr", Some(json!(["Unauthenticated"])), MethodsRefused),
        ("a text", "amr", Some(json!("unauthenticated")), MethodsRefused),
        ("nothing", "amr", Some(json!([])), MethodsRefused),
        ("a number", "amr", Some(json!([1])), MethodsRefused),
        ("not said", "amr", None, MethodsRefused),
    ];
    for (name, claim, value, expected) in table {
        assert_eq!(check(&sign(&KEY, &with(claim, value))), Err(expected), "{name}");
    }
}

#[test]
fn a_proof_is_young() {
    let at = |issued: u64, expires: u64| json!([issued, expires]);
    let times = Token(Refusal::TimesRefused);
    let (expired, early) = (Token(Refusal::Expired), Token(Refusal::NotYetValid));
    let table = [
        ("just issued", at(NOW, NOW + 600), None),
        ("in its last second", at(NOW - 599, NOW + 1), None),
        ("at its end", at(NOW - 599, NOW), Some(expired)),
        ("almost too old", at(NOW - 599, NOW + 3_600), None),
        ("too old", at(NOW - 600, NOW + 3_600), Some(TooOld)),
        ("too old and over", at(NOW - 600, NOW), Some(expired)),
        ("a clock that is ahead", at(NOW + 60, NOW + 600), None),
        ("from the future", at(NOW + 61, NOW + 600), Some(early)),
        ("ends before it begins", at(NOW + 10, NOW + 10), Some(times)),
        ("more than a day", at(NOW - 1, NOW + 86_400), Some(times)),
        ("the largest number", at(NOW, u64::MAX), Some(times)),
    ];
    for (name, times, expected) in table {
        let mut claims = guest();
        (claims["iat"], claims["exp"]) = (times[0].clone(), times[1].clone());
        assert_eq!(check(&sign(&KEY, &claims)).err(), expected, "{name}");
    }
    let odd = [json!(1.5), json!(-1), json!("1800000000"), json!(null), json!([1]), json!(1.8e9)];
    for (claim, value) in ["iat", "exp", "nbf"].iter().flat_map(|claim| odd.iter().map(move |value| (claim, value))) {
        assert_eq!(check(&sign(&KEY, &with(claim, Some(value.clone())))), Err(times), "{claim} {value}");
    }
    for claim in ["iat", "exp"] {
        assert_eq!(check(&sign(&KEY, &with(claim, None))), Err(times), "no {claim}");
    }
    assert_eq!(check(&sign(&KEY, &with("nbf", Some(json!(NOW + 61))))), Err(early));
}

#[test]
fn a_forged_or_broken_token_proves_nothing() {
    let good = sign(&KEY, &guest());
    let bad_signature = Token(Refusal::SignatureBad);
    assert_eq!(check(&sign(&ANOTHER, &guest())), Err(bad_signature), "another's key");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other = sign(&KEY, &with("sub", Some(json!(GUEST.replace('6', "7")))));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(check(&swapped), Err(bad_signature), "another guest's claims");
    let malformed = Token(Refusal::Malformed);
    for text in ["", "x", head, &format!("{good}="), &format!("{good}.x"), &format!(" {good}"), &format!("{head}.")] {
        assert_eq!(check(text), Err(malformed), "{text}");
    }
    let large = with("x", Some(json!("x".repeat(MAX_TOKEN_BYTES))));
    assert_eq!(check(&sign(&KEY, &large)), Err(Token(Refusal::TooLarge)));
    // A pool's claims under somebody else's keys, and keys read in another way.
    let proof = UnverifiedProof::parse(&good).unwrap();
    assert_eq!(proof.key_id(), "us-east-12", "the key that is fetched");
    let issuer = Err(Token(Refusal::IssuerRefused));
    assert_eq!(prove(&rules(), &proof, &keys("https://keys.example"), NOW), issuer);
}

#[test]
fn an_ended_token_still_says_whose_it_was() {
    let table = [
        ("an old one", with("exp", Some(json!(1))), Ok(GUEST)),
        ("a user's", with("amr", Some(json!(["authenticated"]))), Ok(GUEST)),
        ("of another region", with("sub", Some(json!(GUEST.replace("us-", "eu-")))), Err(IdentityRefused)),
        ("the pool's own id", with("sub", Some(json!(POOL))), Err(IdentityRefused)),
        ("nobody's", with("sub", Some(json!(1))), Err(IdentityRefused)),
    ];
    for (name, claims, expected) in table {
        let token = sign(&ANOTHER, &claims);
        let identity = UnverifiedProof::parse(&token).unwrap().identity(&pool());
        assert_eq!(
            identity.as_ref().map(|identity| identity.to_look_up().as_str()),
            expected.as_ref().copied(),
            "{name}"
        );
    }
    assert_eq!(UnverifiedIdentity::parse(&pool(), POOL), Err(IdentityRefused), "R05");
    assert_eq!(UnverifiedIdentity::parse(&pool(), &GUEST.replace("us-", "eu-")), Err(IdentityRefused), "R03");
    assert_eq!(UnverifiedIdentity::parse(&pool(), GUEST).unwrap().to_look_up().as_str(), GUEST);
}

fn written(data: &str, ends_at: Option<u64>) -> Option<Written<'_>> {
    Some(Written { data: Some(data), ends_at })
}

#[test]
fn a_guest_gives_himself_to_the_user_that_he_names() {
    let ann = "7f3c0f6e-0001-4000-8000-000000000001";
    let (caller, identity) = (Subject::parse(ann).unwrap(), UnverifiedIdentity::parse(&pool(), GUEST).unwrap());
    let (bob, upper, longer) = (ann.replace('7', "8"), ann.to_uppercase(), format!("{ann} "));
    let table = [
        ("for the caller", written(ann, None), Ok(GUEST)),
        ("with an end", written(ann, Some(NOW + 1)), Ok(GUEST)),
        ("ended", written(ann, Some(NOW)), Err(NotWritten)),
        ("for another", written(&bob, None), Err(NamesAnotherUser)),
        ("in capitals", written(&upper, None), Err(NamesAnotherUser)),
        ("with a blank", written(&longer, None), Err(NamesAnotherUser)),
        ("for nobody", written("", None), Err(NamesAnotherUser)),
        ("for everybody", written("*", None), Err(NamesAnotherUser)),
        ("not a text", Some(Written { data: None, ends_at: None }), Err(NotWritten)),
        ("not written", None, Err(NotWritten)),
    ];
    for (name, record, expected) in table {
        let outcome = check_grant(&identity, record, &caller, NOW);
        assert_eq!(outcome.as_ref().map(|guest| guest.identity().as_str()), expected.as_ref().copied(), "{name}");
    }
}

#[test]
fn a_guest_registers_the_secret_whose_hash_he_has_written() {
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let secret = ClaimSecret::parse(text.to_owned()).unwrap();
    let identity = UnverifiedIdentity::parse(&pool(), GUEST).unwrap();
    let hash = secret.hash().to_hex();
    let (upper, other) = (hash.to_uppercase(), "0".repeat(64));
    let table = [
        ("its hash", written(&hash, None), Ok(GUEST)),
        ("its hash, ended", written(&hash, Some(NOW)), Err(NotWritten)),
        ("its hash in capitals", written(&upper, None), Err(NamesAnotherSecret)),
        ("another hash", written(&other, None), Err(NamesAnotherSecret)),
        ("the secret itself", written(text, None), Err(NamesAnotherSecret)),
        ("nothing", written("", None), Err(NamesAnotherSecret)),
        ("not a text", Some(Written { data: None, ends_at: None }), Err(NotWritten)),
        ("not written", None, Err(NotWritten)),
    ];
    for (name, record, expected) in table {
        let outcome = check_claim(&identity, record, &secret, NOW);
        assert_eq!(outcome.as_ref().map(|guest| guest.identity().as_str()), expected.as_ref().copied(), "{name}");
    }
}
