//! Each format by a sample of it: what becomes of every row.

use std::path::PathBuf;

use serde_json::{Value, json};
use shared::password::{self, Check as Verdict, Keys, Kind, Password, StoredHash};

use super::*;
use crate::import::rejection::Rejection;

const PASSWORD: &str = "correct horse battery staple";

/// What becomes of a row: its names and record, or why it is left out.
type Found = (u64, Result<(Vec<String>, Value), Rejection>);

/// What should: the row, the password that its hash takes, names and record.
type Expected<'a> = (u64, Option<&'a str>, Result<(&'a [&'a str], Value), Rejection>);

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

/// Reads a sample as an import does.
fn rows(reader: Reader, format: Format, sign_in: &[SignIn], name: &str) -> Vec<Found> {
    let check = Check { reader, sign_in: sign_in.to_vec(), permitted: Permitted::All };
    let (mut survey, mut rows) = (Survey::default(), Vec::new());
    source::read(&sample(name), format.layout(), &mut |row| {
        if let Ok(keys) = check.keys(row.fields.as_ref()) {
            survey.note(row.number, &keys);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let survey = survey.finish();
    source::read(&sample(name), format.layout(), &mut |row| {
        let user = check.row(&row, &survey);
        let user = user.map(|user| (user.entry.keys.names, serde_json::from_str(&user.entry.record).unwrap()));
        rows.push((row.number, user));
        ControlFlow::Continue(())
    })
    .unwrap();
    rows
}

/// Compares a sample with a table. A hash is compared by the password that it
/// takes and is then left out of the record.
fn compare(found: Vec<Found>, keys: &Keys, expected: &[Expected<'_>]) {
    let kinds = [Kind::Bcrypt, Kind::Argon2, Kind::Scrypt, Kind::FirebaseScrypt, Kind::Pbkdf2, Kind::Digest];
    let rules = password::HashRules { kinds: kinds.to_vec(), decoy: "digest".to_owned(), bcrypt_truncates: false };
    assert_eq!(found.len(), expected.len());
    for ((row, user), (expected_row, password, expected_user)) in found.into_iter().zip(expected) {
        assert_eq!(row, *expected_row);
        let user = user.map(|(names, mut record)| {
            let hash = record.as_object_mut().unwrap().remove("hash");
            assert_eq!(hash.is_some(), password.is_some(), "row {row} has a hash");
            for (hash, password) in hash.iter().zip(password) {
                let stored = StoredHash::read(hash.as_str().unwrap()).map_err(|error| error.code()).unwrap();
                let check = |text: &str| stored.check(&rules, keys, &Password::new(text.to_owned()));
                assert!(matches!(check(password), Verdict::Right | Verdict::RightButWeak), "row {row}");
                assert_eq!(check("Tr0ub4dor&3"), Verdict::Wrong, "row {row}");
            }
            (names, record)
        });
        let expected = expected_user.clone();
        let expected = expected.map(|(names, record)| (names.iter().map(ToString::to_string).collect(), record));
        assert_eq!(user, expected, "row {row}");
    }
}

fn malformed() -> Rejection {
    Rejection::Hash(password::HashError::Malformed)
}

#[test]
fn auth0() {
    let found = rows(Reader::Other(Format::Auth0), Format::Auth0, &[SignIn::Email], "auth0.ndjson");
    let ann = json!({
        "id": "auth0|5dea9f9c82dd7c0e76e4ec93", "attributes": {"email": "Ann@example.com"},
        "email_verified": true, "disabled": false, "must_reset": false,
    });
    let bob = json!({
        "id": "auth0|euclid", "attributes": {"email": "bob@example.com"},
        "email_verified": false, "disabled": false, "must_reset": false,
    });
    let cara = json!({
        "id": "auth0|5dea9f9c82dd7c0e76e4ec95", "attributes": {"email": "cara@example.com", "username": "cara"},
        "email_verified": true, "disabled": false, "must_reset": false,
    });
    // What a user may write himself makes no groups; "true" is not true.
    let dora = json!({
        "id": "auth0|dora",
        "attributes": {
            "email": "dora@example.com", "name": "Dora", "user_metadata.locale": "de",
            "user_metadata.groups": "acme:admin", "app_metadata.plan": "pro", "app_metadata.roles": "editor",
        },
        "email_verified": false, "groups": ["acme:member", "editor"], "disabled": true, "must_reset": true,
    });
    let expected = [
        (1, Some(PASSWORD), Ok((["ann@example.com"].as_slice(), ann))),
        (2, Some(PASSWORD), Ok((&["bob@example.com"], bob))),
        (3, Some(PASSWORD), Ok((&["cara@example.com"], cara))),
        (4, None, Ok((&["dora@example.com"], dora))),
        (5, None, Err(malformed())),
        (6, None, Err(Rejection::Unreadable)),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn firebase() {
    let text = fs::read_to_string(sample("firebase-hash.txt")).unwrap();
    let parameters = HashParameters::read(&text).unwrap();
    let found = rows(Reader::Firebase(parameters), Format::Firebase, &[SignIn::Email], "firebase.json");
    let ann = json!({
        "id": "aB1",
        "attributes": {
            "email": "ann@example.com", "displayName": "Ann", "phoneNumber": "+15550100",
            "customAttributes.admin": "true", "customAttributes.plan": "pro", "customAttributes.roles": "editor",
        },
        "email_verified": true, "groups": ["admin=true", "plan=pro", "roles=editor", "roles=writer"],
        "disabled": false, "must_reset": false,
    });
    let bob = json!({
        "id": "aB2", "attributes": {"email": "bob@example.com"},
        "email_verified": false, "disabled": true, "must_reset": true,
    });
    let expected = [
        // The test vector of https://github.com/firebase/scrypt
        (1, Some("user1password"), Ok((["ann@example.com"].as_slice(), ann))),
        (2, None, Ok((&["bob@example.com"], bob))),
        (3, None, Err(Rejection::NameMissing)),
        (4, None, Err(malformed())),
    ];
    let signer = text.lines().find_map(|line| line.trim().strip_prefix("base64_signer_key:")).unwrap();
    compare(found, &Keys::with_firebase_signer(signer.trim_end_matches(',')).unwrap(), &expected);
}

#[test]
fn hash_parameters_of_firebase_are_read_as_the_console_shows_them() {
    let shown = "hash_config {\n algorithm: SCRYPT,\n base64_signer_key: c2VjcmV0,\n base64_salt_separator: Bw==,\n rounds: 8,\n mem_cost: 14,\n}";
    let json = r#"{"algorithm":"SCRYPT","base64_salt_separator":"Bw==","rounds":8,"mem_cost":14}"#;
    let table = [
        (shown.to_owned(), true),
        (json.to_owned(), true),
        (shown.replace("SCRYPT", "HMAC_SHA256"), false),
        (shown.replace("rounds", "turns"), false),
        (shown.replace("Bw==", "%"), false),
        (shown.replace("14", "fourteen"), false),
        (String::new(), false),
    ];
    for (text, expected) in table {
        let parameters = HashParameters::read(&text);
        assert_eq!(parameters.is_some(), expected, "{text}");
        assert!(!format!("{parameters:?}").contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn keycloak() {
    let sign_in = [SignIn::Username, SignIn::Email];
    let found = rows(Reader::Other(Format::Keycloak), Format::Keycloak, &sign_in, "keycloak.json");
    let ann = json!({
        "id": "k-1",
        "attributes": {
            "username": "ann", "email": "ann@example.com", "firstName": "Ann", "lastName": "Archer",
            "attributes.locale": "de", "attributes.plan": "pro",
        },
        "email_verified": true,
        "groups": ["default-roles-example", "editor", "/staff/editors", "shop/buyer"],
        "disabled": false, "must_reset": false,
    });
    let bob = json!({
        "id": "k-2", "attributes": {"username": "bob", "email": "bob@example.com"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let cara = json!({
        "id": "k-3", "attributes": {"username": "cara"},
        "email_verified": true, "disabled": false, "must_reset": false,
    });
    let dora = json!({
        "id": "k-4", "attributes": {"username": "dora", "email": "dora@example.com"},
        "email_verified": true, "disabled": true, "must_reset": true,
    });
    let gus = json!({
        "id": "k-8", "attributes": {"username": "gus", "email": "gus@example.com"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let expected = [
        (1, Some(PASSWORD), Ok((["ann", "ann@example.com"].as_slice(), ann))),
        (2, Some(PASSWORD), Ok((&["bob", "bob@example.com"], bob))),
        // A test vector of https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c
        (3, Some("password"), Ok((&["cara"], cara))),
        (4, Some(PASSWORD), Ok((&["dora", "dora@example.com"], dora))),
        (5, None, Err(Rejection::NotAPerson)),
        (6, None, Err(Rejection::CredentialUnknown)),
        (7, None, Err(Rejection::CredentialUnreadable)),
        (8, None, Ok((&["gus", "gus@example.com"], gus))),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn django() {
    let sign_in = [SignIn::Email, SignIn::Username];
    let found = rows(Reader::Other(Format::Django), Format::Django, &sign_in, "django.csv");
    let ann = json!({
        "id": "1",
        "attributes": {
            "username": "ann", "email": "ann@example.com", "first_name": "Ann", "last_name": "Archer, the elder",
        },
        "email_verified": false, "groups": ["is_staff"], "disabled": false, "must_reset": false,
    });
    let bob = json!({
        "id": "2", "attributes": {"username": "bob", "email": "bob@example.com", "first_name": "Bob"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let cara = json!({
        "id": "3", "attributes": {"username": "cara", "email": "cara@example.com"},
        "email_verified": false, "disabled": true, "must_reset": false,
    });
    let emil = json!({
        "id": "5", "attributes": {"username": "emil"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let bob_names: &[&str] = &["bob@example.com", "bob"];
    let found_kinds: Vec<_> = found.iter().map(|(row, user)| (*row, user.is_ok())).collect();
    assert_eq!(found_kinds, [(2, true), (3, true), (4, true), (5, false), (6, true)]);
    // Django's bcrypt_sha256 hashes a digest of the password, in hexadecimal.
    let expected = [
        (2, Some(PASSWORD), Ok((["ann@example.com", "ann"].as_slice(), ann))),
        (3, None, Ok((bob_names, bob))),
        (4, Some(PASSWORD), Ok((&["cara@example.com", "cara"], cara))),
        (5, None, Err(Rejection::Hash(password::HashError::UnknownKind))),
        (6, None, Ok((&["emil"], emil))),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn cognito() {
    let sign_in = [SignIn::Email, SignIn::Username];
    let found = rows(Reader::Other(Format::Cognito), Format::Cognito, &sign_in, "cognito.csv");
    let ann = json!({
        "id": "ann",
        "attributes": {
            "cognito:username": "ann", "name": "Ann Archer", "given_name": "Ann", "family_name": "Archer",
            "email": "ann@example.com", "phone_number": "+15550100", "custom:plan": "pro",
        },
        "email_verified": true, "disabled": false, "must_reset": true,
    });
    let bob = json!({
        "id": "bob", "attributes": {"cognito:username": "bob", "email": "bob@example.com"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let cara = json!({
        "id": "cara", "attributes": {"cognito:username": "cara", "email": "cara@example.com"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let expected = [
        (2, None, Ok((["ann@example.com", "ann"].as_slice(), ann))),
        (3, None, Ok((&["bob@example.com", "bob"], bob))),
        (4, None, Ok((&["cara@example.com", "cara"], cara))),
        (5, None, Err(Rejection::Unreadable)),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn plain_csv() {
    let found = rows(Reader::Other(Format::Csv), Format::Csv, &[SignIn::Email], "plain.csv");
    let ann = json!({
        "id": "7", "attributes": {"email": "ann@example.com", "username": "ann", "given_name": "Ann"},
        "email_verified": true, "groups": ["acme:admin", "staff"], "disabled": false, "must_reset": false,
    });
    let cara = json!({
        "id": "9", "attributes": {"email": "cara@example.com", "username": "cara"},
        "email_verified": false, "disabled": false, "must_reset": true,
    });
    let expected = [
        (2, Some(PASSWORD), Ok((["ann@example.com"].as_slice(), ann))),
        (3, None, Err(Rejection::NameShared(7))),
        (4, None, Ok((&["cara@example.com"], cara))),
        (5, None, Err(Rejection::IdMissing)),
        (6, None, Err(Rejection::IdUnusable)),
        (7, None, Err(Rejection::NameShared(3))),
        (8, None, Err(Rejection::NameMissing)),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn plain_ndjson() {
    let found = rows(Reader::Other(Format::Ndjson), Format::Ndjson, &[SignIn::Email], "plain.ndjson");
    let ann = json!({
        "id": "7", "attributes": {"email": "ann@example.com", "given_name": "Ann", "logins": "12"},
        "email_verified": true, "groups": ["acme:admin", "staff"], "disabled": false, "must_reset": false,
    });
    // A flag that guards and is not understood is set.
    let bob = json!({
        "id": "8", "attributes": {"email": "bob@example.com"},
        "email_verified": false, "disabled": true, "must_reset": true,
    });
    let expected = [
        (1, Some(PASSWORD), Ok((["ann@example.com"].as_slice(), ann))),
        (3, None, Ok((&["bob@example.com"], bob))),
        (4, None, Err(Rejection::Unreadable)),
    ];
    compare(found, &Keys::default(), &expected);
}

#[test]
fn a_rule_file_keeps_other_hashes_out() {
    let bcrypt = "$2b$08$abcdefghijklmnopqrstuukS31SNuNEoGSYTPCfyZV8d2iX4qVmTa";
    let listed = |kind, decoy: &str| {
        Permitted::Listed(password::HashRules { kinds: vec![kind], decoy: decoy.to_owned(), bcrypt_truncates: false })
    };
    let digest = "{SSHA}2gXBqbmV5b4WfDtlP3WDBp8nCmUyMzQ1Njc4";
    let not_allowed = Err("HashKindNotAllowed");
    let table = [
        ("bcrypt, all", bcrypt, Permitted::All, Ok("bcrypt:8")),
        ("bcrypt, listed", bcrypt, listed(Kind::Bcrypt, "bcrypt:10"), Ok("bcrypt:8")),
        ("bcrypt, another listed", bcrypt, listed(Kind::Digest, "digest"), not_allowed),
        ("a digest, another listed", digest, listed(Kind::Bcrypt, "bcrypt:10"), not_allowed),
        (
            "a cost bomb",
            "$pbkdf2-sha256$i=2147483647$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            Permitted::All,
            Err("HashTooCostly"),
        ),
        ("digits alone", "5f4dcc3b5aa765d61d8327deb882cf99", Permitted::All, Err("HashUnknownKind")),
    ];
    for (name, text, permitted, expected) in table {
        let found = hashes::read(text, &permitted).map(|hash| hash.cost);
        assert_eq!(found.as_deref().map_err(|rejection| rejection.code()), expected, "{name}");
    }
}
