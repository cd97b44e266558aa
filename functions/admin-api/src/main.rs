//! Wires the function.

use std::process::ExitCode;

use admin_api::{AdminApi, Settings};
use shell::aws::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let client = Client::from_environment(&shell::environment)?;
        Ok(AdminApi::connect(client, settings))
    })
    .await
}
