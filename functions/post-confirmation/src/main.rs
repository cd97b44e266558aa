//! Wires the function.

use std::process::ExitCode;

use directory::{Directory, PoolGroups};
use post_confirmation::{PostConfirmation, Settings};
use shell::aws::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let client = Client::from_environment(&shell::environment)?;
        let directory = Directory::new(client.clone(), settings.directory_table);
        Ok(PostConfirmation::new(settings.rules, directory, PoolGroups::new(client)))
    })
    .await
}
