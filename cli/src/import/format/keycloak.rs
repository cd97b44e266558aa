//! Keycloak: a realm export with its users, or the file of users that an export
//! to a folder makes (<https://www.keycloak.org/server/importExport>).
//!
//! A credential is two JSON texts, `secretData` and `credentialData`; exports of
//! before version 8 have their members in the credential itself. Keycloak's
//! hash providers say what they mean
//! (<https://github.com/keycloak/keycloak/tree/main/server-spi-private/src/main/java/org/keycloak/credential/hash>).

use super::{Fields, Person, Rejection};

pub(super) fn read(fields: &Fields) -> Result<Person, Rejection> {
    if fields.text("serviceAccountClientId").is_some() || fields.text("serviceAccountClientLink").is_some() {
        return Err(Rejection::NotAPerson);
    }
    let credentials = fields.objects("credentials");
    let password = credentials.iter().find(|credential| credential.text("type") == Some("password"));
    let mut attributes = fields.only(&["username", "email", "firstName", "lastName"]);
    attributes.extend(fields.below("attributes"));
    Ok(Person {
        id: fields.identifier("id"),
        email: fields.text("email").map(str::to_owned),
        user_name: fields.text("username").map(str::to_owned),
        attributes,
        email_verified: fields.is_true("emailVerified"),
        hash: password.map(hash).transpose()?,
        groups: groups(fields),
        disabled: !fields.is_true("enabled"),
        must_reset: password.is_some_and(|password| password.is_set("temporary"))
            || fields.texts("requiredActions").iter().any(|action| action == "UPDATE_PASSWORD"),
    })
}

/// Realm roles as they are, groups by their path (`/staff/editors`), client
/// roles as `<client>/<role>`.
fn groups(fields: &Fields) -> Vec<String> {
    let mut groups = [fields.texts("realmRoles"), fields.texts("groups")].concat();
    for (client, roles) in fields.object("clientRoles").iter().flat_map(Fields::members) {
        groups.extend(super::super::fields::texts(Some(roles)).into_iter().map(|role| format!("{client}/{role}")));
    }
    groups
}

/// The credential in a form that `shared::password` reads.
fn hash(credential: &Fields) -> Result<String, Rejection> {
    let (algorithm, iterations, salt, value, more) = match credential.object_in_text("secretData") {
        Some(secret) => {
            let data = credential.object_in_text("credentialData").ok_or(Rejection::CredentialUnreadable)?;
            let algorithm = data.text("algorithm").map(str::to_owned);
            let texts = (secret.text("salt").map(unpadded), secret.text("value").map(unpadded));
            (algorithm, data.identifier("hashIterations"), texts.0, texts.1, data.object("additionalParameters"))
        }
        None => {
            let algorithm = credential.text("algorithm").map(str::to_owned);
            let texts = (credential.text("salt").map(unpadded), credential.text("hashedSaltedValue").map(unpadded));
            (algorithm, credential.identifier("hashIterations"), texts.0, texts.1, None)
        }
    };
    let unreadable = Rejection::CredentialUnreadable;
    let (iterations, salt, value) = (iterations.ok_or(unreadable)?, salt.ok_or(unreadable)?, value.ok_or(unreadable)?);
    let name = match algorithm.as_deref().ok_or(unreadable)? {
        // Keycloak's plain "pbkdf2" is the one with SHA-1.
        "pbkdf2" => "pbkdf2-sha1",
        "pbkdf2-sha256" => "pbkdf2-sha256",
        "pbkdf2-sha512" => "pbkdf2-sha512",
        "argon2" => return argon2(&more.ok_or(unreadable)?, &iterations, &salt, &value).ok_or(unreadable),
        _ => return Err(Rejection::CredentialUnknown),
    };
    Ok(format!("${name}$i={iterations}${salt}${value}"))
}

/// Parameters are lists with one text each, as in `"memory": ["7168"]`.
fn argon2(parameters: &Fields, iterations: &str, salt: &str, value: &str) -> Option<String> {
    let one = |name: &str| parameters.texts(name).into_iter().next();
    let version = match one("version")?.as_str() {
        "1.3" => "19",
        "1.0" => "16",
        _ => return None,
    };
    let (kind, memory, lanes) = (one("type")?, one("memory")?, one("parallelism")?);
    Some(format!("$argon2{kind}$v={version}$m={memory},t={iterations},p={lanes}${salt}${value}"))
}

/// PHC strings leave the padding of base64 out.
fn unpadded(text: &str) -> String {
    text.trim_end_matches('=').to_owned()
}
