//! What the function is told at start.

use shared::address::web::is_safe_for_secrets;
use shared::migration::{MigrationRules, Store};
use shared::password::Kind;
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// How users are moved in.
    pub rules: MigrationRules,
    /// Where the old system is.
    pub old_system: OldSystem,
    /// The table that counts attempts.
    pub attempts_table: String,
    /// The directory table, where rights wait for the first token.
    pub directory_table: String,
    /// The secret that holds the keys of the old system, if any is needed.
    pub secret_arn: Option<String>,
}

/// Where the old system is: what belongs to the store of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldSystem {
    /// The table of exported users.
    Table {
        /// Its name.
        name: String,
    },
    /// Another user pool.
    Pool {
        /// The pool's id, which begins with its region.
        id: String,
        /// The app client that this function signs in with.
        client_id: String,
    },
    /// The old system's endpoint.
    Endpoint {
        /// Its address.
        url: String,
    },
}

/// The settings of each store. One of a store that the rules do not name shows
/// that template and rules disagree.
const OF_STORES: [(Store, &[&str]); 3] = [
    (Store::Table, &["LEGACY_USERS_TABLE"]),
    (Store::Pool, &["OLD_USER_POOL_ID", "OLD_CLIENT_ID"]),
    (Store::Endpoint, &["ENDPOINT_URL"]),
];

impl Settings {
    /// Reads the settings and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, shell::rules(lookup)?.migration)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: Option<MigrationRules>) -> Result<Self, SettingError> {
        let nobody = || SettingError::new("RULES_FILE", "moves nobody in; set migration.store or remove this function");
        let rules = rules.ok_or_else(nobody)?;
        let old_system = match rules.store {
            Store::None => return Err(nobody()),
            Store::Table => OldSystem::Table { name: SettingError::required(lookup, "LEGACY_USERS_TABLE")? },
            Store::Pool => pool(lookup)?,
            Store::Endpoint => OldSystem::Endpoint { url: endpoint(lookup)? },
        };
        refuse_others(lookup, rules.store)?;
        let secret_arn = SettingError::optional(lookup, "SECRET_ARN");
        if let (None, Some(key)) = (&secret_arn, needed_key(&rules)) {
            return Err(SettingError::new("SECRET_ARN", format!("is missing; the rules need its {key}")));
        }
        let attempts_table = SettingError::required(lookup, "ATTEMPTS_TABLE")?;
        let directory_table = SettingError::required(lookup, "DIRECTORY_TABLE")?;
        Ok(Self { rules, old_system, attempts_table, directory_table, secret_arn })
    }
}

fn refuse_others(lookup: Lookup<'_>, store: Store) -> Result<(), SettingError> {
    let others = OF_STORES.iter().filter(|(other, _)| *other != store).flat_map(|(_, keys)| keys.iter());
    match others.copied().find(|key| SettingError::optional(lookup, key).is_some()) {
        None => Ok(()),
        Some(key) => Err(SettingError::new(key, "is there, but migration.store of the rules is another")),
    }
}

fn pool(lookup: Lookup<'_>) -> Result<OldSystem, SettingError> {
    let id = SettingError::required(lookup, "OLD_USER_POOL_ID")?;
    if region(&id).is_none() {
        return Err(SettingError::new(
            "OLD_USER_POOL_ID",
            "must be the id of a user pool, such as eu-west-1_Ab12Cd34E",
        ));
    }
    Ok(OldSystem::Pool { id, client_id: SettingError::required(lookup, "OLD_CLIENT_ID")? })
}

/// The region of a user pool, with which its id begins.
pub(crate) fn region(pool_id: &str) -> Option<&str> {
    let (region, own) = pool_id.split_once('_')?;
    let is_region = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_own = !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_region && region.contains('-') && is_own).then_some(region)
}

/// A password goes there, so nobody on the way may read along.
fn endpoint(lookup: Lookup<'_>) -> Result<String, SettingError> {
    let url = SettingError::required(lookup, "ENDPOINT_URL")?;
    if !is_safe_for_secrets(&url) {
        let problem =
            "must be an https address without user or fragment; http is for 127.0.0.1, [::1] and localhost only";
        return Err(SettingError::new("ENDPOINT_URL", problem));
    }
    Ok(url)
}

/// The member of the secret that nothing works without.
fn needed_key(rules: &MigrationRules) -> Option<&'static str> {
    let firebase = rules.hashes.as_ref().is_some_and(|hashes| hashes.allows(Kind::FirebaseScrypt));
    match rules.store {
        Store::Endpoint => Some("endpoint_key"),
        Store::Table if firebase => Some("firebase_signer_key"),
        Store::None | Store::Table | Store::Pool => None,
    }
}

#[cfg(test)]
mod tests {
    use shared::rules::Rules;

    use super::*;

    fn rules(migration: &str) -> Option<MigrationRules> {
        let before = "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n";
        let lockout = "free_attempts = 5\nfirst_wait_s = 60\nlongest_wait_s = 900\noverall_per_minute = 300\n";
        let section = format!(
            "[migration]\nfinal_status = \"confirmed\"\nattributes = {{}}\n{migration}\n[migration.lockout]\n{lockout}"
        );
        Rules::read(&format!("{before}[claims]\ntoken_version = \"v2\"\n{section}")).unwrap().migration
    }

    fn with_hashes(kind: &str, decoy: &str) -> Option<MigrationRules> {
        rules(&format!("store = \"table\"\nhashes = {{ kinds = [\"{kind}\"], decoy = \"{decoy}\" }}"))
    }

    const TABLES: [(&str, &str); 2] = [("ATTEMPTS_TABLE", "attempts"), ("DIRECTORY_TABLE", "directory")];

    /// The old system, or what is said of the settings.
    fn read(rules: Option<MigrationRules>, settings: &[(&str, &str)]) -> Result<OldSystem, String> {
        let lookup = |key: &str| {
            let mut all = settings.iter().chain(&TABLES);
            all.find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned())
        };
        Settings::with_rules(&lookup, rules).map(|settings| settings.old_system).map_err(|error| error.to_string())
    }

    #[test]
    fn each_store_has_settings_of_its_own() {
        let table = || with_hashes("bcrypt", "bcrypt:10");
        let pool = || rules("store = \"pool\"");
        let endpoint = || rules("store = \"endpoint\"");
        let firebase = || with_hashes("firebase-scrypt", "firebase-scrypt:ln=14,r=8");
        let id = ("OLD_USER_POOL_ID", "eu-west-1_Ab12Cd34E");
        let client = ("OLD_CLIENT_ID", "client");
        let users = ("LEGACY_USERS_TABLE", "users");
        let url = ("ENDPOINT_URL", "https://old.example/users");
        let secret = ("SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:old");
        type Row<'a> = (Option<MigrationRules>, &'a [(&'a str, &'a str)], &'a str);
        let rows: &[Row<'_>] = &[
            (table(), &[users], ""),
            (table(), &[users, secret], ""),
            (firebase(), &[users, secret], ""),
            (pool(), &[id, client], ""),
            (pool(), &[id, client, secret], ""),
            (endpoint(), &[url, secret], ""),
            // Missing.
            (None, &[users], "RULES_FILE moves nobody in"),
            (rules("store = \"none\""), &[users], "RULES_FILE moves nobody in"),
            (table(), &[], "LEGACY_USERS_TABLE is missing"),
            (table(), &[("LEGACY_USERS_TABLE", "")], "LEGACY_USERS_TABLE is missing"),
            (pool(), &[client], "OLD_USER_POOL_ID is missing"),
            (pool(), &[id], "OLD_CLIENT_ID is missing"),
            (endpoint(), &[secret], "ENDPOINT_URL is missing"),
            (endpoint(), &[url], "SECRET_ARN is missing; the rules need its endpoint_key"),
            (firebase(), &[users], "SECRET_ARN is missing; the rules need its firebase_signer_key"),
            (table(), &[users, ("ATTEMPTS_TABLE", "")], "ATTEMPTS_TABLE is missing"),
            (table(), &[users, ("DIRECTORY_TABLE", "")], "DIRECTORY_TABLE is missing"),
            // Contradictory.
            (table(), &[users, id], "OLD_USER_POOL_ID is there, but"),
            (table(), &[users, client], "OLD_CLIENT_ID is there, but"),
            (pool(), &[id, client, url], "ENDPOINT_URL is there, but"),
            (endpoint(), &[url, secret, users], "LEGACY_USERS_TABLE is there, but"),
            // Unusable.
            (pool(), &[("OLD_USER_POOL_ID", "eu-west-1"), client], "OLD_USER_POOL_ID must be"),
            (pool(), &[("OLD_USER_POOL_ID", "../_x"), client], "OLD_USER_POOL_ID must be"),
        ];
        for (rules, settings, expected) in rows {
            let said = read(rules.clone(), settings).err().unwrap_or_default();
            assert_eq!(said.is_empty(), expected.is_empty(), "{settings:?}: {said}");
            assert!(said.starts_with(expected), "{settings:?}: {said}");
        }
    }

    #[test]
    fn a_password_goes_over_tls_or_nowhere() {
        let rows = [
            ("https://old.example", true),
            ("http://127.0.0.1:4000/users", true),
            ("http://old.example/", false),
            ("old.example", false),
        ];
        for (url, accepted) in rows {
            let settings = [("ENDPOINT_URL", url), ("SECRET_ARN", "arn")];
            let found = read(rules("store = \"endpoint\""), &settings);
            assert_eq!(found.is_ok(), accepted, "{url}: {found:?}");
        }
    }
}
