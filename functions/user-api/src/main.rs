//! Wires the function.

use std::process::ExitCode;

use shell::aws::Client;
use user_api::{Settings, UserApi};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let client = Client::from_environment(&shell::environment)?;
        Ok(UserApi::connect(client, settings))
    })
    .await
}
