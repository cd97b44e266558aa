//! Auth0: NDJSON, one user a line.
//!
//! Two files have this form. The export of password hashes, which Auth0's
//! support makes, names users by `_id` or `alt_id` and holds `passwordHash`
//! (<https://support.auth0.com/center/s/article/How-to-Use-the-Password-Hashes-Export-from-Auth0>).
//! The export of users by a job of the Management API holds `user_id` and no
//! passwords
//! (<https://auth0.com/docs/manage-users/user-migration/bulk-user-exports>).

use super::{Fields, Person};

/// What is carried over beside both kinds of metadata.
const ATTRIBUTES: [&str; 8] =
    ["email", "username", "phone_number", "name", "given_name", "family_name", "nickname", "picture"];

pub(super) fn read(fields: &Fields) -> Person {
    let address = identifier_of(fields, "email");
    let user_name = identifier_of(fields, "username");
    let mut attributes = fields.only(&ATTRIBUTES);
    for (name, identifier) in [("email", &address), ("username", &user_name)] {
        let text = identifier.as_ref().and_then(|identifier| identifier.text("value"));
        if let (None, Some(text)) = (attributes.get(name), text) {
            attributes.insert(name.to_owned(), text.to_owned());
        }
    }
    let verified_beside =
        fields.text("email").is_none() && address.as_ref().is_some_and(|address| address.is_true("verified"));
    attributes.extend(fields.below("user_metadata"));
    attributes.extend(fields.below("app_metadata"));
    Person {
        id: id(fields),
        email: attributes.get("email").cloned(),
        user_name: attributes.get("username").cloned(),
        attributes,
        email_verified: fields.is_true("email_verified") || verified_beside,
        hash: fields.text("passwordHash").map(str::to_owned),
        groups: groups(fields),
        disabled: fields.is_set("blocked"),
        must_reset: false,
    }
}

/// As Auth0's own tokens say it: `auth0|<id>`.
fn id(fields: &Fields) -> Option<String> {
    let own = || fields.identifier("alt_id").or_else(|| fields.object("_id")?.identifier("$oid"));
    fields.identifier("user_id").or_else(|| Some(format!("auth0|{}", own()?)))
}

/// Some users have their address and name in a list only.
fn identifier_of(fields: &Fields, kind: &str) -> Option<Fields> {
    fields.objects("identifiers").into_iter().find(|identifier| identifier.text("type") == Some(kind))
}

/// Only from `app_metadata`: users may write their `user_metadata`.
fn groups(fields: &Fields) -> Vec<String> {
    let Some(metadata) = fields.object("app_metadata") else { return Vec::new() };
    let places = [metadata.object("authorization"), Some(metadata)];
    let lists = places.iter().flatten().flat_map(|place| [place.texts("groups"), place.texts("roles")]);
    let mut groups: Vec<String> = lists.flatten().collect();
    groups.sort();
    groups.dedup();
    groups
}
