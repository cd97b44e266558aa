//! What is not written by this code is not believed.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use directory::Error;
use directory::testing::Database;

use crate::support::{NOW, Pool, address, provision_as, provision_verified, subject};

type Item = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.to_owned())
}

fn with(item: &Item, name: &str, value: Option<AttributeValue>) -> Item {
    let mut item = item.clone();
    item.remove(name);
    item.extend(value.map(|value| (name.to_owned(), value)));
    item
}

fn profile() -> Item {
    let entries = [
        ("pk", text("USER#ann")),
        ("sk", text("PROFILE")),
        ("subject", text("USER#ann")),
        ("created_at", number("1")),
        ("version", number("1")),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}

fn membership() -> Item {
    let entries = [
        ("pk", text("acme#members")),
        ("sk", text("ann")),
        ("subject", text("USER#ann")),
        ("tenant", text("acme")),
        ("roles", AttributeValue::Ss(vec!["member".to_owned()])),
        ("status", text("active")),
        ("created_at", number("1")),
        ("version", number("1")),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}

fn invitation() -> Item {
    let entries = [
        ("pk", text("acme#invitations")),
        ("sk", text("ann@acme.example")),
        ("subject", text("EMAIL#ann@acme.example")),
        ("tenant", text("acme")),
        ("expires_at", number(&(NOW + 1).to_string())),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}

fn arrival() -> Item {
    let place = [("tenant", text("beta")), ("roles", AttributeValue::Ss(vec!["admin".to_owned()]))];
    let place = AttributeValue::M(place.map(|(name, value)| (name.to_owned(), value)).into());
    let entries = [
        ("pk", text("LEGACY#7")),
        ("sk", text("ARRIVAL")),
        ("address", text("ann@acme.example")),
        ("memberships", AttributeValue::L(vec![place])),
        ("groups", AttributeValue::Ss(vec!["staff".to_owned()])),
        ("written_at", number("1")),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}

fn refused(error: &Error) -> Option<(&'static str, &'static str)> {
    match error {
        Error::Corrupt(corrupt) => Some((corrupt.kind, corrupt.attribute)),
        _ => None,
    }
}

#[tokio::test]
async fn a_person_with_an_item_of_the_wrong_shape_is_an_error() {
    let names = |names: &[&str]| AttributeValue::Ss(names.iter().map(|&name| name.to_owned()).collect());
    let table = [
        ("a profile as written", profile(), None),
        ("a membership as written", membership(), None),
        ("no roles", with(&membership(), "roles", None), None),
        ("a later attribute", with(&membership(), "note", Some(text("x"))), None),
        ("no status", with(&membership(), "status", None), Some(("membership", "status"))),
        ("another status", with(&membership(), "status", Some(text("Active"))), Some(("membership", "status"))),
        ("a role that is none", with(&membership(), "roles", Some(names(&["Admin"]))), Some(("membership", "roles"))),
        ("roles as text", with(&membership(), "roles", Some(text("admin"))), Some(("membership", "roles"))),
        (
            "another tenant than the key's",
            with(&membership(), "tenant", Some(text("beta"))),
            Some(("membership", "pk")),
        ),
        ("a tenant that is none", with(&membership(), "tenant", Some(text("Acme"))), Some(("membership", "tenant"))),
        ("another member", with(&membership(), "sk", Some(text("bob"))), Some(("membership", "subject"))),
        ("a version that is none", with(&membership(), "version", Some(number("-1"))), Some(("membership", "version"))),
        ("another kind", with(&membership(), "pk", Some(text("acme#owners"))), Some(("membership", "pk"))),
        ("a profile elsewhere", with(&profile(), "pk", Some(text("USER#bob"))), Some(("profile", "pk"))),
        ("a profile without version", with(&profile(), "version", None), Some(("profile", "version"))),
        (
            "a choice that is none",
            with(&profile(), "active_tenant", Some(text("A"))),
            Some(("profile", "active_tenant")),
        ),
        (
            "a choice of another type",
            with(&profile(), "active_tenant", Some(number("1"))),
            Some(("profile", "active_tenant")),
        ),
    ];
    for (name, item, expected) in table {
        let database = Database::start().await.unwrap();
        database.put(item).await.unwrap();
        let person = database.directory().person(&subject("ann")).await;
        assert_eq!(person.as_ref().err().and_then(refused), expected, "{name}");
        assert_eq!(person.is_ok(), expected.is_none(), "{name}");
    }
}

#[tokio::test]
async fn an_invitation_of_the_wrong_shape_lets_nobody_in() {
    let table = [
        ("as written", invitation(), Ok(true)),
        (
            "for another tenant than the key's",
            with(&invitation(), "tenant", Some(text("beta"))),
            Err(Some(("invitation", "pk"))),
        ),
        ("no tenant", with(&invitation(), "tenant", None), Err(Some(("invitation", "tenant")))),
        (
            "for another address",
            with(&invitation(), "sk", Some(text("bob@acme.example"))),
            Err(Some(("invitation", "sk"))),
        ),
        ("without a time it counts for nothing", with(&invitation(), "expires_at", None), Ok(false)),
        ("a time as text counts for nothing", with(&invitation(), "expires_at", Some(text("9999999999"))), Ok(false)),
    ];
    for (name, item, expected) in table {
        let database = Database::start().await.unwrap();
        let invited = item.clone();
        database.put(item).await.unwrap();
        let answer = database.directory().is_invited(&address("ann@acme.example"), NOW).await;
        assert_eq!(answer.map_err(|error| refused(&error)), expected, "{name}");
        if expected.is_err() {
            provision_verified(&database.directory(), "ann", "ann@acme.example").await.unwrap_err();
            assert_eq!(database.items().await.unwrap(), [invited], "{name}: nothing was written");
        }
    }
}

#[tokio::test]
async fn an_arrival_of_the_wrong_shape_gives_nothing() {
    let place = |entries: &[(&str, AttributeValue)]| {
        AttributeValue::M(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let places = |list: &[AttributeValue]| with(&arrival(), "memberships", Some(AttributeValue::L(list.to_vec())));
    let beta = place(&[("tenant", text("beta"))]);
    let many: Vec<_> = (0..51).map(|number| place(&[("tenant", text(&format!("t{number}")))])).collect();
    let wrong = |attribute| Some(("arrival", attribute));
    let table = [
        ("as written", arrival(), None),
        ("no groups", with(&arrival(), "groups", None), None),
        ("a place without roles", places(std::slice::from_ref(&beta)), None),
        ("a later attribute", with(&arrival(), "note", Some(text("x"))), None),
        ("no places at all", with(&arrival(), "memberships", None), wrong("memberships")),
        ("places as text", with(&arrival(), "memberships", Some(text("beta"))), wrong("memberships")),
        ("a place as text", places(&[text("beta")]), wrong("memberships")),
        ("a tenant that is none", places(&[place(&[("tenant", text("Beta"))])]), wrong("tenant")),
        ("a tenant twice", places(&[beta.clone(), beta.clone()]), wrong("tenant")),
        ("more than fits", places(&many), wrong("content")),
        ("roles as text", places(&[place(&[("tenant", text("beta")), ("roles", text("admin"))])]), wrong("roles")),
        ("groups as text", with(&arrival(), "groups", Some(text("staff"))), wrong("groups")),
        (
            "a group that is none",
            with(&arrival(), "groups", Some(AttributeValue::Ss(vec!["a b".to_owned()]))),
            wrong("content"),
        ),
        ("no address", with(&arrival(), "address", None), wrong("address")),
        ("an empty address", with(&arrival(), "address", Some(text(""))), wrong("content")),
        ("no time", with(&arrival(), "written_at", None), wrong("written_at")),
    ];
    for (name, item, expected) in table {
        let database = Database::start().await.unwrap();
        let brought = item.clone();
        database.put(item).await.unwrap();
        let pool = Pool::default();
        let attributes = [("sub", "ann"), ("email", "ann@acme.example"), ("custom:legacy_id", "7")];
        let profile = provision_as(&database.directory(), &pool, "ann", attributes).await.profile;
        assert_eq!(profile.as_ref().err().and_then(refused), expected, "{name}");
        assert_eq!(profile.is_ok(), expected.is_none(), "{name}");
        if expected.is_some() {
            assert_eq!(database.items().await.unwrap(), [brought], "{name}: nothing was written");
            assert!(pool.members().is_empty(), "{name}");
        }
    }
}
