//! Wires the function.

use std::process::ExitCode;

use user_api::{Settings, UserApi};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let config = shell::aws::config().await;
        Ok(UserApi::connect(&config, settings))
    })
    .await
}
