//! The plain formats, for systems that no other format is for. Every member that
//! has no meaning of its own is an attribute.

use super::{Fields, Person};

/// The members with a meaning of their own that are no attributes.
const SPECIAL: [&str; 6] = ["id", "email_verified", "password_hash", "groups", "disabled", "must_reset"];

/// A line of CSV: `email_verified` is `true` or not, groups stand between semicolons.
pub(super) fn read_cells(fields: &Fields) -> Person {
    Person {
        email_verified: fields.says("email_verified", &["true"]),
        groups: fields.text("groups").map(|text| split(text).collect()).unwrap_or_default(),
        ..read(fields)
    }
}

/// A line of JSON: `email_verified` is JSON's `true` or not, groups are a list.
pub(super) fn read_object(fields: &Fields) -> Person {
    Person { email_verified: fields.is_true("email_verified"), groups: fields.texts("groups"), ..read(fields) }
}

fn read(fields: &Fields) -> Person {
    Person {
        id: fields.identifier("id"),
        email: fields.text("email").map(str::to_owned),
        user_name: fields.text("username").map(str::to_owned),
        attributes: fields.all_but(&SPECIAL),
        hash: fields.text("password_hash").map(str::to_owned),
        disabled: fields.is_set("disabled"),
        must_reset: fields.is_set("must_reset"),
        ..Person::default()
    }
}

/// The groups in one cell.
pub(super) fn split(text: &str) -> impl Iterator<Item = String> {
    text.split(';').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned)
}
