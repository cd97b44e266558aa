//! Wires the function.

use std::process::ExitCode;

use admin_api::{AdminApi, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let config = shell::aws::config().await;
        Ok(AdminApi::connect(&config, settings))
    })
    .await
}
