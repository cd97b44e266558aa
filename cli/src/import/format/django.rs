//! Django: the table `auth_user` as CSV, such as psql writes it:
//! `\copy (select … from auth_user) to 'users.csv' csv header`
//! (<https://docs.djangoproject.com/en/stable/ref/contrib/auth/>).

use super::{Fields, Person};

/// What databases write for true: psql `t`, others `1`, dumps by Django `True`.
const TRUE: [&str; 4] = ["t", "true", "True", "1"];

/// The columns that are no attributes.
const SPECIAL: [&str; 7] = ["id", "password", "is_active", "is_staff", "is_superuser", "email_verified", "groups"];

pub(super) fn read(fields: &Fields) -> Person {
    let flags = ["is_staff", "is_superuser"].into_iter().filter(|flag| fields.says(flag, &TRUE));
    let mut groups: Vec<String> = flags.map(str::to_owned).collect();
    groups.extend(fields.text("groups").into_iter().flat_map(super::plain::split));
    Person {
        id: fields.text("id").map(str::to_owned),
        email: fields.text("email").map(str::to_owned),
        user_name: fields.text("username").map(str::to_owned),
        attributes: fields.all_but(&SPECIAL),
        // No column of Django's own: an operator joins it from where it is kept.
        email_verified: fields.says("email_verified", &["t", "true"]),
        // Django's mark of a password that nobody can enter.
        hash: fields.text("password").filter(|hash| !hash.starts_with('!')).map(str::to_owned),
        groups,
        disabled: !fields.says("is_active", &TRUE),
        must_reset: false,
    }
}
