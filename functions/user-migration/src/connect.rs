//! From settings to the function.

use directory::Directory;
use shared::password::Kind;
use shell::SettingError;
use shell::aws::Client;

use crate::attempts::AttemptsTable;
use crate::endpoint::EndpointDirectory;
use crate::hashing::Hashing;
use crate::old_system::AnyDirectory;
use crate::pool::{OldPool, PoolDirectory};
use crate::secret::{self, Secret};
use crate::settings::region;
use crate::table::{LegacyTable, TableDirectory};
use crate::{OldSystem, Settings, UserMigration};

/// The function with a real client. Fetches the secret, if there is one, and
/// makes no other call.
pub async fn connect(
    settings: Settings,
) -> Result<UserMigration<AnyDirectory, AttemptsTable, Directory>, SettingError> {
    let client = Client::from_environment(&shell::environment)?;
    let secret = secret::fetch(&client, settings.secret_arn.as_deref()).await?;
    let old_system = old_system(&settings, &client, secret)?;
    let attempts = AttemptsTable::new(client.clone(), settings.attempts_table, settings.rules.lockout.clone());
    let arrivals = Directory::new(client, settings.directory_table);
    Ok(UserMigration::new(settings.rules, old_system, attempts, arrivals))
}

fn old_system(settings: &Settings, client: &Client, secret: Secret) -> Result<AnyDirectory, SettingError> {
    match &settings.old_system {
        OldSystem::Table { name } => {
            let hashes = settings.rules.hashes.clone();
            let hashes = hashes.ok_or_else(|| SettingError::new("RULES_FILE", "has no section migration.hashes"))?;
            let keys = secret.hash_keys(hashes.allows(Kind::FirebaseScrypt))?;
            let hashing = Hashing::new(hashes, keys).map_err(|error| {
                SettingError::new("RULES_FILE", format!("has a migration.hashes.decoy of no use: {error}"))
            })?;
            Ok(AnyDirectory::Table(TableDirectory::new(LegacyTable::new(client.clone(), name), hashing)))
        }
        OldSystem::Pool { id, client_id } => {
            let pool = OldPool::new(client.in_region(region(id).unwrap_or_default()), id, client_id);
            Ok(AnyDirectory::Pool(PoolDirectory::new(pool, secret.pool_client_secret())))
        }
        OldSystem::Endpoint { url } => {
            let endpoint = EndpointDirectory::new(url, secret.endpoint_key()?);
            endpoint
                .map(Box::new)
                .map(AnyDirectory::Endpoint)
                .ok_or_else(|| SettingError::new("ENDPOINT_URL", "is no address"))
        }
    }
}
