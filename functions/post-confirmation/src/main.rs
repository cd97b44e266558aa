//! Wires the function.

use std::process::ExitCode;

use directory::{Directory, PoolGroups};
use post_confirmation::{PostConfirmation, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let config = shell::aws::config().await;
        let directory = Directory::connect(&config, settings.directory_table);
        Ok(PostConfirmation::new(settings.rules, directory, PoolGroups::connect(&config)))
    })
    .await
}
